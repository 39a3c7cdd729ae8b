"""What a virtual vehicle does wrong on request, and what becomes of its states on the way. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.errors import BadInputError


@dataclass(slots=True)
class Faults:
    """What to do wrong. May be changed while the vehicle runs; it shows from its next step on."""

    swallow_states: bool = False
    """It is connected and says nothing."""
    duplicate_states: bool = False
    lose_percent: float = 0.0
    """Of its states, so many never arrive."""
    duplicate_percent: float = 0.0
    late_percent: float = 0.0
    """Of its states, so many arrive after the next one."""
    reject_orders: bool = False
    fail_action: str = ""
    """`pick` or `drop`: that action FAILS."""
    die_after: str = ""
    """`pick` or `drop`: the vehicle stops without a word after that action."""
    forget_after: str = ""
    """`pick` or `drop`: it reboots once after that action and no longer knows its order."""
    too_late_to_cancel: bool = False
    """cancelOrder FAILS and the order goes on."""
    load_alias: str = ""
    """The load id it reads instead of the one ordered, such as its own RFID tag."""
    loads_unknown: bool = False
    charge_percent: float | None = None
    """What its battery shows, whatever it drove."""
    emergency_stop: str = ""
    """`MANUAL`, `REMOTE`, `AUTOACK` (2.x): it stands until this is empty again."""
    clock_off_s: float = 0.0
    """Its clock is so many seconds ahead of ours, or behind (negative)."""


ASKED_FOR: Mapping[str, Mapping[str, object]] = {
    "reject": {"reject_orders": True},
    "silent": {"swallow_states": True},
    "dies": {"die_after": "pick"},
    "forgets": {"forget_after": "pick"},
    "fails-pick": {"fail_action": "pick"},
    "fails-drop": {"fail_action": "drop"},
    "own-tag": {"load_alias": "RFID-0815"},
    "blind": {"loads_unknown": True},
    "noisy": {"lose_percent": 20.0, "duplicate_percent": 20.0, "late_percent": 20.0},
    "late-cancel": {"too_late_to_cancel": True},
    "flat": {"charge_percent": 8.0},
    "stopped": {"emergency_stop": "MANUAL"},
    "clock-behind": {"clock_off_s": -3600.0},
}
"""Words for `tallyman fleet --fault SERIAL=WORD`."""


def faults_named(*words: str) -> Faults:
    """Faults by their words. Raises BadInputError naming the word that there is not."""
    faults = Faults()
    for word in words:
        if word not in ASKED_FOR:
            raise BadInputError(
                f"Vehicles have no fault {word!r}", mend=f"Choose of {', '.join(sorted(ASKED_FOR))}"
            )
        for name, value in ASKED_FOR[word].items():
            setattr(faults, name, value)
    return faults


class Noise:
    """What a bad radio does to a stream of payloads: loses, doubles, and lets one overtake another.

    Nothing stays behind for ever: a payload that is late comes with the next one.
    """

    def __init__(self, seed: object) -> None:
        self._random = random.Random(repr(seed))  # noqa: S311 -- a story told again by its seed
        self._late: list[bytes] = []

    def through(self, payload: bytes, faults: Faults) -> list[bytes]:
        """What arrives now for what was sent now."""
        held, self._late = self._late, []
        if self._hits(faults.lose_percent):
            return held
        copies = 1 + (faults.duplicate_states or self._hits(faults.duplicate_percent))
        if not held and self._hits(faults.late_percent):
            self._late = [payload]
            return [payload] * (copies - 1)
        return [payload] * copies + held

    def _hits(self, percent: float) -> bool:
        return percent > 0 and self._random.random() * 100 < percent
