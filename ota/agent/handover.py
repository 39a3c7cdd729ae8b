"""What agent and edge hand each other, in two files of `<data>/edge/sets` (I3, I5).

`active.json` is the agent's: which set each lane runs. The edge only reads it, loads what it names
beside the running set, and switches between two cartons. `running.json` is the edge's: which sets
really run, worked out from the files that it loaded. The agent reports it and judges probation by
it, never by what it told the edge. A digest is `sha256:` and 64 hex digits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from contracts.errors import BadInputError
from contracts.ota import Shadow, ShadowReport
from contracts.reason import Reason
from ota.agent.files import Files, write_whole

ACTIVE, RUNNING, HELD = "active.json", "running.json", "held"
T = TypeVar("T")
INSTALLATION = ""
"""As a lane's set: the one that came with the installation."""
LOADED = frozenset({"read", "inspect", "cracks", "detectors", "profiles"})
"""Lanes that the edge loads and attests; sets of the others only lie ready for whoever uses them."""


@dataclass(frozen=True, slots=True)
class LaneActive:
    """What a lane is to run, and what it goes back to."""

    model_set: str
    previous: str = INSTALLATION
    change: int = 0
    """The change of `active.json` that brought it."""
    at_us: int = 0
    rollout: str = ""


@dataclass(frozen=True, slots=True)
class Active:
    """`change` grows by one with each writing. A lane that is not named, or whose set is
    `INSTALLATION`, runs the set of the installation. A digest is opened from `held/<64 hex>`, else
    it is one of the installation's.
    """

    change: int = 0
    epoch: int = 0
    sequence: int = 0
    """Of the assignment that brought this change."""
    at_us: int = 0
    why: Reason = field(default_factory=lambda: Reason("ota_installation"))
    lanes: dict[str, LaneActive] = field(default_factory=dict)
    shadow: tuple[Shadow, ...] = ()
    """To run beside, where they can be opened; a change of these alone switches nothing."""
    keep: tuple[str, ...] = ()
    """Digests that open batches are pinned to and that are held here as well."""

    def digest(self, lane: str) -> str:
        """What a lane is to run; `INSTALLATION` where nothing else was ever assigned."""
        found = self.lanes.get(lane)
        return found.model_set if found else INSTALLATION

    def was_before(self, lane: str, digest: str) -> bool:
        """Whether a lane that goes to `digest` goes back: to what it ran before, or to the
        installation's.
        """
        found = self.lanes.get(lane)
        return digest == INSTALLATION or (found is not None and found.previous == digest)


@dataclass(frozen=True, slots=True)
class LaneRunning:
    """One lane as it really runs. Counts are since the switch to this set, and begin again only
    with the next switch or start.
    """

    model_set: str
    """Attested: of the manifest whose files were checked when they were loaded."""
    variant: str
    since_us: int = 0
    cartons: int = 0
    errors: int = 0
    """Cartons on which this set raised instead of answering."""
    late: int = 0
    """Cartons over the station's latency budget."""


@dataclass(frozen=True, slots=True)
class Running:
    """The edge writes it at least every `BEAT_S` seconds, and at once after a switch."""

    at_us: int
    boot: str = ""
    """A new one with each start of the edge."""
    change: int = 0
    """Of `active.json` as it is followed now: all its lanes run, or stand in `refused`."""
    loading: int = 0
    """The change that is being loaded, written before loading it; 0: none. An edge that dies or
    hangs while loading leaves it standing, and the agent goes back to the previous set.
    """
    lanes: dict[str, LaneRunning] = field(default_factory=dict)
    refused: dict[str, Reason] = field(default_factory=dict)
    """Digests that the edge was told to run or shadow and could not, with why."""
    open_pins: tuple[str, ...] = ()
    """Digests that open batches here are judged under: never to be deleted."""
    shadow: tuple[ShadowReport, ...] = ()


BEAT_S = 5.0


def held_folder(digest: str) -> str:
    """Where a verified set stands below the agent's folder. Raises BadInputError for no digest."""
    return f"{HELD}/{hex_of(digest)}"


def hex_of(digest: str) -> str:
    """The 64 hex digits of `sha256:...`. Raises BadInputError for anything else."""
    kind, _, digits = digest.partition(":")
    if kind != "sha256" or len(digits) != 64 or set(digits) - set("0123456789abcdef"):  # noqa: PLR2004 -- SHA-256 has 32 bytes
        raise BadInputError(f"{digest!r} is no digest", mend="It is sha256: and 64 hex digits")
    return digits


def read_active(files: Files) -> Active:
    """What is to run. No file: the installation's sets (`Active()`).

    Raises BadInputError for a file that says nothing: what runs goes on.
    """
    return _read(files, ACTIVE, Active) or Active()


def write_active(files: Files, active: Active) -> None:
    """Durable and atomic. Only the agent calls it."""
    write_whole(files, ACTIVE, msgspec.json.encode(active))


def read_running(files: Files) -> Running | None:
    """What the edge says of itself; None before its first word. Raises BadInputError."""
    return _read(files, RUNNING, Running)


def last_change(files: Files) -> int:
    """The change that the edge followed or began to load last; 0 where it says nothing readable."""
    try:
        running = read_running(files)
    except BadInputError:
        return 0
    return max(running.change, running.loading) if running else 0


def write_running(files: Files, running: Running) -> None:
    """Durable and atomic. Only the edge calls it."""
    write_whole(files, RUNNING, msgspec.json.encode(running))


def _read(files: Files, name: str, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(files.read(name), type=kind)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise BadInputError(
            f"{files.where(name)} says nothing: {error}", mend="The agent or edge writes it again"
        ) from error
