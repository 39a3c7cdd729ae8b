"""What became of each load that was to be brought somewhere: the list of journeys, and one whole.

The record behind the fleet view: when it was asked for, who had it, each step once, what was
written down about it, the tickets and holds that concern its goods.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from contracts.errors import NotFoundError
from contracts.reason import Reason
from contracts.stock import (
    BatchEvent,
    Hold,
    Ticket,
    TransportKind,
    TransportOrder,
    TransportState,
)
from erp_link.adapters import tables as t
from erp_link.adapters.alarm_tables import excursion_batch
from erp_link.domain.places import PlaceKind
from erp_link.service.holding import read_holds
from erp_link.service.lists import Window
from erp_link.service.store import Store
from erp_link.service.ticketing import read_tickets
from erp_link.service.work import key_of

_MOST_WORDS = 8
_MOST_NOTES = 200
_MOST_TICKETS = 50
_MOST_SLOTS = 2_000


@dataclass(frozen=True, slots=True)
class JourneyLine:
    """One transport order in the list."""

    order: TransportOrder
    state: TransportState
    vehicle: str
    requested_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """One step as it was booked, once for each try."""

    state: TransportState
    vehicle: str
    at: datetime


@dataclass(frozen=True, slots=True)
class JourneyFacts:
    """All that the core knows of one journey."""

    line: JourneyLine
    stop: Reason | None
    """Why it was called off while a vehicle had it."""
    told: tuple[Told, ...]
    notes: tuple[BatchEvent, ...]
    """What the history of the goods says of it, oldest first."""
    tickets: tuple[Ticket, ...]
    """About its load, the newest first."""
    holds: tuple[Hold, ...]
    """On its batch: the open ones first."""
    excursions: tuple[str, ...]
    """Ids of what its batch went through."""


class Journeys:
    """Questions only. Methods block."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def listed(
        self, typed: str, *, states: Collection[TransportState], skip: int, most: int
    ) -> Window[JourneyLine]:
        """The newest first; every word typed occurs in one of order, load, places, vehicle, lot.

        states: only these; empty: all.
        """
        wanted = _lines().where(*_words(typed))
        if states:
            wanted = wanted.where(t.transport.c.state.in_(sorted(s.value for s in states)))

        def ask(connection: Connection) -> Window[JourneyLine]:
            rows = connection.execute(
                wanted.order_by(t.transport.c.id.desc()).offset(skip).limit(most)
            )
            found = select(func.count()).select_from(wanted.subquery())
            every = select(func.count()).select_from(t.transport)
            return Window(
                [_line(row) for row in rows],
                int(connection.execute(found).scalar_one()),
                int(connection.execute(every).scalar_one()),
            )

        return self._core.read(ask)

    def slots(self) -> list[str]:
        """Codes of the planned slots, at most 2,000."""
        codes = (
            select(t.location.c.code)
            .where(t.location.c.kind == PlaceKind.SLOT.value)
            .order_by(t.location.c.position, t.location.c.code)
            .limit(_MOST_SLOTS)
        )
        return self._core.read(lambda c: list(c.execute(codes).scalars()))

    def line(self, order_id: str) -> JourneyLine:
        """One line of the list. Raises NotFoundError."""
        return self._core.read(lambda c: _line(_find(c, order_id)))

    def one(self, order_id: str) -> JourneyFacts:
        """Raises NotFoundError."""

        def ask(connection: Connection) -> JourneyFacts:
            row = _find(connection, order_id)
            notes = _notes(connection, row)
            return JourneyFacts(
                _line(row),
                Reason(row.stop_code, row.stop_params or {}) if row.stop_code else None,
                _told(connection, row, notes),
                notes,
                _tickets(connection, row),
                _holds(connection, row),
                _excursions(connection, row),
            )

        return self._core.read(ask)


def _lines() -> Any:
    return select(t.transport, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot).join(
        t.batch, t.batch.c.id == t.transport.c.batch_id, isouter=True
    )


