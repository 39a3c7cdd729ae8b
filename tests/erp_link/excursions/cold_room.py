"""A gateway as the core hears it: a probe in a cold room whose fence is crossed and quiet again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from contracts.clock import FixedClock
from contracts.events import EventBody, JournalEntry
from contracts.telemetry import (
    AlarmChange,
    AlarmChanged,
    AlarmEffect,
    Calibration,
    SeriesKey,
    TracePoint,
)
from erp_link.service.core import Applied, Core
from tests.erp_link.story import Station

MINUTE_US = 60_000_000
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what concerns the rules and not the database."""
ROOM = "COLD"
CERTIFICATE = Calibration("CNAS-118", "2026-01-10", "2027-01-10", 0.2)


def micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000


def minutes_of(since_us: int, *celsius: float) -> tuple[TracePoint, ...]:
    """One point a minute from then on."""
    return tuple(
        TracePoint(since_us + at * MINUTE_US, each, each, each, 60)
        for at, each in enumerate(celsius)
    )


@dataclass
class Alarm:
    """One alarm of the gateway, told change by change."""

    gateway: Gateway
    since_us: int
    effect: AlarmEffect = AlarmEffect.EXCURSION
    place: str = ROOM
    kind: str = "above"
    alarm_id: str = "alarm-1"
    quantity: str = "temperature"
    unit: str = "Cel"
    limit: float | None = 8.0
    batch: str = ""
    product: str = ""
    calibration: Calibration = CERTIFICATE
    number: int = 0
    worst: float | None = None
    trace_to_us: int = 0
    told: list[AlarmChanged] = field(default_factory=list)

    def says(
        self,
        change: AlarmChange,
        *celsius: float,
        trace: Sequence[TracePoint] | None = None,
        at_us: int | None = None,
        severity: str = "warning",
    ) -> Applied:
        """The change, with the minutes since the one before, `celsius` each."""
        body = self.body(change, *celsius, trace=trace, at_us=at_us, severity=severity)
        return self.gateway.sends(body)

    def body(
        self,
        change: AlarmChange,
        *celsius: float,
        trace: Sequence[TracePoint] | None = None,
        at_us: int | None = None,
        severity: str = "warning",
    ) -> AlarmChanged:
        begun = self.trace_to_us or self.since_us
        points = minutes_of(begun, *celsius) if trace is None else tuple(trace)
        self.trace_to_us = begun + len(celsius) * MINUTE_US
        self.number += 1
        if celsius:
            self.worst = max(celsius if self.worst is None else (self.worst, *celsius))
        made = AlarmChanged(
            alarm_id=self.alarm_id,
            number=self.number,
            change=change,
            fence="cold-room",
            fence_version=3,
            fence_sha256="f" * 64,
            kind=self.kind,
            severity=severity,
            effect=self.effect,
            series=SeriesKey("probe-7", self.quantity),
            unit=self.unit,
            site="nanjing",
            place=self.place,
            since_us=self.since_us,
            at_us=self.trace_to_us if at_us is None else at_us,
            value=celsius[-1] if celsius else None,
            limit=self.limit,
            worst=self.worst,
            trace=points,
            calibration=self.calibration,
            batch=self.batch,
            product=self.product,
        )
        self.told.append(made)
        return made


@dataclass
class Gateway:
    """Signs and numbers what it tells, as `Station` does."""

    core: Core
    clock: FixedClock
    station: Station = field(init=False)

    def __post_init__(self) -> None:
        self.station = Station(self.core, self.clock, device="gateway-01", name="")

    def sends(self, body: EventBody) -> Applied:
        return self.station.sends(body)

    def entry(self, body: EventBody) -> JournalEntry:
        return self.station.entry(body)

    def alarm(self, since: datetime, **more: object) -> Alarm:
        return Alarm(self, micros(since), **more)
