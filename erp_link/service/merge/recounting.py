"""What a person at the core settles: a bin counted again."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import func, insert, select

from contracts.canonical import canonical
from contracts.device_log import GENESIS, KIND_OF, Carried, Counted, Fact, LogEntry, hash_of
from contracts.stock import BatchKey
from erp_link.adapters import merge_tables as m
from erp_link.adapters import tables as t
from erp_link.adapters.guards import insert_missing
from erp_link.domain.merge.checks import check
from erp_link.domain.merge.entries import CORE
from erp_link.service.merge import booking, reading, roster
from erp_link.service.merge.cells import locked
from erp_link.service.work import Work


def recount(work: Work, batch: BatchKey, location: str, counted: int) -> None:
    """A count at the core, in knowledge of everything that has come in: it settles what counts of
    the cell disagreed on. Raises BadInputError.
    """
    check(Counted(batch, location, counted, 0))
    _lock_own_log(work)
    batch_id = booking.guarded(work, batch, location)
    cell = locked(work, batch_id, location)[location]
    told = Carried(_position(work), _heads(work))
    stands = work.connection.execute(
        select(func.coalesce(func.sum(t.stock.c.quantity), 0)).where(
            t.stock.c.batch_id == batch_id, t.stock.c.location == location
        )
    ).scalar_one()
    fact = Counted(batch, location, counted, int(stands) - cell.owed)
    basis = _append(work, told, batch_id=None, location="", basis="")
    entry_id = _append(work, fact, batch_id=batch_id, location=location, basis=basis)
    booking.book_guarded(work, reading.entry(work.connection, entry_id), fact, batch_id)


def _lock_own_log(work: Work) -> None:
    work.connection.execute(
        insert_missing(work.connection, m.offline_device).values(
            device=CORE,
            public_key="",
            owner="",
            roles=[],
            state=roster.ACTIVE,
            why="",
            enrolled_at=work.now,
            enrolled_by=work.by,
        )
    )
    roster.device_row(work, CORE, lock=True)


def _heads(work: Work) -> dict[str, int]:
    """Of each device's log, the last entry that is in the books."""
    return reading.heads(work.connection)


def _position(work: Work) -> int:
    return reading.position(work.connection)


def _append(work: Work, fact: Fact, *, batch_id: int | None, location: str, basis: str) -> str:
    last = work.connection.execute(
        select(m.offline_entry.c.entry_id, m.offline_entry.c.seq)
        .where(m.offline_entry.c.device == CORE)
        .order_by(m.offline_entry.c.seq.desc())
        .limit(1)
    ).one_or_none()
    entry = LogEntry(
        device=CORE,
        seq=1 if last is None else last.seq + 1,
        at_us=reading.micros(work.now),
        by=work.by,
        kind=KIND_OF[type(fact)],
        body=asdict(fact),
        previous=GENESIS if last is None else last.entry_id,
        hash="",
        signature="",
    )
    entry_id = hash_of(entry)
    work.connection.execute(
        insert(m.offline_entry).values(
            entry_id=entry_id,
            device=entry.device,
            seq=entry.seq,
            at=work.now,
            by=entry.by,
            kind=entry.kind,
            body=canonical(entry.body).decode(),
            previous=entry.previous,
            signature="",
            basis=basis,
            state=reading.BOOKED,
            uploaded_at=work.now,
            uploaded_by=work.by,
            batch_id=batch_id,
            location=location,
            target="",
            quota="",
            beyond=0,
            crossed=0,
        )
    )
    return entry_id