def _find(connection: Connection, order_id: str) -> Row[Any]:
    found = connection.execute(_lines().where(t.transport.c.order_id == order_id)).one_or_none()
    if found is None:
        raise NotFoundError(
            f"No transport order {order_id}",
            mend="Look it up in the list of journeys",
            order=order_id,
        )
    row: Row[Any] = found
    return row


def _words(typed: str) -> list[ColumnElement[bool]]:
    order = t.transport.c
    columns = (
        order.order_id,
        order.load_id,
        order.source,
        order.target,
        order.vehicle,
        order.kind,
        t.batch.c.lot,
        t.batch.c.gtin,
    )
    return [
        or_(*(func.lower(column).contains(word, autoescape=True) for column in columns))
        for word in typed.casefold().split()[:_MOST_WORDS]
    ]


def _line(row: Row[Any]) -> JourneyLine:
    order = TransportOrder(
        row.order_id,
        row.load_id,
        row.source,
        row.target,
        key_of(row) if row.batch_id is not None else None,
        kind=TransportKind(row.kind),
        on_board=row.on_board,
        requested_at=row.requested_at,
    )
    return JourneyLine(
        order, TransportState(row.state), row.vehicle or "", row.requested_at, row.sent_at
    )


def _told(connection: Connection, row: Row[Any], notes: Collection[BatchEvent]) -> tuple[Told, ...]:
    """By vehicle and order, as the table's key goes: every vehicle that had it stands in a note."""
    named = {str(note.text.params.get("vehicle", "")) for note in notes}
    rows = connection.execute(
        select(t.progress).where(
            t.progress.c.vehicle.in_(sorted({row.vehicle or "", *named})),
            t.progress.c.order_id == row.order_id,
        )
    )
    steps = [Told(TransportState(row.action.split("/")[-2]), row.vehicle, row.at) for row in rows]
    return tuple(sorted(steps, key=lambda each: (each.at, each.vehicle)))


def _notes(connection: Connection, row: Row[Any]) -> tuple[BatchEvent, ...]:
    """By batch where it has one, else by time: both have an index, the reference has none."""
    event = t.event.c
    near = event.batch_id == row.batch_id if row.batch_id else event.at >= row.requested_at
    found = connection.execute(
        select(t.event)
        .where(near, event.reference == row.order_id)
        .order_by(event.id)
        .limit(_MOST_NOTES)
    )
    return tuple(
        BatchEvent(each.at, each.what, each.by, Reason(each.code, each.params), each.reference)
        for each in found
    )


def _tickets(connection: Connection, row: Row[Any]) -> tuple[Ticket, ...]:
    ids = connection.execute(
        select(t.ticket.c.ticket_id)
        .where(
            or_(
                t.ticket.c.carton_id == row.load_id,
                t.ticket.c.ticket_id.in_(
                    [f"QC-{row.order_id}-{what}" for what in ("failed", "load", "recall")]
                ),
            )
        )
        .order_by(t.ticket.c.opened_at.desc())
        .limit(_MOST_TICKETS)
    ).scalars()
    found = read_tickets(connection, only=list(ids))
    return tuple(sorted(found, key=lambda each: each.opened_at, reverse=True))


def _holds(connection: Connection, row: Row[Any]) -> tuple[Hold, ...]:
    if row.batch_id is None:
        return ()
    only = t.hold.c.batch_id == row.batch_id
    found = read_holds(connection, open_only=False, only=only)
    newest = sorted(found, key=lambda each: each.raised_at, reverse=True)
    return tuple(sorted(newest, key=lambda each: not each.is_open))


def _excursions(connection: Connection, row: Row[Any]) -> tuple[str, ...]:
    if row.batch_id is None:
        return ()
    return tuple(
        connection.execute(
            select(excursion_batch.c.excursion_id)
            .where(excursion_batch.c.batch_id == row.batch_id)
            .order_by(excursion_batch.c.excursion_id)
        ).scalars()
    )
