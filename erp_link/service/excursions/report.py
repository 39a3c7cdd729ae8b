"""What an excursion report says: which batches, how long, how far, by which sensor, calibrated how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from contracts.errors import NotFoundError
from contracts.reason import Reason
from contracts.stock import BatchKey, UsageDecision
from contracts.telemetry import Calibration, TracePoint
from erp_link.adapters import tables as t
from erp_link.adapters.alarm_tables import alarm, excursion, excursion_batch
from erp_link.domain.excursions.exposure import Exposure, Span
from erp_link.domain.excursions.limits import Limits
from erp_link.service.excursions.alarms import AlarmRow, as_alarm
from erp_link.service.excursions.limit_rows import as_limits
from erp_link.service.excursions.measuring import OPEN
from erp_link.service.excursions.sources import alarms_of, read_traces
from erp_link.service.excursions.whereabouts import moment
from erp_link.service.goods.product_rows import read_products
from erp_link.service.work import key_of


class CalibrationState(StrEnum):
    UNTOLD = "untold"
    """Nobody wrote down when the sensor was calibrated."""
    GOOD = "good"
    OVERDUE = "overdue"
    """It was due before the excursion began."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """One batch of an excursion. `first` and `last` bound the time when it was there."""

    batch: BatchKey
    description: str
    expiry: date | None
    quantity: int
    """The most base units that were there at once; 0 where only a sensor of its own says it."""
    first: datetime | None
    last: datetime | None
    exposure: Exposure
    limits: Limits
    beyond: bool
    reason: Reason
    hold_id: str
    ticket_id: str
    decision: UsageDecision | None
    """Of quality, where its ticket is decided."""
    present: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ExcursionReport:
    """Everything that the core knows of one excursion; batches beyond their limits come first."""

    excursion_id: str
    open: bool
    alarm: AlarmRow
    begun: datetime
    ended: datetime
    opened_at: datetime
    closed_at: datetime | None
    measured_at: datetime
    calibration: CalibrationState
    batches: tuple[BatchReport, ...]
    trace: tuple[TracePoint, ...]
    others: tuple[AlarmRow, ...] = ()
    """Alarms of other sensors of the place that tell of the same."""

    @property
    def beyond(self) -> int:
        """Batches on hold, or that were."""
        return sum(each.beyond or bool(each.hold_id) for each in self.batches)

    @property
    def within(self) -> int:
        return len(self.batches) - self.beyond


@dataclass(frozen=True, slots=True)
class ExcursionLine:
    """One line of the list."""

    excursion_id: str
    open: bool
    alarm: AlarmRow
    begun: datetime
    ended: datetime
    beyond: int
    within: int
    calibration: CalibrationState


_WORST_FIRST = (CalibrationState.OVERDUE, CalibrationState.UNTOLD, CalibrationState.GOOD)


def calibration_state(calibration: Calibration, at: datetime, zone: tzinfo) -> CalibrationState:
    """How good the sensor's calibration was at that moment, by the site's calendar. A date that is
    none counts as untold.
    """
    try:
        due = date.fromisoformat(calibration.due_on)
    except ValueError:
        return CalibrationState.UNTOLD
    return CalibrationState.OVERDUE if due < at.astimezone(zone).date() else CalibrationState.GOOD


def read_report(connection: Connection, excursion_id: str, zone: tzinfo) -> ExcursionReport:
    """Raises NotFoundError."""
    row = connection.execute(
        select(excursion).where(excursion.c.excursion_id == excursion_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no excursion {excursion_id[:80]}",
            mend="Look in the list of excursions",
            excursion_id=excursion_id,
        )
    first = connection.execute(select(alarm).where(alarm.c.alarm_id == row.alarm_id)).one()
    told = alarms_of(connection, excursion_id, first)
    about, *others = map(as_alarm, told)
    states = {
        calibration_state(x.calibration, moment(row.begun_us), zone) for x in (about, *others)
    }
    batches = connection.execute(
        select(excursion_batch, t.batch, t.ticket.c.decision)
        .join(t.batch, t.batch.c.id == excursion_batch.c.batch_id)
        .join(t.ticket, t.ticket.c.ticket_id == excursion_batch.c.ticket_id, isouter=True)
        .where(excursion_batch.c.excursion_id == excursion_id)
    )
    rows = batches.all()
    known = read_products(connection, {each.gtin for each in rows})
    found = [_batch(each, known[each.gtin].name) for each in rows]
    found.sort(key=lambda b: (not b.beyond, not b.hold_id, -b.exposure.outside_s, b.batch))
    return ExcursionReport(
        excursion_id=excursion_id,
        open=row.state == OPEN,
        alarm=about,
        begun=moment(row.begun_us),
        ended=moment(row.ended_us),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        measured_at=row.measured_at,
        calibration=next(state for state in _WORST_FIRST if state in states),
        batches=tuple(found),
        trace=tuple(read_traces(connection, told)),
        others=tuple(others),
    )


def _batch(row: Row[Any], product: str) -> BatchReport:
    return BatchReport(
        batch=key_of(row),
        description=row.description or product,
        expiry=row.expiry,
        quantity=row.quantity,
        first=moment(row.present[0][0]) if row.present else None,
        last=moment(row.present[-1][1]) if row.present else None,
        exposure=as_exposure(row),
        limits=as_limits(row.limits),
        beyond=bool(row.beyond),
        reason=Reason(row.code, row.params),
        hold_id=row.hold_id,
        ticket_id=row.ticket_id,
        decision=UsageDecision(row.decision) if row.decision else None,
        present=tuple((begun, ended) for begun, ended in row.present),
    )


def as_exposure(row: Row[Any]) -> Exposure:
    """What a batch went through, as it was kept."""
    return Exposure(
        present_s=row.present_s,
        outside_s=row.outside_s,
        unmeasured_s=row.unmeasured_s,
        least=row.least,
        most=row.most,
        kinetic=row.kinetic,
        assumed_s=row.assumed_s,
        earlier_s=row.earlier_s,
    )
