"""Room on the disk for another set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from contracts.reason import Reason
from ota.agent.files import Files
from ota.agent.handover import Running
from ota.agent.sets.fetch import SetRefusedError
from ota.agent.sets.shelf import TRASH, Shelf, clear
from ota.agent.steps.deciding import View, wanted

_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Room:
    """In bytes: what held sets may weigh together, and what is left free for everybody else."""

    budget: int
    reserve: int


def spare(view: View, running: Running) -> list[str]:
    """Held sets that nothing needs: neither what runs, ran before, is beside or assigned, nor what
    an open batch is pinned to, as hub or edge know.
    """
    active, lanes = view.active, view.active.lanes.values()
    needed = {each.model_set for each in lanes} | {each.previous for each in lanes}
    needed |= {*active.keep, *(each.model_set for each in active.shadow)}
    needed |= {*running.open_pins, *(each.model_set for each in running.lanes.values())}
    if view.assignment is not None:
        needed |= {*view.assignment.keep} | {each for _, each in wanted(view, view.assignment)}
    return [each for each in sorted(view.held) if each not in needed]


def make_room(shelf: Shelf, files: Files, room: Room, missing: int, spare: Sequence[str]) -> None:
    """Take sets off the shelf that nothing needs, one after another, until `missing` bytes fit.

    Raises SetRefusedError where they do not fit without all of them.
    """
    steps: list[Callable[[], None]] = [partial(clear, files, TRASH)]
    steps += [partial(shelf.discard, each) for each in spare]
    for make in [*steps, None]:
        held = sum(map(shelf.weight, shelf.held()))
        if held + missing <= room.budget and files.free_bytes() - missing >= room.reserve:
            return
        if make is not None:
            make()
    reason = Reason("ota_no_room", {"needed_mb": missing // _MB + 1})
    raise SetRefusedError(reason, "There is no room for another set")
