"""Which goods were in a place, and when: from the moves, by the time at which they were seen.

A place is a location or a zone. Every location is in one zone: the one that somebody named, else
what its code begins with (`A-01-2` and `A/01` are in zone `A`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select

from contracts.errors import BadInputError
from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.adapters import tables as t
from erp_link.adapters.alarm_tables import zone_place
from erp_link.domain.excursions.exposure import Span
from erp_link.domain.places import is_account
from erp_link.service.store import Store
from erp_link.service.work import Work

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Stay:
    """One batch in a place: the most units at once, and the times when any were there."""

    batch_id: int
    quantity: int
    present: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """Where goods stand now: the locations of each product and of each batch."""

    products: dict[str, tuple[str, ...]]
    batches: dict[str, tuple[str, ...]]
    zones: dict[str, str]
    """Zone of each location that any of them stands in, and of each one that somebody named."""


class Whereabouts:
    """The core's answers for whoever watches places: the bundle of a gateway carries them."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def zones(self, places: Collection[str] = ()) -> dict[str, str]:
        """The zone of every location of the house, and of `places`, where sensors may stand though
        no goods ever do; empty for one that is in none.
        """

        def ask(connection: Connection) -> dict[str, str]:
            named = read_zones(connection)
            codes = {*connection.execute(select(t.location.c.code)).scalars(), *named, *places}
            return {code: zone_of(code, named) for code in sorted(codes)}

        return self._core.read(ask)

    def name_zone(
        self,
        zone: str,
        locations: Collection[str],
        *,
        by: str,
        key: str | None = None,
        sensors: Collection[str] = (),
    ) -> None:
        """From now on exactly these locations are in the zone by name; without any, none is.
        `sensors`: places of the book, where no goods ever stood and a sensor does.

        Raises BadInputError, also where a place is neither: goods in the right one would not be
        measured. Its data has `unknown`, the first of them.
        """
        name = _code(zone)
        codes = sorted({_code(each) for each in locations})
        if name in codes:
            raise BadInputError(
                f"{name} would be in itself", mend="Name a zone otherwise than its places"
            )

        def act(work: Work) -> None:
            house = set(work.connection.execute(select(t.location.c.code)).scalars())
            known = house | set(read_zones(work.connection)) | set(sensors)
            unknown = [code for code in codes if code not in known]
            if unknown:
                raise BadInputError(
                    f"The house has no place {', '.join(unknown[:5])[:200]}",
                    mend="Write codes of places that goods or sensors stand in",
                    unknown=tuple(unknown[:20]),
                )
            gone = (zone_place.c.zone == name) | zone_place.c.location.in_(codes)
            work.connection.execute(delete(zone_place).where(gone))
            if codes:
                rows = [{"location": code, "zone": name} for code in codes]
                work.connection.execute(insert(zone_place), rows)
            text = Reason("story_zone_named", {"zone": name, "places": len(codes)})
            work.event("place", text, reference=name)

        body = {"zone": name, "places": codes}
        self._core.command("name_zone", body, by=by, key=key, guards_of=None, act=act)

    def holding_now(
        self, *, products: Collection[str] = (), batches: Collection[BatchKey] = ()
    ) -> Holding:
        """Where these products and batches stand at this moment; accounts outside are no places."""
        return self._core.read(lambda c: _holding(c, set(products), set(batches)))


