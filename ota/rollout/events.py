"""What happened in a rollout: the record that its state follows from, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from contracts.reason import Reason
from ota.rollout.plan import Plan

SYSTEM = "tallyman"
"""Who did what no person did."""
STANDS_BY = -1
"""The wave of a box that shares a cell with others and does not get the candidate itself."""


class Role(StrEnum):
    """What a gate looks at."""

    SHADOW = "shadow"
    """The candidate beside the running set."""
    WATCH = "watch"
    """The candidate runs; the set before it judges beside it."""


@dataclass(frozen=True, slots=True)
class Member:
    """A box in a rollout: its wave from 0, and the set that it goes back to (empty: none known)."""

    device: str
    cell: str
    wave: int
    before: str = ""


@dataclass(frozen=True, slots=True)
class Drafted:
    plan: Plan


@dataclass(frozen=True, slots=True)
class Approved:
    note: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """Who is in which wave, settled once; `seed` is what chance drew from."""

    members: tuple[Member, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Joined:
    """A box that came after the start."""

    member: Member


@dataclass(frozen=True, slots=True)
class StagingBegan:
    wave: int


@dataclass(frozen=True, slots=True)
class GateOpened:
    """`boxes` are looked at, a set fixed now."""

    wave: int
    role: Role
    boxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GatePassed:
    """`certified`: evidence for each signal; `frames` that the boxes had shown together."""

    wave: int
    role: Role
    certified: dict[str, float] = field(default_factory=dict)
    frames: int = 0


@dataclass(frozen=True, slots=True)
class CellRuns:
    """Every live box of the cell holds the candidate: the wave's boxes there are told to run it."""

    wave: int
    cell: str


@dataclass(frozen=True, slots=True)
class AllRunning:
    """Every live box of the wave runs it and stood its probation; the soak begins."""

    wave: int


@dataclass(frozen=True, slots=True)
class WaveDone:
    wave: int


@dataclass(frozen=True, slots=True)
class BoxFailed:
    """A box refused the candidate, or went back from it by itself (`returned`)."""

    device: str
    reason: Reason
    returned: bool = False


@dataclass(frozen=True, slots=True)
class Retried:
    """Failed boxes are asked once more."""

    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A person lets the rollout go on without these boxes."""

    devices: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Paused:
    why: str = ""


@dataclass(frozen=True, slots=True)
class Resumed:
    why: str = ""


@dataclass(frozen=True, slots=True)
class Aborted:
    """Every box goes back to the set before. `emergency`: at once, and nothing new anywhere."""

    reason: Reason
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A rollout that was done is taken back."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class GenerationsOpened:
    """Batches that the candidate had judged got their next generation, for another judge."""

    batches: int


@dataclass(frozen=True, slots=True)
class Returned:
    """Every live box runs the set before again; those that were away follow when they come."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The candidate is what the boxes run from now on."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """It was given up before it began."""

    why: str = ""


Event = (
    Drafted
    | Approved
    | Started
    | Joined
    | StagingBegan
    | GateOpened
    | GatePassed
    | CellRuns
    | AllRunning
    | WaveDone
    | BoxFailed
    | Retried
    | Skipped
    | Paused
    | Resumed
    | Aborted
    | RolledBack
    | GenerationsOpened
    | Returned
    | Finished
    | Cancelled
)

KINDS: dict[str, type[Event]] = {
    "drafted": Drafted,
    "approved": Approved,
    "started": Started,
    "joined": Joined,
    "staging_began": StagingBegan,
    "gate_opened": GateOpened,
    "gate_passed": GatePassed,
    "cell_runs": CellRuns,
    "all_running": AllRunning,
    "wave_done": WaveDone,
    "box_failed": BoxFailed,
    "retried": Retried,
    "skipped": Skipped,
    "paused": Paused,
    "resumed": Resumed,
    "aborted": Aborted,
    "rolled_back": RolledBack,
    "generations_opened": GenerationsOpened,
    "returned": Returned,
    "finished": Finished,
    "cancelled": Cancelled,
}
KIND_OF: dict[type[Event], str] = {event: kind for kind, event in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its number in the rollout (from 1), when and who."""

    rollout: str
    number: int
    at_us: int
    who: str
    event: Event
