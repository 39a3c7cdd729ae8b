"""What hub and box tell each other about updates: assignments one way, reports the other (I3, I5).

A lane is a use of a model set on a box. What runs changes only by an assignment that the director
signed for this very box and whose sets the registry's image plane names too (Uptane's rule).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from contracts.reason import Reason

LANES = ("read", "inspect", "cracks", "detectors", "profiles", "rules", "templates")
"""Uses of model sets, each a family of the image plane with a delegation of its own."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """A candidate that judges beside the running set of its lane, and counts for nothing."""

    rollout: str
    lane: str
    model_set: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one box shall do. `sequence` grows with every change within an `epoch`; an epoch begins
    when the hub's state was restored or the director's key changed. A box never goes back.

    `stage`: fetch, check and prove, do not run yet; `run`: judge new batches with it; a lane that
    is not named stays as it is. `keep`: digests that open batches are pinned to.
    """

    device: str
    cell: str
    epoch: int
    sequence: int
    least_snapshot: int
    """Version of the image plane's snapshot metadata below which the box must not go."""
    not_after_us: int
    """Microseconds since 1970, UTC. After it nothing new is activated; what runs goes on."""
    stage: dict[str, str] = field(default_factory=dict)
    run: dict[str, str] = field(default_factory=dict)
    shadow: tuple[Shadow, ...] = ()
    keep: tuple[str, ...] = ()
    rollout: str = ""
    """The rollout that this came from; empty for the fleet's base line."""
    stop: bool = False
    """Emergency stop: run the set before this rollout's at once, start nothing new."""
    attempts: int = 0
    """Grows when a person asks this box to try once more what it refused or went back from; with
    the same number it leaves that alone, whatever else the assignment changes.
    """


class BoxStep(StrEnum):
    """How far a box is with its assignment."""

    IDLE = "idle"
    FETCHING = "fetching"
    PROVING = "proving"
    STAGED = "staged"
    PROBATION = "probation"
    RETURNED = "returned"
    """It went back to the previous set by itself; `Report.trouble` says why."""
    FAILED = "failed"
    """The set was refused or could not be had; what ran before goes on."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Of `frames`, so many `bad` ones. Cumulative since the shadow began on this box."""

    frames: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """`signals` by name: harm, latency, error, override (ota.gates.gate.Signal)."""

    rollout: str
    lane: str
    model_set: str
    signals: dict[str, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoxReport:
    """What a box says of itself. `running` is attested: digests worked out from the files that
    the judging process has loaded, never what the box was told to run.
    """

    device: str
    at_us: int
    version: str
    epoch: int = 0
    sequence: int = 0
    """Of the assignment that it works on; 0 where it accepted none yet."""
    step: BoxStep = BoxStep.IDLE
    running: dict[str, str] = field(default_factory=dict)
    variant: dict[str, str] = field(default_factory=dict)
    """The engine of each lane."""
    held: tuple[str, ...] = ()
    """Digests of the verified sets on its disk."""
    staged: tuple[str, ...] = ()
    """Of those, the ones that passed their golden frames on this box."""
    trouble: dict[str, Reason] = field(default_factory=dict)
    """By digest, or `assignment`, `metadata`, `clock`, `disk`, `hub`, `edge`."""
    shadow: tuple[ShadowReport, ...] = ()
    snapshot: int = 0
    free_mb: int = 0
    progress_bytes: int = 0
    wanted_bytes: int = 0
    open_pins: tuple[str, ...] = ()
    """Digests that open batches here are judged under."""
