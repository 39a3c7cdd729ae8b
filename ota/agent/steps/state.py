"""What the agent must remember: `agent.json`, written whole before anything is done that follows."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from contracts.ota import BoxStep
from contracts.reason import Reason
from ota.agent.files import Files, write_whole
from ota.director.accept import Floors

STATE = "agent.json"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A set that this box does not try again, until somebody asks for it: with another rollout, or
    with a greater number of attempts.
    """

    step: BoxStep
    reason: Reason
    rollout: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a set on probation did between a start of the edge and the next."""

    cartons: int = 0
    errors: int = 0
    late: int = 0
    ran_us: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """`envelope` is the accepted assignment as it was signed: it is verified again at each start.
    `settled`: the change of `active.json` up to which every lane passed its probation.
    """

    floors: Floors = field(default_factory=Floors)
    envelope: str = ""
    etag: str = ""
    proven: dict[str, str] = field(default_factory=dict)
    """Digests that passed their golden frames on this box, with the version that proved them."""
    refused: dict[str, Refusal] = field(default_factory=dict)
    settled: int = 0
    watched: dict[str, dict[str, Seen]] = field(default_factory=dict)
    """Of lanes on probation, by boot of the edge."""
    late_before: dict[str, float] = field(default_factory=dict)
    """Of lanes on probation: the share of late cartons under the set before."""


def read_state(files: Files) -> State:
    """An empty one where there is none yet, or nothing can be read: the floors of the image plane
    stand in files of their own.
    """
    try:
        return msgspec.json.decode(files.read(STATE), type=State)
    except (FileNotFoundError, msgspec.MsgspecError):
        return State()


def write_state(files: Files, state: State) -> None:
    write_whole(files, STATE, msgspec.json.encode(state))
