"""The desk of alarms: what is going on in the building, who has seen it, and what was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select, update

from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.reason import Reason
from contracts.telemetry import AlarmChange, AlarmEffect, Calibration, SeriesKey, TracePoint
from erp_link.adapters.alarm_tables import alarm, alarm_change
from erp_link.service.excursions.intake import close_ticket
from erp_link.service.excursions.measuring import CLOSED, OPEN, measure
from erp_link.service.excursions.whereabouts import micros, moment
from erp_link.service.store import Store
from erp_link.service.work import Work

_LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm as it stands. `since` and `at` are the sensor's times, `heard_at` is the hub's."""

    alarm_id: str
    open: bool
    severity: str
    kind: str
    effect: AlarmEffect
    fence: str
    fence_version: int
    fence_sha256: str
    gateway: str
    series: SeriesKey
    unit: str
    site: str
    place: str
    since: datetime
    at: datetime
    since_us: int
    value: float | None
    limit: float | None
    worst: float | None
    escalated: int
    batch: str
    product: str
    calibration: Calibration
    ticket_id: str
    excursion_id: str
    heard_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    note: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change of an alarm, as its gateway told it."""

    number: int
    change: AlarmChange
    at: datetime
    value: float | None
    worst: float | None
    trace: tuple[TracePoint, ...]
    gateway: str
    seq: int
    """The gateway's journal entry that says so (I4)."""
    heard_at: datetime


