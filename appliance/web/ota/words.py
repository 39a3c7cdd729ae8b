"""Which of the reserved colours a box, a set or a rollout has on the pages, and who may do what."""

from __future__ import annotations

import math
from typing import Final

from appliance.web.ota.board import Condition

RUNNERS: Final = ("ops",)
"""Who rolls out, pauses, stops and rolls back."""
DECIDERS: Final = ("ops", "quality")
"""Who approves, withdraws and decides that a set goes live."""

BADGES: Final = {
    Condition.LOCKED_OUT: "hold",
    Condition.QUARANTINED: "hold",
    Condition.FAILED: "hold",
    Condition.RETURNED: "review",
    Condition.DRIFTS: "hold",
    Condition.OFFLINE: "waiting",
    Condition.UPDATING: "info",
    Condition.NEW: "waiting",
    Condition.AS_DESIRED: "accept",
}

STATE_BADGES: Final = {
    "draft": "waiting",
    "approved": "info",
    "staging": "info",
    "shadow": "info",
    "running": "info",
    "paused": "review",
    "returning": "hold",
    "stopping": "hold",
    "returned": "hold",
    "stopped": "hold",
    "done": "accept",
    "cancelled": "waiting",
}
"""A rollout's state: its phase, or paused; stopping and stopped by the emergency stop."""

SET_BADGES: Final = {
    "proposed": "review",
    "approved": "info",
    "published": "accept",
    "installed": "waiting",
    "withdrawn": "hold",
    "refused": "hold",
}

BOX_BADGES: Final = {
    "waiting": "waiting",
    "fetching": "info",
    "proving": "info",
    "staged": "info",
    "shadow": "info",
    "probation": "info",
    "running": "accept",
    "failed": "hold",
    "returned": "review",
    "back": "waiting",
    "skipped": "waiting",
}
"""How far a box is in a rollout."""

COMMANDS: Final = (
    "approve",
    "resume",
    "pause",
    "retry",
    "skip",
    "abort",
    "rollback",
    "cancel",
)
"""What may be done with a rollout, in the order of its buttons."""
ASKS_WHY: Final = frozenset({"abort", "skip", "rollback", "pause"})
"""Commands that are not done without a reason."""

_DECADES: Final = 4.0


def log_width(evidence: float) -> float:
    """How long a bar of evidence is, 0..100: 1 is nothing, ten thousand the whole."""
    return round(100 * min(max(math.log10(max(evidence, 1.0)) / _DECADES, 0.0), 1.0), 1)
