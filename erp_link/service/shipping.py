"""Goods issue, the only way out of the building: many of them in one transaction (I1).

Each is asked by itself and answered by itself. A refused one costs the others nothing: the predicate
is asked for each before anything is written.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, or_, select, update

from contracts.errors import ConflictError, NotFoundError, TallymanError
from contracts.reason import Reason
from contracts.stock import StockStatus
from erp_link.adapters import ledger
from erp_link.adapters import tables as t
from erp_link.adapters.bulk import among, has_arrays, inserting, numbering, numbers_of
from erp_link.adapters.guards import Guard
from erp_link.adapters.order_tables import packed
from erp_link.adapters.trips import Asked, ask_all
from erp_link.domain.moves import Line, Place, transfer
from erp_link.domain.places import CUSTOMER_ACCOUNT, STAGING
from erp_link.domain.receiving import CartonState, Cause
from erp_link.service.apart import NAMING
from erp_link.service.booking import PICKED, SHIPPED
from erp_link.service.commands import relocate_cartons
from erp_link.service.leave import check_leaving, check_named
from erp_link.service.store import digest_of, first_outcome
from erp_link.service.work import Work, batch_guards, location_guard

STAGED = Place(STAGING, StockStatus.IN_TRANSIT)
GONE = Place(CUSTOMER_ACCOUNT, StockStatus.IN_TRANSIT)
Outcome = TallymanError | None
"""Why a goods issue was refused; None where the goods have left."""


@dataclass(frozen=True, slots=True)
class GoodsIssue:
    """Somebody asks that the picked goods of a reservation leave. `key` makes it idempotent."""

    reservation_id: int
    by: str
    key: str | None = None

    @property
    def digest(self) -> str:
        return digest_of("ship", {"reservation": self.reservation_id})


def ship(work: Work, asked: Sequence[GoodsIssue]) -> list[Outcome]:
    """Take the guards, and book those goods issues that may be, as `leave` does."""
    work.take(guards_of(work.connection, [each.reservation_id for each in asked]))
    return leave(work, asked)


def leave(work: Work, asked: Sequence[GoodsIssue]) -> list[Outcome]:
    """Book those goods issues that may be, and pass over the others; one outcome for each, in their order.

    The caller has taken the guards. No two of `asked` may name one reservation or one key.
    """
    floor = _look(work, asked)
    rows = floor.rows
    loose = _loose(work.connection, rows.values())
    outcomes: list[Outcome] = []
    leaving: list[tuple[GoodsIssue, Row[Any]]] = []
    taken: dict[int, int] = {}
    for each in asked:
        try:
            if not _is_repeated(work.connection, each, floor.answered):
                row = _may_leave(work, each, rows, taken, floor.named)
                _check_packed(row, loose)
                leaving.append((each, row))
                taken[row.batch_id] = taken.get(row.batch_id, 0) + row.quantity
            outcomes.append(None)
        except TallymanError as refused:
            outcomes.append(refused)
    if leaving:
        _book(work, leaving, floor)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Floor:
    """What a group stands on, read under its guards once its reservations were locked.

    `answered` are the keys that came before: a goods issue with the same key elsewhere has then
    ended. `named` are the batches of which cartons are held by name or wait for their judge, `in_cartons` those of which
    cartons stand in staging. `events` are numbers for the history, one for each goods issue.
    """

    rows: dict[int, Row[Any]]
    answered: frozenset[str]
    named: frozenset[int]
    in_cartons: frozenset[int]
    events: list[int]


def _look(work: Work, asked: Sequence[GoodsIssue]) -> _Floor:
    """Each question after the locks of the first, all in one trip."""
    ask = _statements(work.connection)
    ids = {"ids": [each.reservation_id for each in asked]}
    reservations, batches, numbers, keys = ask_all(
        work.connection,
        [
            (ask.reservations, ids),
            (ask.batches, ids),
            numbering(work.connection, t.event, len(asked)),
            (ask.keys, {"ids": [each.key for each in asked if each.key is not None]}),
        ],
    )
    for batch in batches.rows:
        work.known[batch.id] = batch
    return _Floor(
        rows={row.id: row for row in reservations.rows},
        answered=frozenset(row.key for row in keys.rows),
        named=frozenset(row.id for row in batches.rows if row.named),
        in_cartons=frozenset(row.id for row in batches.rows if row.in_cartons),
        events=numbers_of(work.connection, numbers.rows, len(asked)),
    )


def _may_leave(
    work: Work,
    asked: GoodsIssue,
    rows: dict[int, Row[Any]],
    taken: dict[int, int],
    named: frozenset[int],
) -> Row[Any]:
    row = rows.get(asked.reservation_id)
    if row is None:
        raise NotFoundError(
            f"There is no reservation {asked.reservation_id}",
            mend="Look at the order again",
            reservation=asked.reservation_id,
        )
    if not work.guards_place(row.location):
        raise ConflictError(
            f"The goods of reservation {row.id} were just moved to {row.location}",
            mend="Ask again",
            reservation=row.id,
        )
    batch = work.batch(row.batch_id)
    check_leaving(work, batch, STAGED, came_from=row.location)
    if row.batch_id in named:
        check_named(work, batch, STAGED, row.quantity + taken.get(row.batch_id, 0))
    if row.state != PICKED:
        raise ConflictError(
            f"Reservation {row.id} is {row.state}, it cannot be shipped",
            mend="Look at the order again: a hold may have released it",
            reservation=row.id,
            state=row.state,
        )
    return row


def _loose(connection: Connection, rows: Iterable[Row[Any]]) -> set[int]:
    """Those of the reservations that serve a customer order and lie in no parcel."""
    ordered = {row.id for row in rows if row.line_number is not None}
    if not ordered:
        return set()
    inside = select(packed.c.reservation_id).where(packed.c.reservation_id.in_(sorted(ordered)))
    return ordered.difference(connection.execute(inside).scalars())


def _check_packed(row: Row[Any], loose: Container[int]) -> None:
    if row.id in loose:
        raise ConflictError(
            f"The goods of reservation {row.id} for order {row.order_ref} are picked, not packed",
            mend="Pack them first",
            reservation=row.id,
            order=row.order_ref,
        )


def _book(work: Work, leaving: list[tuple[GoodsIssue, Row[Any]]], floor: _Floor) -> None:
    connection = work.connection
    events = floor.events[: len(leaving)]
    moves: list[tuple[int, Sequence[Line]]] = [
        (event_id, transfer(row.batch_id, row.quantity, STAGED, GONE))
        for event_id, (_, row) in zip(events, leaving, strict=True)
    ]
    stock, changes = ledger.taking_off(connection, moves)
    story = inserting(connection, t.event, _story(work, events, leaving))
    with_cartons = [row for _, row in leaving if row.batch_id in floor.in_cartons]
    if with_cartons:
        # Which cartons go along, and what is left in an opened one, is read off what is left: first
        # the stock, whose rows let no other group read the same cartons.
        ledger.check_taken(changes, ask_all(connection, [story, *stock]))
        for row in with_cartons:
            relocate_cartons(work, row.batch_id, row.quantity, STAGED, GONE, CartonState.PICKED)
    shipped = (_statements(connection).shipped, {"ids": [row.id for _, row in leaving]})
    kept = [shipped, *_keys_kept(work, leaving)]
    if with_cartons:
        ask_all(connection, kept)
    else:
        # Last, since others ship goods of the same batches meanwhile and wait for these rows.
        ledger.check_taken(changes, ask_all(connection, [story, *kept, *stock]))


def _story(
    work: Work, events: Sequence[int], leaving: list[tuple[GoodsIssue, Row[Any]]]
) -> list[dict[str, Any]]:
    texts = [
        Reason("story_shipped", {"order": row.order_ref, "quantity": row.quantity})
        for _, row in leaving
    ]
    return [
        {
            "id": event_id,
            "at": work.now,
            "what": "shipped",
            "by": each.by,
            "batch_id": row.batch_id,
            "session_id": None,
            "reference": row.order_ref,
            "code": text.code,
            "params": text.params,
        }
        for event_id, (each, row), text in zip(events, leaving, texts, strict=True)
    ]


def _keys_kept(work: Work, leaving: list[tuple[GoodsIssue, Row[Any]]]) -> list[Asked]:
    keys = [
        {"key": each.key, "request_hash": each.digest, "at": work.now}
        for each, _ in leaving
        if each.key is not None
    ]
    return [inserting(work.connection, t.command, keys)] if keys else []


def guards_of(connection: Connection, ids: Sequence[int]) -> set[Guard]:
    wanted = {location_guard(STAGING)}
    known: set[int] = set()
    for row in connection.execute(_statements(connection).touched, {"ids": ids}):
        wanted.add(location_guard(row.stood_at))
        if row.id not in known:
            known.add(row.id)
            wanted |= batch_guards(connection, row)
    return wanted


def _is_repeated(connection: Connection, asked: GoodsIssue, answered: frozenset[str]) -> bool:
    if asked.key is None or asked.key not in answered:
        return False
    first_outcome(connection, asked.key, asked.digest)
    return True


@dataclass(frozen=True, slots=True)
class _Statements:
    """What a group asks, each for all of its goods at once."""

    touched: Select[Any]
    reservations: Select[Any]
    batches: Select[Any]
    shipped: Update
    keys: Select[Any]


def _statements(connection: Connection) -> _Statements:
    return _made(arrays=has_arrays(connection))


@cache
def _made(*, arrays: bool) -> _Statements:
    reservation = among(t.reservation.c.id, "ids", arrays=arrays)
    named = select(t.hold.c.hold_id).where(
        t.hold.c.batch_id == t.batch.c.id,
        or_(*(t.hold.c.kind == kind for kind in NAMING)),
        t.hold.c.released_at.is_(None),
    )
    unjudged = select(t.carton.c.carton_id).where(
        t.carton.c.batch_id == t.batch.c.id,
        t.carton.c.location == STAGED.location,
        t.carton.c.cause == Cause.JUDGING.value,
    )
    in_cartons = select(t.carton.c.carton_id).where(
        t.carton.c.batch_id == t.batch.c.id,
        t.carton.c.location == STAGED.location,
        t.carton.c.status == STAGED.status.value,
    )
    return _Statements(
        touched=select(t.batch, t.reservation.c.location.label("stood_at"))
        .join(t.batch, t.batch.c.id == t.reservation.c.batch_id)
        .where(reservation),
        reservations=select(t.reservation)
        .where(reservation)
        .order_by(t.reservation.c.id)
        .with_for_update(),
        batches=select(
            t.batch,
            (named.exists() | unjudged.exists()).label("named"),
            in_cartons.exists().label("in_cartons"),
        ).where(t.batch.c.id.in_(select(t.reservation.c.batch_id).where(reservation))),
        shipped=update(t.reservation).where(reservation).values(state=SHIPPED),
        keys=select(t.command.c.key).where(among(t.command.c.key, "ids", arrays=arrays)),
    )
