"""The floor before a race, and what stands and what left after it. One transaction lays out many
races: the set-up is no part of what is raced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    bindparam,
    cast,
    func,
    select,
)

from appliance.bench.core.racing.plan import FREE, RESERVED, STAGED, Race
from contracts.stock import HoldKind, StockStatus
from erp_link.adapters import ledger
from erp_link.adapters import tables as t
from erp_link.adapters.bulk import insert_all, new_ids
from erp_link.domain.moves import Line, Place, transfer
from erp_link.domain.places import CUSTOMER_ACCOUNT, STAGING, SUPPLIER_ACCOUNT
from erp_link.service.work import Work

_UNRESTRICTED, _IN_TRANSIT = StockStatus.UNRESTRICTED, StockStatus.IN_TRANSIT
_ALL = FREE + RESERVED + STAGED
_OFF_THE_SHELF = ("picked", "shipped")


def lay_out(work: Work, races: Sequence[Race]) -> list[list[int]]:
    """Receive, reserve and pick for every race; its reservations' numbers, the picked ones first."""
    batches = new_ids(work.connection, t.batch, len(races))
    insert_all(
        work.connection,
        t.batch,
        [
            {
                "id": batch_id,
                "supplier": race.batch.supplier,
                "gtin": race.batch.gtin,
                "lot": race.batch.lot,
                "description": "",
                "expiry": None,
            }
            for batch_id, race in zip(batches, races, strict=True)
        ],
    )
    _book(work, races, batches)
    reserved = [
        (race, batch_id, "picked" if at < STAGED else "reserved")
        for race, batch_id in zip(races, batches, strict=True)
        for at in range(STAGED + RESERVED)
    ]
    numbers = new_ids(work.connection, t.reservation, len(reserved))
    insert_all(
        work.connection,
        t.reservation,
        [
            {
                "id": number,
                "order_ref": f"SO-{race.number}",
                "batch_id": batch_id,
                "location": race.place,
                "quantity": 1,
                "state": state,
                "made_by": "op",
                "made_at": work.now,
            }
            for number, (race, batch_id, state) in zip(numbers, reserved, strict=True)
        ],
    )
    for race, batch_id in zip(races, batches, strict=True):
        ledger.change_reserved(work.connection, batch_id, race.place, RESERVED)
    each = STAGED + RESERVED
    return [numbers[at : at + each] for at in range(0, len(numbers), each)]


def _book(work: Work, races: Sequence[Race], batches: Sequence[int]) -> None:
    events = new_ids(work.connection, t.event, len(races))
    insert_all(
        work.connection,
        t.event,
        [
            {
                "id": event_id,
                "at": work.now,
                "what": "received",
                "by": "op",
                "batch_id": batch_id,
                "session_id": None,
                "reference": race.place,
                "code": "story_received_units",
                "params": {"quantity": _ALL, "location": race.place},
            }
            for event_id, batch_id, race in zip(events, batches, races, strict=True)
        ],
    )
    moves: list[tuple[int, Sequence[Line]]] = []
    for event_id, batch_id, race in zip(events, batches, races, strict=True):
        outside, shelf = Place(SUPPLIER_ACCOUNT, _UNRESTRICTED), Place(race.place, _UNRESTRICTED)
        moves.append((event_id, transfer(batch_id, _ALL, outside, shelf)))
        staged = Place(STAGING, _IN_TRANSIT)
        moves.append((event_id, transfer(batch_id, STAGED, shelf, staged)))
    # Two moves of one event: posted one after the other, so that no shelf is below nothing.
    ledger.post_all(work.connection, moves[::2])
    ledger.post_all(work.connection, moves[1::2])


@dataclass(frozen=True, slots=True)
class Amounts:
    """Of one batch, in units. `off_shelf` counts what was picked or shipped, ever."""

    shipped: int
    off_shelf: int
    free: int
    reserved: int
    received: int


def amounts(connection: Connection, race: Race) -> Amounts:
    """What stands and what left, as any reader sees it."""
    return Amounts(*connection.execute(_AMOUNTS, {"of": race.batch.lot}).one())


def _sum(column: Column[int], *where: ColumnElement[bool]) -> ColumnElement[int]:
    batches: Any = column.table.c.batch_id
    mine = select(t.batch.c.id).where(t.batch.c.lot == bindparam("of")).scalar_subquery()
    total = cast(func.coalesce(func.sum(column), 0), BigInteger)
    return select(total).where(batches == mine, *where).scalar_subquery()


_LINES, _STOCK, _RESERVATION = t.move_line.c, t.stock.c, t.reservation.c
_AMOUNTS = select(
    _sum(_LINES.quantity, _LINES.location == CUSTOMER_ACCOUNT),
    _sum(_RESERVATION.quantity, _RESERVATION.state.in_(_OFF_THE_SHELF)),
    _sum(_STOCK.quantity, _STOCK.status == _UNRESTRICTED.value),
    _sum(_STOCK.reserved),
    -_sum(_LINES.quantity, _LINES.location == SUPPLIER_ACCOUNT),
)
"""In the order of `Amounts`."""


def lost(race: Race, held: Amounts | None, last: Amounts) -> list[str]:
    """What the hold did not stop, in words; `held` is what its own maker saw once it stood, None
    where the maker was killed before.
    """
    found = []
    if held is not None and last.shipped > held.shipped:
        found.append(f"{last.shipped - held.shipped} units shipped after the hold")
    if held is not None and last.off_shelf > held.off_shelf:
        found.append(f"{last.off_shelf - held.off_shelf} units picked after the hold")
    if last.reserved:
        found.append(f"{last.reserved} units reserved under the hold")
    if last.free and race.kind is not HoldKind.LOCATION:
        found.append(f"{last.free} units free under the hold")
    if last.received != _ALL + race.received:
        found.append(f"{last.received} units received, {_ALL + race.received} came")
    return found
