"""What rollouts need from outside: a store that keeps what happened, as a Protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.ota import BoxReport
from ota.rollout.boxes import Box
from ota.rollout.events import Event, Recorded
from ota.rollout.gating import Shown
from ota.rollout.state import Rollout


@dataclass(frozen=True, slots=True)
class Issued:
    """The newest assignment of a device. `wanted` is the SHA-256 of what it says of sets; `renew_us`
    when it is made out again, microseconds since 1970.
    """

    device: str
    epoch: int
    sequence: int
    wanted: str
    envelope: bytes
    renew_us: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What a box said it ran in a lane, from when to when (None: still)."""

    device: str
    lane: str
    model_set: str
    variant: str
    since_us: int
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person did to the fleet outside of any rollout: `stopped`, `lifted`, or `placed` a box
    (`about` names it, `why` says where).
    """

    at_us: int
    who: str
    what: str
    about: str = ""
    why: str = ""


class Evidence(Protocol):
    """What candidates have shown, each frame once. Methods block."""

    def shown(self, state: Rollout) -> Shown:
        """Counts of one rollout so far, by role, device and signal."""
        ...


class RolloutStore(Protocol):
    """Everything of rollouts and assignments that outlives the hub's process. Methods block; each
    is one durable step.
    """

    def append(
        self, rollout: str, *, after: int, events: Sequence[Event], who: str, at_us: int
    ) -> list[Recorded]:
        """Add events behind number `after`. Raises ConflictError where others were added meanwhile:
        of two hubs or people only one goes on from a state.
        """
        ...

    def heads(self) -> dict[str, int]:
        """The number of each rollout's last event, in the order in which they were drafted."""
        ...

    def history(self, rollout: str) -> list[Recorded]:
        """What happened, oldest first; empty for one that is not known."""
        ...

    def boxes(self) -> dict[str, Box]: ...

    def set_box(self, box: Box) -> None: ...

    def reports(self) -> dict[str, BoxReport]:
        """The newest of each device."""
        ...

    def keep_report(self, report: BoxReport) -> None:
        """Keep it, and note what began or ended to run by it."""
        ...

    def ran(self, device: str = "") -> list[Ran]:
        """What ran when, of one box or all, oldest first."""
        ...

    def issued(self) -> dict[str, Issued]: ...

    def issue(self, made: Sequence[Issued]) -> None:
        """Durable before any of them is given out: an (epoch, sequence) says one thing for ever.

        Raises ConflictError, and keeps none, where one is not beyond what the device has.
        """
        ...

    def note(self, deed: Deed) -> None: ...

    def deeds(self) -> list[Deed]:
        """Oldest first."""
        ...

    def fact(self, name: str) -> str:
        """A named fact of the whole fleet; empty where it was never set."""
        ...

    def set_fact(self, name: str, value: str) -> None: ...
