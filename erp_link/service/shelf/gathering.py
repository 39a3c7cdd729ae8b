"""The whole stock as a phone carries it, read in one transaction that sees one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from contracts.reason import Reason
from contracts.shelf import ShelfTicket, Snapshot
from contracts.stock import TicketState
from erp_link.adapters import merge_tables as merge
from erp_link.adapters import shelf_tables as shelf
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import product
from erp_link.adapters.record_tables import change
from erp_link.domain.places import PlaceKind, is_account
from erp_link.domain.shelf.lists import ListKind, PlaceName
from erp_link.service.merge import reading
from erp_link.service.shelf.cells import read_batches, read_holds
from erp_link.service.shelf.lists import rows_of
from erp_link.service.shelf.products import HOUSE_LIMITS, read_products, read_suppliers

_WAITING = (TicketState.OPEN.value, TicketState.CONTAINED.value, TicketState.DECIDED.value)
_BEHIND = 1000
_CARRIED = frozenset(
    table.name
    for table in (
        t.batch,
        t.stock,
        t.hold,
        t.ticket,
        t.ticket_hold,
        t.asn_line,
        t.location,
        t.carton,
        product,
        shelf.shelf_list,
        shelf.shelf_row,
        merge.offline_cell,
        merge.offline_entry,
    )
)
"""From these tables a snapshot is read."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the database's own record of changes is (docs/adr/0013), with how many of its rows lie
    close behind: on PostgreSQL one with a lower number may be committed later.
    """

    record: int
    near: int


def mark(connection: Connection) -> Mark:
    """As the database stands now."""
    newest = connection.execute(select(func.coalesce(func.max(change.c.id), 0))).scalar_one()
    return Mark(int(newest), _near(connection, int(newest)))


def is_other(connection: Connection, before: Mark) -> bool:
    """Whether anything that a phone carries was written since; its tables alone count, so that the
    talk with an ERP or a gateway's head asks for no reading.
    """
    names = connection.execute(
        select(change.c.name).where(change.c.id > before.record).distinct()
    ).scalars()
    if not _CARRIED.isdisjoint(names) or _near(connection, before.record) != before.near:
        return True
    # A part of the record may have been moved away, and its numbers begin anew.
    return mark(connection).record < before.record


def _near(connection: Connection, number: int) -> int:
    if connection.dialect.name != "postgresql":
        return 0
    close = (change.c.id > number - _BEHIND) & (change.c.id <= number)
    found = connection.execute(select(func.count()).select_from(change).where(close))
    return int(found.scalar_one())


def gather(
    connection: Connection, *, at: datetime, zone: tzinfo, zone_name: str, site: str
) -> Snapshot:
    """The whole snapshot, with every price and without hints and words: `title` of a ticket is
    empty, `note` of a hold where nobody wrote one. `connection` must see one moment
    (`database.snapshot`).
    """
    batches = read_batches(connection)
    held = read_holds(connection, batches)
    names = rows_of(connection, PlaceName, ListKind.PLACES)
    return Snapshot(
        version=reading.position(connection),
        at_us=reading.micros(at),
        today=at.astimezone(zone).date().isoformat(),
        zone=zone_name,
        site=site,
        limits=HOUSE_LIMITS,
        products=read_products(connection, batches, held.places),
        suppliers=read_suppliers(connection),
        holds=held.holds,
        tickets=_tickets(connection),
        locations=walking_order(connection, names),
        seen=reading.heads(connection),
        words={each.place: each.name for each in names if each.name},
    )


def walking_order(connection: Connection, names: Sequence[PlaceName]) -> tuple[str, ...]:
    """Places that a person may stand at: in the site's own order, what it does not name after it in
    the order in which slots are filled; quarantine, staging and docks last.
    """
    rows = connection.execute(
        select(t.location.c.code, t.location.c.kind).order_by(
            t.location.c.position, t.location.c.code
        )
    ).all()
    here = connection.execute(
        select(t.stock.c.location).where(t.stock.c.quantity > 0).distinct()
    ).scalars()
    slots = [row.code for row in rows if row.kind == PlaceKind.SLOT.value]
    others = [row.code for row in rows if row.kind != PlaceKind.SLOT.value]
    known = {*slots, *others}
    strange = sorted(place for place in here if place not in known and not is_account(place))
    # The list may name whole aisles, for words alone.
    listed = [each.place for each in names if each.place in known or each.place in strange]
    return tuple(dict.fromkeys([*listed, *slots, *strange, *others]))


def _tickets(connection: Connection) -> tuple[ShelfTicket, ...]:
    """What is not closed, newest first."""
    query: Select[Any] = (
        select(
            t.ticket.c.ticket_id,
            t.ticket.c.kind,
            t.ticket.c.state,
            t.ticket.c.code,
            t.ticket.c.params,
            t.batch.c.gtin,
            t.carton.c.location,
        )
        .join(t.batch, t.batch.c.id == t.ticket.c.batch_id, isouter=True)
        .join(t.carton, t.carton.c.carton_id == t.ticket.c.carton_id, isouter=True)
        .where(t.ticket.c.state.in_(_WAITING))
        .order_by(t.ticket.c.opened_at.desc(), t.ticket.c.ticket_id.desc())
    )
    return tuple(_ticket(row) for row in connection.execute(query))


def _ticket(row: Row[Any]) -> ShelfTicket:
    products = [row.gtin or row.params.get("gtin")]
    places = [row.params.get("location"), row.location]
    return ShelfTicket(
        id=row.ticket_id,
        kind=row.kind,
        title="",
        state=row.state,
        gtins=tuple(_named(products)),
        locations=tuple(place for place in _named(places) if not is_account(place)),
        reason=Reason(row.code, row.params),
    )


def _named(values: Sequence[object]) -> list[str]:
    """Each once, without the `-` that stands in a sentence for what is not known."""
    return list(dict.fromkeys(x for x in values if isinstance(x, str) and x not in {"", "-"}))
