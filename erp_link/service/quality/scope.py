"""What a ticket is about: the holds that a signer must have seen, the goods that a part may name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from contracts.stock import HoldKind, StockStatus
from erp_link.adapters import tables as t
from erp_link.domain.places import is_account
from erp_link.service import holding
from erp_link.service.ticketing import find_ticket
from erp_link.service.work import namesakes


@dataclass(frozen=True, slots=True)
class Scope:
    """The goods of a ticket. `cartons` are in the house and known by name, with the base units in
    each; `units` have no carton in the books. Without `batch_id` a ticket is about a whole supplier or place: no part of it can
    be named.
    """

    batch_id: int | None
    cartons: dict[str, int]
    units: int
    whole_batch: bool

    @property
    def quantity(self) -> int:
        """Everything, in base units."""
        return sum(self.cartons.values()) + self.units


def holds_of(connection: Connection, ticket_id: str) -> Sequence[Row[Any]]:
    """The holds that a ticket names, open or not."""
    return connection.execute(
        select(t.hold)
        .join(t.ticket_hold, t.ticket_hold.c.hold_id == t.hold.c.hold_id)
        .where(t.ticket_hold.c.ticket_id == ticket_id)
        .order_by(t.hold.c.hold_id)
    ).all()


def open_holds(
    connection: Connection, holds: Sequence[Row[Any]], touched: Collection[int]
) -> tuple[str, ...]:
    """Every open hold on the batches of a decision, and on the places and suppliers that its own
    holds name, sorted: what its signer must have seen.
    """
    batches = connection.execute(select(t.batch).where(t.batch.c.id.in_(sorted(touched)))).all()
    same = [
        *batches,
        *(
            other
            for batch in batches
            if not batch.supplier
            for other in namesakes(connection, batch)
        ),
    ]
    suppliers = {batch.supplier for batch in same} | {h.supplier for h in holds if h.supplier}
    places = {h.location for h in holds if h.kind == HoldKind.LOCATION.value}
    about = (
        t.hold.c.batch_id.in_(sorted({batch.id for batch in same}))
        | ((t.hold.c.kind == HoldKind.SUPPLIER.value) & t.hold.c.supplier.in_(sorted(suppliers)))
        | ((t.hold.c.kind == HoldKind.LOCATION.value) & t.hold.c.location.in_(sorted(places)))
    )
    query = select(t.hold.c.hold_id).where(t.hold.c.released_at.is_(None), about)
    return tuple(sorted(connection.execute(query).scalars()))


def seen_now(connection: Connection, ticket_id: str) -> tuple[str, ...]:
    """The open holds about a ticket's goods, read without a lock. Raises NotFoundError."""
    ticket = find_ticket(connection, ticket_id)
    holds = holds_of(connection, ticket_id)
    touched = {ticket.batch_id} if ticket.batch_id is not None else set()
    touched = touched.union(
        {h.batch_id for h in holds if h.batch_id is not None},
        *(holding.covered_by(connection, h) for h in holds),
    )
    return open_holds(connection, holds, touched)


def scope_of(connection: Connection, ticket: Row[Any], holds: Sequence[Row[Any]]) -> Scope:
    """The goods that a ticket is about, as they stand now."""
    of_holds = {h.batch_id for h in holds if h.batch_id is not None}
    batch_id = ticket.batch_id
    if batch_id is None and len(of_holds) == 1:
        batch_id = next(iter(of_holds))
    kinds = {h.kind for h in holds if h.released_at is None}
    if batch_id is None or kinds & {HoldKind.SUPPLIER.value, HoldKind.LOCATION.value}:
        return Scope(None, {}, 0, whole_batch=False)
    rows = connection.execute(
        select(t.carton).where(t.carton.c.batch_id == batch_id).order_by(t.carton.c.carton_id)
    ).all()
    rows = [row for row in rows if not is_account(row.location)]
    here = {row.carton_id: int(row.quantity) for row in rows}
    if HoldKind.BATCH.value in kinds:
        return Scope(batch_id, here, _loose(connection, batch_id, rows), whole_batch=True)
    named = {name for h in holds if h.released_at is None for name in h.cartons}
    named.update(ticket.cartons, {ticket.carton_id})
    units = int(ticket.quantity)
    units += units_held(holds)
    cartons = {name: inside for name, inside in here.items() if name in named}
    return Scope(batch_id, cartons, units, whole_batch=False)


def units_held(holds: Collection[Row[Any]]) -> int:
    """Units that open holds set apart by number, those with a carton left out."""
    counted = [h for h in holds if h.kind == HoldKind.QUANTITY.value and h.released_at is None]
    return sum(int(h.quantity) - len(h.cartons) for h in counted)


def _loose(connection: Connection, batch_id: int, cartons: Sequence[Row[Any]]) -> int:
    """Units of a batch, not free and not picked, that have no carton."""
    stopped = (StockStatus.BLOCKED.value, StockStatus.INSPECTION.value)
    amounts = connection.execute(
        select(t.stock.c.quantity).where(
            t.stock.c.batch_id == batch_id, t.stock.c.status.in_(stopped)
        )
    ).scalars()
    in_cartons = sum(int(row.quantity) for row in cartons if row.status in stopped)
    return max(0, int(sum(amounts)) - in_cartons)
