"""What the pages of updates show: plain rows. Digests are `sha256:` and 64 hex digits, "" for none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from appliance.ota.rollouts import GateView
from contracts.ota import Assignment, BoxStep, Tally
from contracts.reason import Reason
from ota.registry.records import SetRecord
from ota.rollout.state import Rollout
from ota.rollout.waiting import Waiting


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One use of a model set on a box: what runs, attested by the box, and what should."""

    lane: str
    running: str
    desired: str
    variant: str = ""
    coming: str = ""
    """What it is to fetch and prove, and not yet to run."""
    staged: bool = False
    """The desired or coming set lies on the box, checked and proven."""

    @property
    def differs(self) -> bool:
        """False where nobody said what should run: the set of the installation goes on."""
        return bool(self.desired) and self.running != self.desired


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One box now. `standing` is what the hub lets it do: active, quarantined, revoked."""

    device: str
    cell: str = ""
    site: str = ""
    version: str = ""
    standing: str = "active"
    step: BoxStep = BoxStep.IDLE
    lanes: tuple[LaneRow, ...] = ()
    heard_at: datetime | None = None
    online: bool = False
    sequence: int = 0
    """Of the assignment that the box works on."""
    wanted_sequence: int = 0
    """Of the newest assignment for it."""
    rollout: str = ""
    trouble: Mapping[str, Reason] = field(default_factory=dict)
    progress_bytes: int = 0
    wanted_bytes: int = 0
    free_mb: int = 0
    certificate_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetName:
    """What people call a digest."""

    digest: str
    name: str
    version: str
    lane: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A lane's set on a box from one moment to another; `until` None while it runs."""

    lane: str
    digest: str
    since: datetime
    until: datetime | None = None
    why: str = ""
    """start, assignment, returned, stopped."""
    rollout: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a story or of the audit: who did what to what, when and why.

    `what` is a word of the closed kind `ota.did.<what>`; `by` is empty for what no person did;
    `number` a wave or how many batches.
    """

    at: datetime
    what: str
    by: str = ""
    why: str = ""
    rollout: str = ""
    device: str = ""
    model_set: str = ""
    reason: Reason | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class BoxPage:
    """One box's story."""

    row: BoxRow
    held: tuple[str, ...] = ()
    staged: tuple[str, ...] = ()
    open_pins: tuple[str, ...] = ()
    previous: Mapping[str, str] = field(default_factory=dict)
    """By lane: what it would return to."""
    spans: tuple[Span, ...] = ()
    """What ran when, the newest first."""
    story: tuple[Happening, ...] = ()
    """The newest first."""
    labels: Mapping[str, str] = field(default_factory=dict)
    serial: str = ""
    """The machine's."""
    key_id: str = ""
    note: str = ""
    """Why it is quarantined or revoked."""
    assignment: Assignment | None = None


@dataclass(frozen=True, slots=True)
class WaveRow:
    """One wave: how many of its boxes are how far. `state` is ahead, now, passed or given_up;
    `number` counts from 1.
    """

    number: int
    state: str
    boxes: int
    states: Mapping[str, int]
    """Boxes by `RolloutBox.state`."""
    cells: tuple[str, ...] = ()
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RolloutBox:
    """One box of a rollout. `wave` counts from 1; 0 for one that only stands by in its cell.

    `state` is waiting, fetching, proving, staged, shadow, running, probation, returned, failed,
    skipped or back; `against` the evidence against the candidate on this box alone, by its worst
    signal; 1 where nothing is known.
    """

    device: str
    cell: str
    wave: int
    state: str
    online: bool = True
    counts: Mapping[str, Tally] = field(default_factory=dict)
    worst: str = ""
    against: float = 1.0
    trouble: Reason | None = None
    failures: int = 0
    progress_percent: int | None = None


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One signal of a gate, all its boxes together."""

    signal: str
    counts: Tally
    tolerated: float
    certified: float
    against: float
    """Evidence that the rate is above what is tolerated, in the pool."""
    good: float
    """Evidence that it is below what is to be certified."""


@dataclass(frozen=True, slots=True)
class Point:
    """A gate after so many `frames`: evidence against, and for by the weakest signal."""

    at_us: int
    gate: int
    frames: int
    against: float
    good: float


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """A rollout in a list. `state` is a key of appliance.web.ota.words.STATE_BADGES; `wave` counts
    from 1 and is 0 before the first.
    """

    rollout: str
    lane: str
    candidate: str
    state: str
    wave: int
    waves: int
    boxes: int
    done: int
    failed: int
    made_by: str
    made_at: datetime
    against: float = 1.0
    abort_at: float = 100.0
    why: Reason | None = None

    @property
    def is_open(self) -> bool:
        return self.state not in ("done", "returned", "stopped", "cancelled")


@dataclass(frozen=True, slots=True)
class RolloutPage:
    """One rollout whole. `may`: commands that make sense now, in their order."""

    row: RolloutRow
    state: Rollout
    gate: GateView | None
    signals: tuple[SignalRow, ...]
    waves: tuple[WaveRow, ...]
    boxes: tuple[RolloutBox, ...]
    waiting: tuple[Waiting, ...] = ()
    may: tuple[str, ...] = ()
    history: tuple[Happening, ...] = ()
    before: tuple[str, ...] = ()
    """The sets that it replaces."""
    in_window: bool = True
    second_person: bool = False


@dataclass(frozen=True, slots=True)
class PreviewWave:
    """Which boxes a wave would have; `reached` boxes hold the candidate once it is through."""

    number: int
    boxes: tuple[str, ...]
    cells: tuple[str, ...]
    reached: int
    clean_frames: int
    """So many frames without an event let its gate pass; 0 where none certifies it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a plan would do to the boxes as they are now. `warnings` say what its maker should know."""

    waves: tuple[PreviewWave, ...]
    boxes: int
    standing_by: int = 0
    warnings: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class SetPage:
    """One model set whole. `key`: how a set of its lane is signed at this hub: open, locked (a
    passphrase opens it), elsewhere (with its keeper), none (nobody made keys yet).
    """

    record: SetRecord
    base: SetRecord | None = None
    objections: tuple[Reason, ...] = ()
    """What keeps it from being published now."""
    key: str = "none"
    story: tuple[Happening, ...] = ()
    second_person: bool = True
