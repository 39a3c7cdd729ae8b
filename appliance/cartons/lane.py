"""The lane output: tells the diverter where a carton goes, in time or not at all (I7).

A diverter acts when the carton reaches it, verdict or no verdict. So the station arms a deadline
when a carton leaves: where no verdict has been told by then, `review` is told, once, and a verdict
that comes later no longer changes the lane. Messages go out beside the judging: a broker that is
away delays no carton, and a lane that it did not take in time is dropped, not delivered to the
next carton.
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
_REVIEW_S: Final = 0.5
"""How long a review told at or after the deadline may take: it is what a diverter does unasked."""


@dataclass(slots=True)
class LaneCounts:
    """`late` verdicts turned into review; `unsent` messages the broker did not take in time."""

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
        self._sending: set[asyncio.Task[None]] = set()
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
        """Tell the diverter; answers the lane that is being told, without waiting for the broker.
        The deadline is the one `expect` set, else it counts from `opened_at`.
        """
        told = self._told.get(carton_id)
        if told is not None:
            if told != decision:
                log.warning("verdict after its lane", carton=carton_id, lane=told, verdict=decision)
            return told
        due = self._due.get(carton_id, opened_at + self._deadline)
        if self._clock.now() <= due:
            return self._tell(carton_id, decision, due)
        if decision is not Decision.REVIEW:
            self.counts.late += 1
        return self._tell(carton_id, Decision.REVIEW, due)

    async def close(self) -> None:
        """Stop the deadlines that still run, after what is being told was told or dropped."""
        for timer in tuple(self._timers):
            timer.cancel()
        await asyncio.gather(*self._timers, *self._sending, return_exceptions=True)

    async def _at_deadline(self, carton_id: str, due: datetime) -> None:
        while (left := (due - self._clock.now()).total_seconds()) > 0:
            if carton_id in self._told:
                return
            await asyncio.sleep(left)
        if carton_id not in self._told:
            self.counts.late += 1
            log.warning("no verdict in time", carton=carton_id)
            self._tell(carton_id, Decision.REVIEW, due)

    def _tell(self, carton_id: str, lane: Decision, due: datetime) -> str:
        # Remembered before it is sent: while the broker answers, nothing else may be told.
        self._told[carton_id] = lane.value
        _forget(self._told)
        within_s = (due - self._clock.now()).total_seconds()
        if lane is Decision.REVIEW:
            within_s = max(within_s, _REVIEW_S)
        sending = asyncio.create_task(
            self._send(carton_id, lane, within_s), name=f"lane of {carton_id}"
        )
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        return lane.value

    async def _send(self, carton_id: str, lane: Decision, within_s: float) -> None:
        message = {
            "carton_id": carton_id,
            "lane": lane.value,
            "station": self._station,
            "at": self._clock.now(),
        }
        try:
            async with asyncio.timeout(within_s):
                await self._bus.publish(self.topic, msgspec.json.encode(message), qos=1)
        except (UnavailableError, TimeoutError) as error:
            self.counts.unsent += 1
            why = str(error) or f"the broker did not take it within {within_s:.1f} s"
            log.warning("lane not told", carton=carton_id, lane=lane.value, why=why)
        else:
            self.counts.told += 1


def _forget(memory: OrderedDict[str, str] | OrderedDict[str, datetime]) -> None:
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