class Alarms:
    """Ask for alarms, and say that one was seen."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def open(self) -> list[AlarmRow]:
        """What goes on now, critical first, then the newest."""
        query = select(alarm).where(alarm.c.state == OPEN)
        rows = self._core.read(lambda c: [as_alarm(row) for row in c.execute(query)])
        order = {"critical": 0, "warning": 1}
        return sorted(rows, key=lambda each: (order.get(each.severity, 2), -each.since_us))

    def history(self, *, before: tuple[int, str] | None = None, limit: int = 100) -> list[AlarmRow]:
        """Alarms that are over, newest first; those before (since_us, alarm_id)."""
        query = select(alarm).where(alarm.c.state == CLOSED)
        if before is not None:
            since, name = before
            query = query.where(
                or_(
                    alarm.c.since_us < since,
                    and_(alarm.c.since_us == since, alarm.c.alarm_id < name),
                )
            )
        query = query.order_by(alarm.c.since_us.desc(), alarm.c.alarm_id.desc()).limit(limit)
        return self._core.read(lambda c: [as_alarm(row) for row in c.execute(query)])

    def alarm(self, alarm_id: str) -> AlarmRow:
        """One alarm. Raises NotFoundError."""
        return self._core.read(lambda c: as_alarm(find_alarm(c, alarm_id)))

    def changes(self, alarm_id: str) -> list[ChangeRow]:
        """Everything that was told of one alarm, in its order. Raises NotFoundError."""

        def ask(connection: Connection) -> list[ChangeRow]:
            find_alarm(connection, alarm_id)
            rows = connection.execute(
                select(alarm_change)
                .where(alarm_change.c.alarm_id == alarm_id)
                .order_by(alarm_change.c.number)
            )
            return [
                ChangeRow(
                    row.number,
                    AlarmChange(row.change),
                    moment(row.at_us),
                    row.value,
                    row.worst,
                    tuple(TracePoint(*each) for each in row.trace),
                    row.gateway,
                    row.seq,
                    row.heard_at,
                )
                for row in rows
            ]

        return self._core.read(ask)

    def acknowledge(self, alarm_id: str, *, note: str, by: str, key: str | None = None) -> None:
        """Somebody has seen it and says what they make of it; the newest word stands, the history
        keeps them all. It goes on until the readings are quiet. Raises NotFoundError, BadInputError.
        """
        words = note.strip()
        if len(words) > _LONGEST_NOTE:
            raise BadInputError(
                f"A note of {len(words)} characters", mend=f"Write at most {_LONGEST_NOTE}"
            )

        def act(work: Work) -> None:
            find_alarm(work.connection, alarm_id)
            work.connection.execute(
                update(alarm)
                .where(alarm.c.alarm_id == alarm_id)
                .values(acknowledged_at=work.now, acknowledged_by=by, note=words)
            )
            values: dict[str, str | int | float] = {
                "alarm": alarm_id[:12],
                "who": by,
                "note": words or "–",
            }
            work.event("alarm", Reason("story_alarm_acknowledged", values), reference=alarm_id)

        body = {"alarm": alarm_id, "note": words}
        self._core.command("acknowledge_alarm", body, by=by, key=key, guards_of=None, act=act)

    def close(self, alarm_id: str, *, note: str, by: str, key: str | None = None) -> None:
        """A person looked and says that it is over, since its gateway is lost and tells nothing more.

        Until now it lasted: goods of an excursion are measured to this moment, and their holds stay.
        Should the gateway come back and tell more, what it tells counts again. Raises NotFoundError,
        ConflictError where it is over already, BadInputError without a note.
        """
        words = note.strip()
        if not 0 < len(words) <= _LONGEST_NOTE:
            raise BadInputError(
                "An alarm is closed with a word of what was found",
                mend=f"Write what you saw there, at most {_LONGEST_NOTE} characters",
            )

        def act(work: Work) -> None:
            row = find_alarm(work.connection, alarm_id)
            if row.state == CLOSED:
                raise ConflictError(
                    f"Alarm {alarm_id[:12]} is over already", mend="Look at it again"
                )
            work.connection.execute(
                update(alarm)
                .where(alarm.c.alarm_id == alarm_id)
                .values(
                    state=CLOSED,
                    at_us=max(row.at_us, micros(work.now)),
                    acknowledged_at=work.now,
                    acknowledged_by=by,
                    note=words,
                )
            )
            told = Reason("story_alarm_closed", {"alarm": alarm_id[:12], "who": by, "note": words})
            work.event("alarm", told, reference=alarm_id)
            work.tell("alarm", alarm_id, told)
            if row.ticket_id:
                close_ticket(work, row.ticket_id, words)
            if row.excursion_id:
                measure(work, row.excursion_id)

        body = {"alarm": alarm_id, "note": words, "closed": True}
        self._core.command("close_alarm", body, by=by, key=key, guards_of=None, act=act)


def find_alarm(connection: Connection, alarm_id: str) -> Row[Any]:
    """The row of an alarm. Raises NotFoundError."""
    row = connection.execute(select(alarm).where(alarm.c.alarm_id == alarm_id)).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no alarm {alarm_id[:80]}", mend="Look in the list", alarm_id=alarm_id
        )
    return row


def as_alarm(row: Row[Any]) -> AlarmRow:
    """A row of `alarm` as the desks give it out."""
    return AlarmRow(
        alarm_id=row.alarm_id,
        open=row.state == OPEN,
        severity=row.severity,
        kind=row.kind,
        effect=AlarmEffect(row.effect),
        fence=row.fence,
        fence_version=row.fence_version,
        fence_sha256=row.fence_sha256,
        gateway=row.gateway,
        series=SeriesKey(row.sensor, row.quantity, row.channel),
        unit=row.unit,
        site=row.site,
        place=row.place,
        since=moment(row.since_us),
        at=moment(row.at_us),
        since_us=row.since_us,
        value=row.value,
        limit=row.limit,
        worst=row.worst,
        escalated=row.escalated,
        batch=row.batch,
        product=row.product,
        calibration=as_calibration(row.calibration),
        ticket_id=row.ticket_id,
        excursion_id=row.excursion_id,
        heard_at=row.heard_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        note=row.note,
    )


def as_calibration(kept: Mapping[str, Any]) -> Calibration:
    """What was told of the sensor's calibration with the alarm."""
    return Calibration(**kept)
