"""The EPCIS repository: the site's own events, projected from the history, and partners' events.

An event goes in once, by its id: a partner who sends a document again changes nothing. Our own
events follow the history by a cursor (service/feed.py), in one transaction with it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, delete, insert, or_, select, update

from contracts.errors import NotFoundError
from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.adapters import exchange_tables as x
from erp_link.adapters import tables as t
from erp_link.adapters.guards import insert_missing
from erp_link.epcis import index
from erp_link.epcis.check import Captured, read_document
from erp_link.epcis.document import stamp
from erp_link.epcis.event_hash import hash_id
from erp_link.epcis.query import Query, page_token
from erp_link.epcis.site import Site
from erp_link.epcis.story import NAMESPACE, PREFIX, Happened, events_of
from erp_link.service import feed
from erp_link.service.feed import FeedEvent
from erp_link.service.store import Store
from erp_link.service.work import Work

CONSUMER = "epcis"
_HELD = ("held", "released")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a captured document."""

    event_ids: tuple[str, ...]
    new: int

    @property
    def known(self) -> int:
        return len(self.event_ids) - self.new


@dataclass(frozen=True, slots=True)
class Page:
    """Events as they are given out; `next_page` is empty on the last page."""

    events: tuple[dict[str, Any], ...]
    prefixes: dict[str, str]
    next_page: str = ""


class Repository:
    """Captures and answers. `site` says how this site names its places to partners."""

    def __init__(self, store: Store, site: Site) -> None:
        self._store = store
        self._site = site

    def project(self, *, limit: int = 200) -> int:
        """Make the events of the next entries of the history; how many entries there were."""
        return feed.follow_prepared(self._store, CONSUMER, self._prepared, _keep, limit=limit)

    def capture(self, body: object, *, by: str) -> Taken:
        """Keep the events of a partner's document, all or none. An event without an id gets its
        hash id; one that is known changes nothing.

        Raises BadInputError with every finding.
        """
        captured = read_document(body)
        return self._store.write(lambda work: _captured(work, captured), by=by)

    def query(self, asked: Query) -> Page:
        """A page of the events that a query selects."""
        limit = asked.limit if asked.most is None else min(asked.limit, asked.most - asked.taken)
        if limit <= 0:
            return Page((), {})
        rows = self._store.read(lambda c: c.execute(_selected(asked).limit(limit + 1)).all())
        page = rows[:limit]
        more = len(rows) > limit and asked.most != asked.taken + limit
        token = ""
        if more:
            at_us = _micros(getattr(page[-1], asked.order_by))
            token = page_token(at_us, page[-1].id, asked.taken + limit)
        prefixes = {n: uri for row in page for n, uri in row.prefixes.items()}
        return Page(tuple(_given(row) for row in page), prefixes, token)

    def event(self, event_id: str) -> Page:
        """One event. Raises NotFoundError."""
        found = self._store.read(
            lambda c: c.execute(
                select(x.epcis_event).where(x.epcis_event.c.event_id == event_id)
            ).one_or_none()
        )
        if found is None:
            raise NotFoundError(
                f"There is no event {event_id}", mend="Look at the list of events", event=event_id
            )
        return Page((_given(found),), found.prefixes)

    def _prepared(
        self, connection: Connection, events: Sequence[FeedEvent]
    ) -> list[dict[str, Any]]:
        facts = _Facts(connection, events)
        return [
            _row(event, {PREFIX: NAMESPACE}, entry=entry.event_id)
            for entry in events
            for event in events_of(facts.of(entry), self._site, self._store.zone)
        ]


