"""What stands where, batch by batch, and which open holds cover it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from contracts.reason import Reason
from contracts.shelf import ShelfBatch, ShelfCell, ShelfHold
from contracts.stock import HoldKind, StockStatus
from erp_link.adapters import merge_tables as m
from erp_link.adapters import tables as t
from erp_link.service.merge.reading import micros


@dataclass(slots=True)
class _Amounts:
    free: int = 0
    held: int = 0
    inspection: int = 0
    reserved: int = 0


@dataclass(slots=True)
class Batch:
    """A batch's row, its goods by place, and the open holds that cover some of them."""

    row: Row[Any]
    cells: dict[str, _Amounts] = field(default_factory=dict)
    holds: list[str] = field(default_factory=list)

    def told(self, held_places: frozenset[str]) -> ShelfBatch:
        """As a phone carries it. In a place on hold nothing is free, whatever its status."""
        return ShelfBatch(
            supplier=self.row.supplier,
            lot=self.row.lot,
            expiry=self.row.expiry.isoformat() if self.row.expiry else "",
            cells=tuple(
                _cell(place, self.cells[place], is_held=place in held_places)
                for place in sorted(self.cells)
            ),
            holds=tuple(self.holds),
        )


def _cell(place: str, here: _Amounts, *, is_held: bool) -> ShelfCell:
    if is_held:
        return ShelfCell(place, 0, here.free + here.held, here.inspection)
    return ShelfCell(place, here.free, here.held, here.inspection, here.reserved)


def read_batches(connection: Connection, only: Collection[str] | None = None) -> dict[int, Batch]:
    """Every batch of which something stands in the house, by its number; `only` of these products
    (GTINs).
    """
    query: Select[Any] = (
        select(
            t.stock.c.batch_id,
            t.stock.c.location,
            t.stock.c.status,
            t.stock.c.quantity,
            t.stock.c.reserved,
            t.batch.c.id,
            t.batch.c.supplier,
            t.batch.c.gtin,
            t.batch.c.lot,
            t.batch.c.expiry,
        )
        .join(t.batch, t.batch.c.id == t.stock.c.batch_id)
        .where(t.stock.c.quantity > 0)
        .order_by(t.batch.c.gtin, t.batch.c.expiry, t.batch.c.id)
    )
    if only is not None:
        query = query.where(t.batch.c.gtin.in_(sorted(only)))
    found: dict[int, Batch] = {}
    for row in connection.execute(query):
        batch = found.get(row.batch_id)
        if batch is None:
            batch = found[row.batch_id] = Batch(row)
        here = batch.cells.setdefault(row.location, _Amounts())
        match row.status:
            case StockStatus.BLOCKED.value:
                here.held += row.quantity
            case StockStatus.INSPECTION.value:
                here.inspection += row.quantity
            case StockStatus.IN_TRANSIT.value:
                # Picked: it stands here until it is shipped, and is promised.
                here.free += row.quantity
                here.reserved += row.quantity
            case _:
                here.free += row.quantity
                here.reserved += row.reserved
    _take_owed(connection, found)
    return found


def _take_owed(connection: Connection, batches: dict[int, Batch]) -> None:
    """What was taken offline beyond the books is not there to be counted (as `carry` tells it)."""
    cell = m.offline_cell
    for row in connection.execute(
        select(cell.c.batch_id, cell.c.location, cell.c.owed).where(cell.c.owed > 0)
    ):
        batch = batches.get(row.batch_id)
        if batch is not None and row.location in batch.cells:
            batch.cells[row.location].free -= row.owed


@dataclass(frozen=True, slots=True)
class Holds:
    """The open holds, and the places that one of them covers whole."""

    holds: tuple[ShelfHold, ...]
    places: frozenset[str]


def read_holds(connection: Connection, batches: dict[int, Batch]) -> Holds:
    """The open holds, oldest first; each batch is told which cover some of it. What covers a batch
    follows from the batches of its own product alone, so that some products' may be read by themselves.

    `note` is what a person wrote, and empty where a rule held the goods: `reason` has its words.
    """
    rows = connection.execute(
        select(t.hold, t.batch.c.gtin, t.batch.c.lot, t.batch.c.supplier.label("of"))
        .join(t.batch, t.batch.c.id == t.hold.c.batch_id, isouter=True)
        .where(t.hold.c.released_at.is_(None))
        .order_by(t.hold.c.raised_at, t.hold.c.hold_id)
    ).all()
    tickets = _tickets_of(connection)
    _cover(rows, batches)
    return Holds(
        tuple(
            ShelfHold(
                id=row.hold_id,
                kind=row.kind,
                note=str(row.params.get("note", "")),
                at_us=micros(row.raised_at),
                ticket=tickets.get(row.hold_id, ""),
                reason=Reason(row.code, row.params),
            )
            for row in rows
        ),
        frozenset(row.location for row in rows if row.kind == HoldKind.LOCATION.value),
    )


def _tickets_of(connection: Connection) -> dict[str, str]:
    links = connection.execute(
        select(t.ticket_hold)
        .join(t.hold, t.hold.c.hold_id == t.ticket_hold.c.hold_id)
        .where(t.hold.c.released_at.is_(None))
        .order_by(t.ticket_hold.c.ticket_id.desc())
    )
    return {link.hold_id: link.ticket_id for link in links}


def _cover(holds: Sequence[Row[Any]], batches: dict[int, Batch]) -> None:
    by_lot: dict[tuple[str, str], list[Batch]] = defaultdict(list)
    by_supplier: dict[str, list[Batch]] = defaultdict(list)
    by_place: dict[str, list[Batch]] = defaultdict(list)
    for batch in batches.values():
        by_lot[batch.row.gtin, batch.row.lot].append(batch)
        by_supplier[batch.row.supplier].append(batch)
        for place in batch.cells:
            by_place[place].append(batch)
    for hold in holds:
        for batch in _covered(hold, batches, by_lot, by_supplier, by_place):
            batch.holds.append(hold.hold_id)


def _covered(
    hold: Row[Any],
    batches: dict[int, Batch],
    by_lot: dict[tuple[str, str], list[Batch]],
    by_supplier: dict[str, list[Batch]],
    by_place: dict[str, list[Batch]],
) -> Iterable[Batch]:
    match HoldKind(hold.kind):
        case HoldKind.LOCATION:
            return by_place.get(hold.location, ())
        case HoldKind.SUPPLIER:
            own = by_supplier.get(hold.supplier, [])
            return (*own, *_nameless(own, by_supplier, by_lot)) if hold.supplier else own
        case HoldKind.BATCH:
            # Goods of a supplier whom nobody could name may be anybody's of that lot.
            lot = by_lot.get((hold.gtin, hold.lot), ())
            return [each for each in lot if each.row.supplier in {"", hold.of}]
        case HoldKind.CARTONS | HoldKind.QUANTITY:
            return [batches[hold.batch_id]] if hold.batch_id in batches else []


def _nameless(
    own: Sequence[Batch],
    by_supplier: dict[str, list[Batch]],
    by_lot: dict[tuple[str, str], list[Batch]],
) -> list[Batch]:
    lots = {(batch.row.gtin, batch.row.lot) for batch in own}
    if not by_supplier.get("") or not lots:
        return []
    return [each for lot in sorted(lots) for each in by_lot[lot] if not each.row.supplier]
