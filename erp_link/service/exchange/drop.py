"""The file drop: what follows in the history, as CSV files in a folder.

What a file holds is settled in the database before it is written. A hub killed in between writes
the same file again, under the same name: a reader that knows names sees each once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from contracts.stock import BatchKey
from erp_link.adapters import exchange_tables as x
from erp_link.adapters import tables as t
from erp_link.domain.places import is_account
from erp_link.epcis.document import stamp
from erp_link.filedrop.folder import put
from erp_link.filedrop.lines import DropLine, written
from erp_link.service import feed
from erp_link.service.feed import FeedEvent
from erp_link.service.store import Store
from erp_link.service.work import Work

CONSUMER = "filedrop"
_MOST = 1000
_BY = "filedrop"


class FileDrop:
    """Writes into `folder`, which an old system empties."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def drop(self, *, limit: int = _MOST) -> int:
        """Write the file that is due, if any; how many events were read for it. Raises UnavailableError
        where the folder takes nothing: it is tried again.
        """
        waiting = self._store.read(_unwritten)
        read = 0
        if waiting is None:
            read = feed.follow(self._store, CONSUMER, _settled, limit=limit)
            waiting = self._store.read(_unwritten)
        if waiting is None:
            return read
        lines, events = self._store.read(lambda c: _lines(c, waiting))
        put(self._folder, waiting.name, written(lines))
        self._store.write(lambda work: _done(work, waiting.id), by=_BY)
        return events


def _settled(work: Work, events: Sequence[FeedEvent]) -> None:
    about_goods = [event for event in events if event.lines or event.batch is not None]
    if not about_goods:
        return
    work.connection.execute(
        insert(x.file_drop).values(
            name=f"stock-{about_goods[0].position}.csv",
            events=[event.event_id for event in about_goods],
            made_at=work.now,
        )
    )


def _unwritten(connection: Connection) -> Row[Any] | None:
    wanted = select(x.file_drop).where(x.file_drop.c.written_at.is_(None))
    return connection.execute(wanted.order_by(x.file_drop.c.id).limit(1)).one_or_none()


def _done(work: Work, number: int) -> None:
    done = update(x.file_drop).where(x.file_drop.c.id == number)
    work.connection.execute(done.values(written_at=work.now))


def _lines(connection: Connection, file: Row[Any]) -> tuple[list[DropLine], int]:
    events = feed.events_numbered(connection, file.events)
    ids = sorted({line.batch_id for event in events for line in event.lines})
    batches = {
        row.id: BatchKey(row.supplier, row.gtin, row.lot)
        for row in connection.execute(_BATCHES, {"ids": ids})
    }
    return [line for event in events for line in _of(event, batches)], len(events)


def _of(event: FeedEvent, batches: dict[int, BatchKey]) -> list[DropLine]:
    nothing = BatchKey("", "", "")

    def line(
        number: int, key: BatchKey, location: str, status: str, quantity: int | str
    ) -> DropLine:
        return DropLine(
            event.event_id,
            number,
            stamp(event.at),
            event.what,
            event.by,
            key.supplier,
            key.gtin,
            key.lot,
            location,
            status,
            quantity,
            event.reference,
            event.code,
        )

    if not event.lines:
        return [line(1, event.batch or nothing, "", "", "")]
    return [
        line(
            number,
            batches.get(each.batch_id, nothing),
            _place(each.place.location),
            each.place.status.value,
            each.quantity,
        )
        for number, each in enumerate(event.lines, start=1)
    ]


def _place(location: str) -> str:
    """The accounts outside the house, without the sign that a spreadsheet stumbles over."""
    return f"outside/{location[1:]}" if is_account(location) else location


_BATCHES = select(t.batch).where(t.batch.c.id.in_(bindparam("ids", expanding=True)))
