"""The hub's rollouts: what people command, what boxes say, and the assignments that follow (I5).

One object a hub; methods block and may be called from many threads. What it decides is pure
(ota.rollout, ota.director); what happened is in the store before anybody is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from contracts.ota import Assignment, BoxReport
from ota.gates.gate import GateDecision
from ota.rollout.boxes import Box, Heard
from ota.rollout.events import Member, Recorded, Role
from ota.rollout.plan import Plan
from ota.rollout.ports import Deed, Ran
from ota.rollout.state import Rollout
from ota.rollout.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a box gets: `etag` without quotes."""

    etag: str
    body: bytes
    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate for a page: its decision now, and the counts a box."""

    wave: int
    role: Role
    number: int
    abort_at: float
    decision: GateDecision
    counts: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    """Device -> signal -> (frames, bad ones)."""


@dataclass(frozen=True, slots=True)
class BoxView:
    """One box for a page. `wanted`: lane -> digest that it should run; `drift` the lanes where it
    runs another one.
    """

    heard: Heard
    wanted: Mapping[str, str]
    drift: tuple[str, ...]
    assignment: Assignment | None
    heard_us: int = 0
    """When it was last heard, microseconds since 1970; 0: never since the hub began."""


class RolloutDesk(Protocol):
    """What pages, the command line and the learning loop ask of `Rollouts`. Every command takes who
    asks; each raises ConflictError where the rollout is in no state for it, BadInputError,
    NotFoundError, ForbiddenError (the second person is the first).
    """

    def draft(self, plan: Plan, *, by: str) -> Rollout: ...
    def approve(self, rollout: str, *, by: str, note: str = "") -> Rollout: ...
    def pause(self, rollout: str, *, by: str, why: str = "") -> Rollout: ...
    def resume(self, rollout: str, *, by: str, why: str = "") -> Rollout: ...
    def abort(self, rollout: str, *, by: str, why: str) -> Rollout: ...
    def cancel(self, rollout: str, *, by: str, why: str = "") -> Rollout: ...
    def retry(self, rollout: str, boxes: Sequence[str] = (), *, by: str) -> Rollout: ...
    def skip(self, rollout: str, boxes: Sequence[str], *, by: str, why: str) -> Rollout: ...
    def roll_back(self, rollout: str, *, by: str, why: str) -> Rollout: ...

    def stop_everything(self, *, by: str, why: str) -> list[Rollout]:
        """Emergency: every rollout under way goes back at once, and none begins until `lift`."""
        ...

    def lift(self, *, by: str, why: str) -> None: ...
    def stopped(self) -> str:
        """Why the fleet stands still; empty where it does not."""
        ...

    def rollouts(self) -> list[Rollout]:
        """Newest first."""
        ...

    def rollout(self, rollout: str) -> Rollout: ...
    def history(self, rollout: str) -> list[Recorded]: ...
    def gate(self, rollout: str) -> GateView | None:
        """The gate that is open or was last; None before the first."""
        ...

    def may(self, rollout: str) -> tuple[str, ...]:
        """The commands that make sense now: approve, cancel, pause, resume, abort, retry, skip,
        rollback.
        """
        ...

    def waiting(self, rollout: str) -> list[Waiting]: ...
    def preview(self, plan: Plan) -> list[Member]:
        """Who would be in which wave, by the boxes as they are now."""
        ...

    def boxes(self) -> list[BoxView]: ...
    def drifting(self) -> list[str]:
        """Live boxes that do not run what they are told to run; cheap for very many boxes."""
        ...

    def box(self, device: str) -> BoxView: ...
    def place(self, box: Box, *, by: str) -> None:
        """Say where a box stands: cell, site, labels."""
        ...

    def deeds(self) -> list[Deed]:
        """What people did outside of any rollout: stops, their ends, places of boxes."""
        ...

    def ran(self, device: str = "") -> list[Ran]: ...

    # What boxes ask and say (appliance.ota.director_port):
    def envelope(self, device: str) -> Envelope | None:
        """None for a box that is to do nothing yet."""
        ...

    def reported(self, report: BoxReport) -> None: ...
    def tick(self) -> bool:
        """Let every rollout go on as far as it can; whether anything changed."""
        ...
