"""The lane output: tells the diverter where a carton goes, in time or not at all (I7).

A diverter acts when the carton reaches it, verdict or no verdict. So the station arms a deadline
when a carton leaves: where no verdict has been told by then, `review` is told, once, and a verdict
that comes later no longer changes the lane.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from contracts.clock import Clock
from contracts.errors import UnavailableError
from contracts.ports import MessageBus
from contracts.verdict import Decision

log = structlog.get_logger()
_REMEMBERED: Final = 1000


@dataclass(slots=True)
class LaneCounts:
    """`late` verdicts turned into review; `unsent` messages the broker did not take."""

    told: int = 0
    late: int = 0
    unsent: int = 0


class LaneOutput:
    """Publishes on tallyman/<station>/lane, QoS 1. Implements appliance.station's `Lane`."""

    def __init__(
        self, bus: MessageBus, *, station: str, clock: Clock, deadline_ms: int = 600
    ) -> None:
        self._bus = bus
        self._station = station
        self._clock = clock
        self._deadline = timedelta(milliseconds=deadline_ms)
        self._told: OrderedDict[str, str] = OrderedDict()
        self._due: OrderedDict[str, datetime] = OrderedDict()
        self._timers: set[asyncio.Task[None]] = set()
        self.counts = LaneCounts()

    @property
    def topic(self) -> str:
        return f"tallyman/{self._station}/lane"

    def expect(self, carton_id: str, *, left_at: datetime) -> None:
        """A carton has left for the diverter: the deadline counts from now on."""
        due = left_at + self._deadline
        self._due[carton_id] = due
        _forget(self._due)
        timer = asyncio.create_task(self._at_deadline(carton_id, due), name=f"lane {carton_id}")
        self._timers.add(timer)
        timer.add_done_callback(self._timers.discard)

    async def publish(self, carton_id: str, decision: Decision, *, opened_at: datetime) -> str:
        """Tell the diverter; answers the lane that was told. The deadline is the one `expect`
        set, else it counts from `opened_at`.
        """
        told = self._told.get(carton_id)
        if told is not None:
            if told != decision:
                log.warning("verdict after its lane", carton=carton_id, lane=told, verdict=decision)
            return told
        due = self._due.get(carton_id, opened_at + self._deadline)
        if self._clock.now() <= due:
            return await self._tell(carton_id, decision)
        if decision is not Decision.REVIEW:
            self.counts.late += 1
        return await self._tell(carton_id, Decision.REVIEW)

    async def close(self) -> None:
        """Stop the deadlines that still run."""
        for timer in tuple(self._timers):
            timer.cancel()
        await asyncio.gather(*self._timers, return_exceptions=True)

    async def _at_deadline(self, carton_id: str, due: datetime) -> None:
        while (left := (due - self._clock.now()).total_seconds()) > 0:
            if carton_id in self._told:
                return
            await asyncio.sleep(left)
        if carton_id not in self._told:
            self.counts.late += 1
            log.warning("no verdict in time", carton=carton_id)
            await self._tell(carton_id, Decision.REVIEW)

    async def _tell(self, carton_id: str, lane: Decision) -> str:
        # Remembered before it is sent: while the broker answers, nothing else may be told.
        self._told[carton_id] = lane.value
        _forget(self._told)
        message = {
            "carton_id": carton_id,
            "lane": lane.value,
            "station": self._station,
            "at": self._clock.now(),
        }
        try:
            await self._bus.publish(self.topic, msgspec.json.encode(message), qos=1)
        except UnavailableError as error:
            self.counts.unsent += 1
            log.warning("lane not told", carton=carton_id, lane=lane.value, why=str(error))
        else:
            self.counts.told += 1
        return lane.value


def _forget(memory: OrderedDict[str, str] | OrderedDict[str, datetime]) -> None:
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
