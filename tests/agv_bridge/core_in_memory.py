"""A stock core of one warehouse in memory: contracts.ports.StockMoves for the bridge's stories."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

from contracts.errors import ConflictError, HeldError, NotFoundError, UnavailableError
from contracts.stock import OpenTransport, TransportOrder, TransportProgress, TransportState

_RANK = [
    TransportState.REQUESTED,
    TransportState.SENT,
    TransportState.ACCEPTED,
    TransportState.PICKED,
    TransportState.DROPPED,
]
_ENDS = (TransportState.FAILED, TransportState.CANCELLED)

_DONE = frozenset({TransportState.ACCEPTED, TransportState.PICKED, TransportState.DROPPED})


@dataclass
class Line:
    order: TransportOrder
    state: TransportState = TransportState.REQUESTED
    vehicle: str = ""
    reason: str = ""
    sent_before: tuple[str, ...] = ()
    """Vehicles that had it before the story begins."""


@dataclass
class CoreInMemory:
    lines: dict[str, Line] = field(default_factory=dict)
    told: list[TransportProgress] = field(default_factory=list)
    put_aways: list[tuple[str, str]] = field(default_factory=list)
    """(load, location): one entry for each move booked."""
    mismatches: list[tuple[str, str]] = field(default_factory=list)
    away: bool = False
    held: set[str] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _booked: set[tuple[str, str]] = field(default_factory=set)
    _sent: set[tuple[str, str]] = field(default_factory=set)
    strangers: list[tuple[str, str]] = field(default_factory=list)
    """(order, vehicle) of vehicles that claimed an order which they never had."""

    def request(self, order_id: str, *, load: str = "", to: str = "slot-1") -> TransportOrder:
        order = TransportOrder(order_id, load or f"sscc-{order_id}", "station-1", to)
        self.lines[order_id] = Line(order)
        return order

    async def pending_transport(self):
        self._answer()
        return [
            line.order
            for line in self.lines.values()
            if line.state is TransportState.REQUESTED and line.order.order_id not in self.held
        ]

    async def open_transport(self):
        self._answer()
        sent = {
            TransportState.SENT,
            TransportState.ACCEPTED,
            TransportState.PICKED,
            TransportState.FAILED,
        }
        return [self._known(line) for line in self.lines.values() if line.state in sent]

    async def find_transport(self, order_id: str):
        self._answer()
        line = self.lines.get(order_id)
        return None if line is None else self._known(line)

    def _known(self, line: Line) -> OpenTransport:
        since = datetime(2026, 1, 1, tzinfo=UTC)
        return OpenTransport(line.order, line.vehicle, line.state, since)

    async def was_sent(self, order_id: str, vehicle: str) -> bool:
        self._answer()
        before = self.lines[order_id].sent_before if order_id in self.lines else ()
        return (order_id, vehicle) in self._sent or vehicle in before

    async def transport_progress(self, progress: TransportProgress) -> None:
        self._answer()
        self._changed.set()
        line = self.lines.get(progress.order_id)
        key = (progress.order_id, progress.vehicle)
        if progress.state is TransportState.SENT:
            self._may_be_sent(line, progress)
            self._sent.add(key)
        if line is None:
            return
        if progress.state in _DONE and not await self.was_sent(*key):
            self.strangers.append(key)
            return
        self.told.append(progress)
        self._book(line, progress)

    def _may_be_sent(self, line: Line | None, progress: TransportProgress) -> None:
        if line is None:
            raise NotFoundError(f"no transport order {progress.order_id}")
        if progress.order_id in self.held:
            raise HeldError("held meanwhile")
        again = line.state is TransportState.SENT and line.vehicle == progress.vehicle
        if line.state is not TransportState.REQUESTED and not again:
            raise ConflictError(f"{progress.order_id} is {line.state}")

    def _book(self, line: Line, progress: TransportProgress) -> None:
        if progress.load_id not in {None, line.order.load_id}:
            self.mismatches.append((progress.order_id, str(progress.load_id)))
        key = (progress.order_id, progress.action_id)
        if progress.state is TransportState.DROPPED and key not in self._booked:
            self._booked.add(key)
            self.put_aways.append((line.order.load_id, progress.location))
        done = line.state is TransportState.DROPPED
        picked = line.state is TransportState.PICKED
        if progress.state is TransportState.REQUESTED:
            if not (done or picked):
                line.state, line.vehicle, line.reason = progress.state, "", progress.reason
        elif progress.state in _ENDS:
            if not done and line.state not in _ENDS:
                line.state, line.reason = progress.state, progress.reason
        elif line.state in _ENDS:
            if progress.state is TransportState.DROPPED:
                line.state, line.vehicle = progress.state, progress.vehicle
        elif _RANK.index(progress.state) > _RANK.index(line.state):
            line.state, line.vehicle = progress.state, progress.vehicle

    def _answer(self) -> None:
        if self.away:
            raise UnavailableError("the core is away")

    def state(self, order_id: str) -> TransportState:
        return self.lines[order_id].state

    async def until(self, order_id: str, *states: TransportState, wait_s: float = 30.0) -> None:
        """Wait until an order reached one of the states."""
        async with asyncio.timeout(wait_s):
            while self.state(order_id) not in states:
                self._changed.clear()
                await self._changed.wait()

    async def until_told(self, reason: str, *, wait_s: float = 30.0) -> TransportProgress:
        async with asyncio.timeout(wait_s):
            while True:
                for progress in self.told:
                    if progress.reason == reason:
                        return progress
                self._changed.clear()
                await self._changed.wait()