def _holding(connection: Connection, products: set[str], batches: set[BatchKey]) -> Holding:
    named = read_zones(connection)
    of_product: dict[str, set[str]] = {gtin: set() for gtin in products}
    of_batch: dict[str, set[str]] = {str(key): set() for key in batches}
    columns = (t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
    gtins = products | {key.gtin for key in batches}
    rows = connection.execute(
        select(*columns, t.stock.c.location)
        .join(t.stock, t.stock.c.batch_id == t.batch.c.id)
        .where(t.stock.c.quantity > 0, t.batch.c.gtin.in_(sorted(gtins)))
        .distinct()
    )
    there = set(named)
    for supplier, gtin, lot, location in rows:
        name = str(BatchKey(supplier, gtin, lot))
        for kept, key in ((of_product, gtin), (of_batch, name)):
            if key in kept and not is_account(location):
                kept[key].add(location)
                there.add(location)
    return Holding(
        {name: tuple(sorted(of_product[name])) for name in sorted(of_product)},
        {name: tuple(sorted(of_batch[name])) for name in sorted(of_batch)},
        {code: zone_of(code, named) for code in sorted(there)},
    )


def read_zones(connection: Connection) -> dict[str, str]:
    """The zones that somebody named, by location."""
    rows = connection.execute(select(zone_place.c.location, zone_place.c.zone))
    return {row.location: row.zone for row in rows}


def zone_of(location: str, named: Mapping[str, str]) -> str:
    """The zone of a location; empty where it is in none."""
    known = named.get(location)
    if known is not None:
        return known
    ends = [at for at in (location.find("-"), location.find("/")) if at > 0]
    return location[: min(ends)] if ends else ""


def stays(
    connection: Connection,
    place: str,
    begun_us: int,
    ended_us: int,
    *,
    batch_id: int | None = None,
    gtin: str = "",
) -> list[Stay]:
    """What was in a place at any time from `begun_us` to `ended_us`; one batch or one product only
    where named.

    What stands there now is walked back to the beginning by the moves since: whatever was booked
    later about an earlier time is in both.
    """
    named = read_zones(connection)
    within = [code for code, zone in named.items() if zone == place]
    only = [] if batch_id is None else [t.batch.c.id == batch_id]
    only += [t.batch.c.gtin == gtin] if gtin else []
    now = connection.execute(
        select(t.stock.c.batch_id, t.stock.c.location, func.sum(t.stock.c.quantity))
        .join(t.batch, t.batch.c.id == t.stock.c.batch_id)
        .where(t.stock.c.quantity > 0, _maybe(t.stock.c.location, place, within), *only)
        .group_by(t.stock.c.batch_id, t.stock.c.location)
    )
    there: dict[int, int] = {}
    for batch, location, quantity in now:
        if _is_in(location, place, named):
            there[batch] = there.get(batch, 0) + int(quantity)
    changes = _changes(connection, place, named, within, begun_us, only)
    found = []
    for batch in sorted(there.keys() | changes.keys()):
        stay = _walked(batch, there.get(batch, 0), changes.get(batch, []), begun_us, ended_us)
        if stay is not None:
            found.append(stay)
    return found


def moment(at_us: int) -> datetime:
    """Microseconds since 1970 as a time; what no calendar has becomes the nearest that it has."""
    try:
        return min(_EPOCH + timedelta(microseconds=max(0, at_us)), _LAST)
    except OverflowError:
        return _LAST


def micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _changes(
    connection: Connection,
    place: str,
    named: Mapping[str, str],
    within: Collection[str],
    since_us: int,
    only: Iterable[ColumnElement[bool]],
) -> dict[int, list[tuple[int, int]]]:
    """Time and change of each batch in the place since then, in the order in which they were."""
    rows: Any = connection.execute(
        select(t.move_line.c.batch_id, t.move_line.c.location, t.move_line.c.quantity, t.event.c.at)
        .join(t.event, t.event.c.id == t.move_line.c.event_id)
        .join(t.batch, t.batch.c.id == t.move_line.c.batch_id)
        .where(
            t.event.c.at >= moment(since_us),
            _maybe(t.move_line.c.location, place, within),
            *only,
        )
        .order_by(t.event.c.at, t.event.c.id)
    )
    found: dict[int, list[tuple[int, int]]] = {}
    for row in rows:
        if _is_in(row.location, place, named):
            found.setdefault(row.batch_id, []).append((micros(row.at), row.quantity))
    return found


def _walked(
    batch_id: int, now: int, changes: list[tuple[int, int]], begun_us: int, ended_us: int
) -> Stay | None:
    units = now - sum(quantity for _, quantity in changes)
    since, most = begun_us, 0
    spans: list[Span] = []
    for at, change in [*changes, (ended_us, 0)]:
        until = min(max(at, begun_us), ended_us)
        if units > 0 and until > since:
            most = max(most, units)
            # Booked out of one status into another, goods stay where they are.
            if spans and spans[-1][1] == since:
                spans[-1] = (spans[-1][0], until)
            else:
                spans.append((since, until))
        since = max(since, until)
        units += change
    return Stay(batch_id, most, tuple(spans)) if spans else None


def _is_in(location: str, place: str, named: Mapping[str, str]) -> bool:
    return location == place or zone_of(location, named) == place


def _maybe(column: ColumnElement[str], place: str, within: Collection[str]) -> ColumnElement[bool]:
    """Every row that may be of the place; SQLite's LIKE knows no capitals, so it is looked at again."""
    return or_(
        column == place,
        column.startswith(f"{place}-", autoescape=True),
        column.startswith(f"{place}/", autoescape=True),
        column.in_(sorted(within)),
    )


def _code(text: str) -> str:
    name = text.strip()
    if not name or len(name) > _LONGEST or is_account(name) or not name.isprintable():
        raise BadInputError(f"{text[:80]!r} is no code of a place", mend="Give 1 to 40 characters")
    return name
