"""The hub's side of updates in few words: cell by cell, behind the real barrier, and back again.

Three ways of going about it, as they are found in the field: box by box as each is ready (rolling),
everywhere once everybody holds it, and cell by cell behind a barrier (gray). Only the last is ours;
the others show what the pins alone bear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from appliance.bench.rollout.world.agenda import HOUR_US, MINUTE_US, Agenda
from appliance.bench.rollout.world.box import Orders, Said
from appliance.bench.rollout.world.core import VirtualCore
from ota.judging.barrier import BoxInCell, barrier

LIVE_US = 25 * MINUTE_US
"""A box that was not heard for so long is away: no cell waits for it."""


class Way(StrEnum):
    """How an update goes through the fleet."""

    ROLLING = "rolling"
    """A box runs what it holds, as soon as it holds it."""
    GRAY = "gray"
    """Cell by cell, each behind its barrier."""


class Conductor:
    """`cells`: stations by cell. `use`: what the rolled-out set is used for."""

    def __init__(
        self,
        cells: Mapping[str, Sequence[str]],
        *,
        core: VirtualCore,
        agenda: Agenda,
        use: str,
        installed: str,
        way: Way = Way.GRAY,
    ) -> None:
        self._cells = {cell: tuple(boxes) for cell, boxes in cells.items()}
        self._cell_of = {box: cell for cell, boxes in cells.items() for box in boxes}
        self._core, self._agenda, self._use, self._way = core, agenda, use, way
        self._runs = dict.fromkeys(self._cells, installed)
        self._before = dict(self._runs)
        self._candidate = ""
        self._staging: set[str] = set()
        self._said: dict[str, Said] = {}

    def roll_out(self, candidate: str, order: Iterable[str], *, cell_every_us: int) -> None:
        """Begin with the first cell of `order`, and with another one each so often. A cell that is
        not through with the candidate before goes on to this one.
        """
        self._candidate = candidate
        self._staging.clear()
        for number, cell in enumerate(order):
            at_us = self._agenda.now_us + number * cell_every_us
            self._agenda.at(at_us, lambda cell=cell: self._stage(cell, candidate))  # type: ignore[misc]  # bound now

    def take_back(self, bad: str) -> None:
        """Every cell back to the set before, and what the bad one judged is judged again."""
        if self._candidate == bad:
            self._candidate = ""
            self._staging.clear()
        for cell, before in self._before.items():
            if self._runs[cell] == bad:
                self._runs[cell] = before
        self._again(bad)
        # A box that was away goes on with the bad set for hours: what it begins meanwhile follows.
        for hours in (6, 24, 72):
            self._agenda.after(hours * HOUR_US, lambda: self._again(bad))

    def poll(self, said: Said) -> Orders:
        """What a box is to do."""
        known = self._said.get(said.box)
        if known is None or known.at_us <= said.at_us:
            self._said[said.box] = said
        cell = self._cell_of[said.box]
        keep = frozenset(self._core.pinned_sets(said.box))
        if cell in self._staging and self._open(cell):
            self._staging.discard(cell)
            self._before[cell], self._runs[cell] = self._runs[cell], self._candidate
        stage = self._candidate if cell in self._staging else ""
        return Orders(stage, {self._use: self._runs[cell]}, keep)

    def _stage(self, cell: str, candidate: str) -> None:
        if candidate == self._candidate:
            self._staging.add(cell)

    def _open(self, cell: str) -> bool:
        if self._way is Way.ROLLING:
            return True
        return barrier(self._in_cell(cell), [self._candidate]).is_open

    def _in_cell(self, cell: str) -> Iterable[BoxInCell]:
        for box in self._cells[cell]:
            said = self._said.get(box)
            live = said is not None and self._agenda.now_us - said.at_us <= LIVE_US
            yield BoxInCell(box, live, said.staged if said else frozenset())

    def _again(self, bad: str) -> None:
        """A batch goes on under what the cell runs in which it began."""
        self._core.open_generations(bad, lambda cell: self._runs[cell], why="taken back")