class _Facts:
    """What the events of some entries need beside them, asked once."""

    def __init__(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        batches = sorted({line.batch_id for each in events for line in each.lines})
        self._batches = {
            row.id: BatchKey(row.supplier, row.gtin, row.lot)
            for row in connection.execute(_BATCHES, {"ids": batches})
        }
        holds = sorted({each.reference for each in events if each.what in _HELD})
        self._cartons = {
            row.hold_id: tuple(row.cartons) for row in connection.execute(_HOLDS, {"ids": holds})
        }

    def of(self, entry: FeedEvent) -> Happened:
        if entry.what in _HELD:
            cartons = self._cartons.get(entry.reference, ())
        else:
            carton = entry.params.get("carton")
            cartons = (carton,) if isinstance(carton, str) and carton else ()
        return Happened(
            number=entry.event_id,
            at=entry.at,
            what=entry.what,
            code=entry.code,
            params=entry.params,
            reference=entry.reference,
            batch=entry.batch,
            lines=entry.lines,
            batches=self._batches,
            cartons=cartons,
        )


def _captured(work: Work, captured: Captured) -> Taken:
    rows = []
    for event in captured.events:
        event_id = str(event.get("eventID") or hash_id(event, captured.prefixes))
        rows.append(_row({**event, "eventID": event_id}, captured.prefixes))
    new = _keep(work, rows)
    if new:
        text = Reason("story_epcis_captured", {"events": new, "sender": work.by})
        work.event("captured", text)
    return Taken(tuple(row["event_id"] for row in rows), new)


def _row(
    event: Mapping[str, Any], prefixes: Mapping[str, str], *, entry: int | None = None
) -> dict[str, Any]:
    """What is kept of an event; `keys` go into a table of their own."""
    kept = {k: v for k, v in event.items() if k not in ("recordTime", "@context")}
    return {
        "event_id": event["eventID"],
        "event_time": datetime.fromisoformat(event["eventTime"]),
        "entry": entry,
        "prefixes": dict(prefixes),
        "body": json.dumps(kept, ensure_ascii=False),
        "keys": sorted(index.keys_of(event)),
        **index.words_of(event),
    }


def _keep(work: Work, rows: Sequence[dict[str, Any]]) -> int:
    """How many of the events are new; one that is known changes nothing. Only what this house itself
    tells takes the place of what somebody captured before under its number.
    """
    wanted = {row["event_id"]: row for row in reversed(rows)}
    if not wanted:
        return 0
    values = [
        {name: value for name, value in row.items() if name != "keys"}
        | {"record_time": work.now, "captured_by": work.by}
        for row in reversed(wanted.values())
    ]
    kept = work.connection.execute(
        insert_missing(work.connection, x.epcis_event).returning(
            x.epcis_event.c.id, x.epcis_event.c.event_id
        ),
        values,
    ).all()
    kept = [*kept, *_taken_over(work, wanted, {row.event_id for row in kept})]
    named = [
        {"event": row.id, "kind": kind, "value": value}
        for row in kept
        for kind, value in wanted[row.event_id]["keys"]
    ]
    if named:
        work.connection.execute(insert(x.epcis_key), named)
    return len(kept)


def _taken_over(
    work: Work, wanted: Mapping[str, dict[str, Any]], new: Collection[str]
) -> Sequence[Any]:
    """Those of our own events that a partner's capture had already: they are ours from now on."""
    ours = [name for name, row in wanted.items() if row["entry"] is not None and name not in new]
    if not ours:
        return ()
    event = x.epcis_event.c
    rows = work.connection.execute(
        select(event.id, event.event_id).where(event.event_id.in_(ours), event.entry.is_(None))
    ).all()
    for row in rows:
        values = {name: value for name, value in wanted[row.event_id].items() if name != "keys"}
        work.connection.execute(delete(x.epcis_key).where(x.epcis_key.c.event == row.id))
        work.connection.execute(
            update(x.epcis_event)
            .where(event.id == row.id)
            .values(**values, record_time=work.now, captured_by=work.by)
        )
    return rows


def _selected(asked: Query) -> Select[Any]:
    table = x.epcis_event.c
    statement = select(x.epcis_event)
    for column, words in asked.words.items():
        statement = statement.where(table[column].in_(sorted(words)))
    for kinds, values in asked.named:
        statement = statement.where(
            select(x.epcis_key.c.event)
            .where(
                x.epcis_key.c.event == table.id,
                x.epcis_key.c.kind.in_(sorted(kinds)),
                x.epcis_key.c.value.in_(sorted(values)),
            )
            .exists()
        )
    for column, at in asked.since.items():
        statement = statement.where(table[column] >= at)
    for column, at in asked.before.items():
        statement = statement.where(table[column] < at)
    by = table[asked.order_by]
    if asked.after is not None:
        at = _time(asked.after[0])
        beyond = by < at if asked.descending else by > at
        same = table.id < asked.after[1] if asked.descending else table.id > asked.after[1]
        statement = statement.where(or_(beyond, and_(by == at, same)))
    if asked.descending:
        return statement.order_by(by.desc(), table.id.desc())
    return statement.order_by(by, table.id)


def _given(row: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(row.body)
    return {**event, "recordTime": stamp(row.record_time)}


def _micros(at: datetime) -> int:
    return (at - _time(0)) // timedelta(microseconds=1)


def _time(at_us: int) -> datetime:
    """Microseconds since 1970 UTC as a time."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)


_BATCHES = select(t.batch).where(t.batch.c.id.in_(bindparam("ids", expanding=True)))
_HOLDS = select(t.hold.c.hold_id, t.hold.c.cartons).where(
    t.hold.c.hold_id.in_(bindparam("ids", expanding=True))
)
