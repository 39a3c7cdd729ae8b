"""The whole stock as a phone carries it, read in one transaction that sees one moment; and read again
as far as something changed since (docs/adr/0044).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from contracts.reason import Reason
from contracts.shelf import ShelfProduct, ShelfTicket, Snapshot
from contracts.stock import TicketState
from erp_link.adapters import tables as t
from erp_link.domain.places import PlaceKind, is_account
from erp_link.domain.shelf.lists import ListKind, PlaceName
from erp_link.service.merge import reading
from erp_link.service.shelf.cells import Holds, read_batches, read_holds
from erp_link.service.shelf.lists import rows_of
from erp_link.service.shelf.news import Mark, News, mark
from erp_link.service.shelf.products import (
    HOUSE_LIMITS,
    Catalogue,
    read_catalogue,
    read_products,
    read_suppliers,
)

_WAITING = (TicketState.OPEN.value, TicketState.CONTAINED.value, TicketState.DECIDED.value)


@dataclass(frozen=True, slots=True)
class House:
    """Which site is told of: its name, and its time zone with its IANA name."""

    site: str
    zone: tzinfo
    zone_name: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A snapshot, and what the next one may begin from: `products` by GTIN, the lists' `catalogue`,
    and the `mark` up to which everything is in it.
    """

    snapshot: Snapshot
    mark: Mark
    products: Mapping[str, ShelfProduct]
    catalogue: Catalogue


def gather(connection: Connection, house: House, *, at: datetime) -> Reading:
    """The whole snapshot, with every price and without hints and words: `title` of a ticket is
    empty, `note` of a hold where nobody wrote one. `connection` must see one moment
    (`database.snapshot`).
    """
    now, catalogue = mark(connection), read_catalogue(connection)
    batches = read_batches(connection)
    held = read_holds(connection, batches)
    products = read_products(connection, batches, held.places, catalogue)
    return Reading(_told(connection, house, products, held, at), now, products, catalogue)


def gather_again(
    connection: Connection, house: House, before: Reading, new: News, *, at: datetime
) -> Reading:
    """As `gather`, of which the products that `new` does not name are those of `before` themselves.
    `new` must come from the same `connection`, which sees one moment, and from `before.mark`.
    """
    if new.products is None:
        return gather(connection, house, at=at)
    batches = read_batches(connection, new.products)
    held = read_holds(connection, batches)
    again = read_products(connection, batches, held.places, before.catalogue, new.products)
    kept = {gtin: each for gtin, each in before.products.items() if gtin not in new.products}
    products = dict(sorted((kept | again).items()))
    told = _told(connection, house, products, held, at)
    return Reading(told, new.mark, products, before.catalogue)


def _told(
    connection: Connection,
    house: House,
    products: Mapping[str, ShelfProduct],
    held: Holds,
    at: datetime,
) -> Snapshot:
    names = rows_of(connection, PlaceName, ListKind.PLACES)
    return Snapshot(
        version=reading.position(connection),
        at_us=reading.micros(at),
        today=at.astimezone(house.zone).date().isoformat(),
        zone=house.zone_name,
        site=house.site,
        limits=HOUSE_LIMITS,
        products=tuple(products.values()),
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
