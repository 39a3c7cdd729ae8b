"""The fleet as the hub sees it now: fed by the bridge, by what vehicles show of themselves, and by
what the core is told of their journeys.

Nothing here decides: the bridge works the same without it. Positions are taken at most five times
a second from each vehicle, whatever it sends.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from agv_bridge.fleet.board import FleetBoard, FleetRow
from agv_bridge.fleet.places import PlaceAt
from agv_bridge.missions.identity import named_otherwise
from agv_bridge.missions.snapshots import MissionSnapshot
from agv_bridge.missions.vehicles import VehicleSnapshot
from agv_bridge.vda5050.codec import Received, decode
from agv_bridge.vda5050.topics import FACTSHEET, VISUALIZATION, filters, parse_topic
from appliance.fleet.given import read_given
from appliance.fleet.notebook import KEPT, Notebook
from contracts.clock import Clock
from contracts.errors import BadInputError
from contracts.ports import BusMessage, MessageBus
from contracts.stock import TransportProgress

_log = structlog.get_logger(__name__)

FILTERS: Final = filters(VISUALIZATION, FACTSHEET)
_WRITE_EVERY_S: Final = 1.0
_TIDY_EVERY: Final = 3600
_MOST_WAITING: Final = 100_000
_FRESH: Final = timedelta(milliseconds=300)


class Bridge(Protocol):
    """What the view asks of agv_bridge.bridge.bridge.AgvBridge."""

    def vehicles(self) -> Sequence[VehicleSnapshot]: ...

    def missions(self) -> Sequence[MissionSnapshot]: ...


class FleetWatch:
    """Give `heard` to the bridge and `told` to its stock moves, then `follow` the bridge, and run.

    bus None: only what the bridge hears. given: the site's own file of places, read anew when it
    changes.
    """

    def __init__(
        self, bus: MessageBus | None, notebook: Notebook, *, clock: Clock, given: Path | None = None
    ) -> None:
        self._bus = bus
        self._notebook = notebook
        self._clock = clock
        self._bridge: Bridge | None = None
        self._told: deque[TransportProgress] = deque(maxlen=_MOST_WAITING)
        self._unwritten: tuple[PlaceAt, ...] = ()
        self._rows: tuple[FleetRow, ...] = ()
        self._rows_at = clock.now() - _FRESH
        self.board = FleetBoard(notebook.places())
        self._given = given
        self._given_stamp: tuple[int, int] | None = None
        self.trouble: BadInputError | None = None
        """What is wrong with the site's file of places; what it said before stays."""
        self._read_given()
        self.unreadable = 0
        """Messages of vehicles for the eye only that could not be read."""

    def follow(self, bridge: Bridge) -> None:
        """Whose vehicles and missions are shown."""
        self._bridge = bridge

    def heard(self, received: Received) -> None:
        """A message that the bridge took in."""
        self.board.hear(received.address.vehicle, received.message, at=self._clock.now())

    def told(self, progress: TransportProgress) -> None:
        """A step that the core took in."""
        self._told.append(progress)

    def rows(self) -> tuple[FleetRow, ...]:
        """The fleet by name; worked out at most three times a second, however many look."""
        now = self._clock.now()
        if self._bridge is not None and not timedelta() <= now - self._rows_at < _FRESH:
            self._rows, self._rows_at = self.board.rows(self._bridge.vehicles()), now
        return self._rows

    def missions(self) -> Sequence[MissionSnapshot]:
        """Every transport order that is not done, oldest first."""
        return self._bridge.missions() if self._bridge is not None else ()

    async def run(self) -> None:
        """Until cancelled. What cannot be read or written is logged, and never stops the rest."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep())
            if self._bus is not None:
                tasks.create_task(self._listen(self._bus))

    async def _listen(self, bus: MessageBus) -> None:
        async with bus.subscribe(*FILTERS, qos=0) as messages:
            async for message in messages:
                self._see(message)

    def _see(self, message: BusMessage) -> None:
        parsed = parse_topic(message.topic)
        if parsed is None:
            return
        (address, name), now = parsed, self._clock.now()
        if name == VISUALIZATION and self.board.too_soon(address.vehicle, at=now):
            return
        try:
            received = decode(message.topic, message.payload)
        except BadInputError as error:
            self.unreadable += 1
            _log.warning("agv_view_unreadable", topic=message.topic, error=str(error))
            return
        if received is not None and named_otherwise(received) is None:
            self.board.hear(address.vehicle, received.message, at=now)

    async def _keep(self) -> None:
        rounds = 0
        try:
            while True:
                await self._write()
                self._read_given()
                if rounds % _TIDY_EVERY == 0:
                    await asyncio.to_thread(self._notebook.forget, self._clock.now() - KEPT)
                rounds += 1
                await asyncio.sleep(_WRITE_EVERY_S)
        finally:
            with suppress(Exception):
                last = (*self._unwritten, *self.board.take_changed())
                self._notebook.keep(last, self._take_told())

    def _read_given(self) -> None:
        """Read the site's places where the file is not the one that was read last."""
        if self._given is None:
            return
        try:
            known = self._given.stat()
            stamp = (known.st_mtime_ns, known.st_size)
        except OSError:
            stamp = (0, 0)
        if stamp == self._given_stamp:
            return
        self._given_stamp = stamp
        try:
            self.board.give(read_given(self._given))
            self.trouble = None
        except BadInputError as error:
            self.trouble = error
            _log.warning("agv_places_not_read", error=str(error))

    async def _write(self) -> None:
        places, told = (*self._unwritten, *self.board.take_changed()), self._take_told()
        self._unwritten = ()
        try:
            await asyncio.to_thread(self._notebook.keep, places, told)
        except Exception:  # noqa: BLE001 -- a full disk must not end the view; the core has the record
            _log.warning("agv_notebook_not_written", places=len(places), exc_info=True)
            self._unwritten = places[-_MOST_WAITING:]
            self._told.extendleft(reversed(told))

    def _take_told(self) -> list[TransportProgress]:
        told = list(self._told)
        self._told.clear()
        return told
