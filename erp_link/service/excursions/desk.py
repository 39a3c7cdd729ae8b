"""The desk of excursions: their list, one report, what goods bear, and goods that were told late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, update

from contracts.errors import TallymanError
from contracts.stock import BatchKey
from erp_link.adapters import tables as t
from erp_link.adapters.alarm_tables import alarm, excursion, excursion_batch
from erp_link.domain.excursions.limits import Limits, checked
from erp_link.service.excursions.alarms import as_alarm
from erp_link.service.excursions.limit_rows import keep_limits, read_limits
from erp_link.service.excursions.measuring import OPEN, measure
from erp_link.service.excursions.report import (
    ExcursionLine,
    ExcursionReport,
    calibration_state,
    read_report,
)
from erp_link.service.excursions.whereabouts import micros, moment
from erp_link.service.quality.dossier import TemperatureSpan
from erp_link.service.store import Store
from erp_link.service.work import Work, find_batch

LATE = timedelta(days=30)
"""How long after its end an excursion is measured again when goods are told of late."""
_SETTLES = timedelta(minutes=10)
_ANEW = 5_000
"""Newest entries of the history that every look goes through again: on PostgreSQL one with a lower
number may have committed after a look.
"""
UNHEARD = timedelta(hours=2)
"""A gateway that says nothing for so long is away; what its open alarms do is not known."""
_UNHEARD_AT_MOST = timedelta(days=2)
"""A gateway that never comes back must not hold goods for ever."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """What a look did: excursions measured again, and those that could not be, with the error."""

    measured: tuple[str, ...] = ()
    failed: tuple[tuple[str, TallymanError], ...] = ()


class Excursions:
    """Ask for excursions and reports, set limits, measure again."""

    def __init__(self, core: Store) -> None:
        self._core = core
        self._looked_to: int | None = None
        """Entries of the history up to here were looked at by `tidy` of this object."""

    def excursions(
        self, *, open_only: bool = False, before: tuple[int, str] | None = None, limit: int = 100
    ) -> list[ExcursionLine]:
        """Newest first; those before (begun in microseconds, id)."""
        query = (
            select(
                excursion.c.state.label("stands"),
                excursion.c.begun_us,
                excursion.c.ended_us,
                alarm,
            )
            .join(alarm, alarm.c.alarm_id == excursion.c.alarm_id)
            .order_by(excursion.c.begun_us.desc(), excursion.c.excursion_id.desc())
            .limit(limit)
        )
        if open_only:
            query = query.where(excursion.c.state == OPEN)
        if before is not None:
            begun, name = before
            query = query.where(
                or_(
                    excursion.c.begun_us < begun,
                    and_(excursion.c.begun_us == begun, excursion.c.excursion_id < name),
                )
            )

        def ask(connection: Connection) -> list[ExcursionLine]:
            rows = connection.execute(query).all()
            counts = _counts(connection, [row.excursion_id for row in rows])
            lines = []
            for row in rows:
                about, begun = as_alarm(row), moment(row.begun_us)
                beyond, every = counts.get(row.excursion_id, (0, 0))
                lines.append(
                    ExcursionLine(
                        row.excursion_id,
                        row.stands == OPEN,
                        about,
                        begun,
                        moment(row.ended_us),
                        beyond,
                        every - beyond,
                        calibration_state(about.calibration, begun, self._core.zone),
                    )
                )
            return lines

        return self._core.read(ask)

    def report(self, excursion_id: str) -> ExcursionReport:
        """Everything about one excursion. Raises NotFoundError."""
        return self._core.read(lambda c: read_report(c, excursion_id, self._core.zone))

    def of_batch(
        self, batch: BatchKey, since: datetime, until: datetime
    ) -> Sequence[TemperatureSpan]:
        """What sensors measured of a batch in excursions (service/quality/dossier.Temperatures)."""

        def ask(connection: Connection) -> list[TemperatureSpan]:
            rows = connection.execute(
                select(excursion_batch, excursion.c.begun_us, excursion.c.ended_us, alarm.c.sensor)
                .join(excursion, excursion.c.excursion_id == excursion_batch.c.excursion_id)
                .join(alarm, alarm.c.alarm_id == excursion.c.alarm_id)
                .where(
                    excursion_batch.c.batch_id == find_batch(connection, batch).id,
                    excursion_batch.c.most.is_not(None),
                    alarm.c.quantity == "temperature",
                    excursion.c.ended_us >= micros(since),
                    excursion.c.begun_us <= micros(until),
                )
                .order_by(excursion.c.begun_us)
            )
            return [
                TemperatureSpan(
                    moment(row.present[0][0]),
                    moment(row.present[-1][1]),
                    row.sensor,
                    row.least,
                    row.most,
                    left_range=row.outside_s > 0,
                )
                for row in rows
            ]

        return self._core.read(ask)

    def limits(self) -> dict[str, Limits]:
        """What goods bear, by `class:<temperature>` and by GTIN where a product has its own."""
        return self._core.read(read_limits)

    def set_limits(
        self, subject: str, limits: Limits | None, *, by: str, key: str | None = None
    ) -> None:
        """For excursions measured from now on; None takes a product's or a class's own away.

        Raises BadInputError.
        """
        wanted = None if limits is None else checked(limits)
        body = {"subject": subject, "limits": None if wanted is None else asdict(wanted)}
        self._core.command(
            "set_excursion_limits",
            body,
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: keep_limits(work, subject, wanted),
        )

    def tidy(self, *, by: str) -> Tidied:
        """Measure again what goods were told of late for, each excursion in a transaction of its
        own: a device that was offline says now who was in the room then.
        """
        measured: list[str] = []
        failed: list[tuple[str, TallymanError]] = []
        for excursion_id in self._core.read(self._due):
            try:
                self._core.write(partial(_again, excursion_id=excursion_id), by=by)
                measured.append(excursion_id)
            except TallymanError as error:
                failed.append((excursion_id, error))
                # What it was due for may not be among the newest the next time.
                self._looked_to = None
        return Tidied(tuple(measured), tuple(failed))

    def _due(self, connection: Connection) -> list[str]:
        now = self._core.clock.now()
        rows = connection.execute(
            select(excursion).where(
                (excursion.c.state == OPEN) | (excursion.c.ended_us >= micros(now - LATE))
            )
        ).all()
        moves = self._new_moves(connection)
        due = []
        for row in rows:
            if _unheard_until(connection, row, now) > row.ended_us + _SETTLES // timedelta(
                microseconds=1
            ):
                due.append(row.excursion_id)
                continue
            settles = row.closed_at is not None and not row.settled
            if settles and now - row.closed_at >= _SETTLES:
                due.append(row.excursion_id)
                continue
            if row.measured_event == 0 or _moved(connection, row, moves):
                due.append(row.excursion_id)
        return due

    def _new_moves(self, connection: Connection) -> list[tuple[int, datetime]] | None:
        """Number and time of the moves since the last look, and of some before it; None for a first
        look, which asks for each excursion by itself.
        """
        newest = connection.execute(select(func.max(t.event.c.id))).scalar_one() or 0
        looked, self._looked_to = self._looked_to, newest
        if looked is None:
            return None
        rows = connection.execute(
            select(t.event.c.id, t.event.c.at)
            .join(t.move_line, t.move_line.c.event_id == t.event.c.id)
            .where(t.event.c.id > looked - _ANEW)
            .distinct()
        )
        return [(number, at) for number, at in rows]


def _moved(
    connection: Connection, row: Row[Any], moves: Sequence[tuple[int, datetime]] | None
) -> bool:
    """Whether a move was booked since the measuring that was before the excursion's end: also of
    goods that came before it began, and of which a device tells only now.
    """
    until = moment(row.ended_us)
    if moves is not None:
        return any(number > row.measured_event and at <= until for number, at in moves)
    newer = (
        select(t.event.c.id)
        .join(t.move_line, t.move_line.c.event_id == t.event.c.id)
        .where(t.event.c.at <= until, t.event.c.id > row.measured_event)
    )
    return connection.execute(newer.limit(1)).first() is not None


def _again(work: Work, *, excursion_id: str) -> None:
    row = work.connection.execute(
        select(excursion).where(excursion.c.excursion_id == excursion_id)
    ).one()
    measure(work, excursion_id, until_us=_unheard_until(work.connection, row, work.now))
    # On PostgreSQL a move with a lower number may have committed after the measuring: one more
    # look when every transaction of that time is over.
    if row.closed_at is not None and work.now - row.closed_at >= _SETTLES:
        work.connection.execute(
            update(excursion).where(excursion.c.excursion_id == excursion_id).values(settled=1)
        )


def _unheard_until(connection: Connection, row: Row[Any], now: datetime) -> int:
    """Until when an alarm goes on that its gateway, which is away, cannot tell of; 0 where it can.

    Goods that stand in a room in alarm are not shipped because nobody measures any more: that time
    counts as unmeasured until the gateway comes back and says what it was (I7).
    """
    if row.state != OPEN:
        return 0
    told = connection.execute(
        select(alarm.c.at_us, t.device.c.seen_at)
        .join(t.device, t.device.c.device == alarm.c.gateway)
        .where(alarm.c.alarm_id == row.alarm_id)
    ).one_or_none()
    if told is None or told.seen_at is None or now - told.seen_at < UNHEARD:
        return 0
    since = moment(told.at_us)
    return 0 if now - since < UNHEARD else micros(min(now, since + _UNHEARD_AT_MOST))


def _counts(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Batches beyond, and all, by excursion."""
    out = (excursion_batch.c.beyond == 1) | (excursion_batch.c.hold_id != "")
    rows = connection.execute(
        select(
            excursion_batch.c.excursion_id,
            func.count().filter(out).label("beyond"),
            func.count().label("every"),
        )
        .where(excursion_batch.c.excursion_id.in_(ids))
        .group_by(excursion_batch.c.excursion_id)
    )
    return {row.excursion_id: (row.beyond, row.every) for row in rows}
