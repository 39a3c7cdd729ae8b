"""One entry of an offline log into the books, in a transaction of its own, exactly once (I2, I6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select, update

from contracts.device_log import (
    Adjusted,
    Carried,
    Counted,
    Fact,
    Flagged,
    Held,
    Moved,
    Observed,
    Received,
    Released,
    Shipped,
    TicketOpened,
)
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence, StockStatus
from erp_link.adapters import merge_tables as m
from erp_link.adapters import tables as t
from erp_link.domain.merge import conflicts as cf
from erp_link.domain.merge import counts
from erp_link.domain.merge.conflicts import ConflictKind
from erp_link.domain.merge.entries import Cell, Entry, Touch, touches
from erp_link.domain.merge.fold import disputes_of, taken_beyond
from erp_link.domain.moves import Place
from erp_link.domain.places import SUPPLIER_ACCOUNT
from erp_link.domain.tickets import TicketKind
from erp_link.service.booking import learn_expiry
from erp_link.service.merge import disputes, holds, reading, shipments
from erp_link.service.merge.cells import FOUND, CellBook, locked
from erp_link.service.ticketing import add_evidence, open_ticket
from erp_link.service.work import Work, batch_guards, ensure_batch, location_guard

OFFLINE = "story_offline_"
"""Codes of what was booked from logs: the core's own moves have others."""


def book(work: Work, entry_id: str) -> bool:
    """Book an entry that counts and is not booked yet; False where somebody else has.

    Raises BadInputError, NotFoundError for what the books cannot take; nothing is booked then.
    """
    claimed = work.connection.execute(
        update(m.offline_entry)
        .where(m.offline_entry.c.entry_id == entry_id, m.offline_entry.c.state == reading.ADMITTED)
        .values(state=reading.BOOKED)
    )
    if claimed.rowcount == 0:
        return False
    entry = reading.entry(work.connection, entry_id)
    _book_fact(work, entry, entry.fact)
    return True


def _book_fact(work: Work, entry: Entry, fact: Fact) -> None:
    match fact:
        case Carried():
            pass
        case Held():
            holds.hold(work, entry, fact)
        case Released():
            holds.name_released(work, entry, fact)
        case Flagged() | TicketOpened():
            _open_ticket(work, entry, fact)
        case Observed(batch, expiry):
            batch_id = guarded(work, batch)
            learn_expiry(work, batch_id, date.fromisoformat(expiry))
            text = Reason("story_offline_observed", {"device": entry.device, "expiry": expiry})
            work.event("observed", text, batch_id=batch_id, reference=entry.entry_id)
        case _:
            _book_goods(work, entry, fact)


def _book_goods(
    work: Work, entry: Entry, fact: Counted | Adjusted | Moved | Received | Shipped
) -> None:
    batch_id = guarded(work, fact.batch, *_places(fact))
    book_guarded(work, entry, fact, batch_id)


def book_guarded(
    work: Work,
    entry: Entry,
    fact: Counted | Adjusted | Moved | Received | Shipped,
    batch_id: int,
) -> None:
    """Book what an entry says about goods; the guards of its batch and places are taken."""
    places = _places(fact)
    if isinstance(fact, Shipped):
        shipments.book(work, batch_id, entry, fact)
        for cell in locked(work, batch_id, *places).values():
            settle_cell(work, fact.batch, cell)
        return
    if isinstance(fact, Received) and fact.expiry:
        learn_expiry(work, batch_id, date.fromisoformat(fact.expiry))
    cells = locked(work, batch_id, *places)
    event_id = work.event(
        _WHAT[type(fact)], _told(entry, fact), batch_id=batch_id, reference=entry.entry_id
    )
    match fact:
        case Counted():
            _mark_crossed(work, entry, batch_id, fact.location)
            settled = counts.settle(_counts(work, batch_id, fact.location))
            cells[fact.location].settle_counts(event_id, settled.taken, settled.added)
        case Adjusted(_, location, change) if change < 0:
            cells[location].take(event_id, -change, FOUND, cartons_to=FOUND)
        case Adjusted(_, location, change):
            cells[location].add(event_id, change, FOUND)
        case Moved(_, quantity, source, target):
            there = Place(target, StockStatus.INSPECTION)
            cells[source].take(event_id, quantity, FOUND, cartons_to=there)
            cells[target].add(event_id, quantity, FOUND)
        case Received(_, quantity, location):
            cells[location].add(event_id, quantity, Place(SUPPLIER_ACCOUNT, FOUND.status))
    for cell in cells.values():
        settle_cell(work, fact.batch, cell)


def settle_cell(work: Work, batch: BatchKey, cell: CellBook) -> None:
    """The conflicts of one cell, as things stand now."""
    where = Cell(batch, cell.location)
    settled = counts.settle(_counts(work, cell.batch_id, cell.location))
    # Without a count there is nothing that goods could have been moved beside.
    crossed = _crossed(work, [head.entry_id for head in settled.heads]) if settled.heads else set()
    touched = _touches(work, cell.batch_id, where) if settled.heads else []
    found = disputes_of(where, settled, touched, owed=cell.owed, by_core=crossed)
    disputes.settle(work, scope_of(cell.batch_id, cell.location), found)


def scope_of(batch_id: int, location: str) -> str:
    return f"cell/{batch_id}/{location}"


def cannot(work: Work, entry_id: str, why: str) -> None:
    """An entry hangs in its chain and cannot be booked: it is kept, and somebody is told."""
    work.connection.execute(
        update(m.offline_entry)
        .where(m.offline_entry.c.entry_id == entry_id)
        .values(state=reading.UNREADABLE)
    )
    device = work.connection.execute(
        select(m.offline_entry.c.device).where(m.offline_entry.c.entry_id == entry_id)
    ).scalar_one()
    text = Reason("story_offline_unreadable", {"device": device, "why": why})
    work.event("unreadable", text, reference=entry_id)
    found = [cf.of(ConflictKind.UNREADABLE, [entry_id], device=device)]
    disputes.settle(work, f"entry/{entry_id}", found)


def guarded(work: Work, key: BatchKey, *places: str) -> int:
    """Take the guards of a batch and places, the batch known from now on."""
    batch_id = ensure_batch(work.connection, key)
    batch = work.batch(batch_id)
    work.take({*batch_guards(work.connection, batch), *map(location_guard, places)})
    work.changes_expectations = True
    return batch_id


def _open_ticket(work: Work, entry: Entry, fact: Flagged | TicketOpened) -> None:
    batch_id = ensure_batch(work.connection, fact.batch) if fact.batch is not None else None
    flagged = isinstance(fact, Flagged)
    values: dict[str, str | int | float] = {
        "note": fact.note,
        "location": fact.location or "-",
        "device": entry.device,
    }
    if isinstance(fact, Flagged):
        values |= {"flag": fact.flag, "gtin": fact.gtin or "-"}
    ticket_id = f"{'FL' if flagged else 'QC'}-{entry.entry_id[:16]}"
    open_ticket(
        work,
        ticket_id,
        Reason("flagged_offline" if flagged else "ticket_offline", values),
        kind=TicketKind.FLAG,
        batch_id=batch_id,
        device=entry.device,
    )
    for sha256 in fact.photos:
        add_evidence(work, ticket_id, Evidence("photo", sha256))


_WHAT: dict[type[Fact], str] = {
    Counted: "counted",
    Adjusted: "adjusted",
    Moved: "moved",
    Received: "received",
}


def _told(entry: Entry, fact: Counted | Adjusted | Moved | Received) -> Reason:
    values: dict[str, str | int | float] = {"device": entry.device}
    match fact:
        case Counted(_, location, counted, expected):
            values |= {"location": location, "counted": counted, "expected": expected}
        case Adjusted(_, location, change, reason):
            values |= {"location": location, "change": change, "reason": reason or "-"}
        case Moved(_, quantity, source, target):
            values |= {"quantity": quantity, "source": source, "target": target}
        case Received(_, quantity, location):
            values |= {"quantity": quantity, "location": location}
    return Reason(f"{OFFLINE}{_WHAT[type(fact)]}", values)


def _places(fact: Counted | Adjusted | Moved | Received | Shipped) -> tuple[str, ...]:
    if isinstance(fact, Moved):
        return fact.source, fact.target
    return (fact.location,) if fact.location else ()


def _counts(work: Work, batch_id: int, location: str) -> list[Entry]:
    return reading.entries_where(
        work.connection,
        m.offline_entry.c.kind == "counted",
        m.offline_entry.c.state == reading.BOOKED,
        m.offline_entry.c.batch_id == batch_id,
        m.offline_entry.c.location == location,
    )


def _touches(work: Work, batch_id: int, cell: Cell) -> list[Touch]:
    here = m.offline_entry.c.location == cell.location
    rows = reading.entries_where(
        work.connection,
        m.offline_entry.c.state == reading.BOOKED,
        m.offline_entry.c.kind != "counted",
        m.offline_entry.c.batch_id == batch_id,
        here | (m.offline_entry.c.target == cell.location),
    )
    over = _beyond(work, [entry.entry_id for entry in rows])
    return [
        touch
        for entry in rows
        for touch in (*touches(entry), *taken_beyond(entry, over[entry.entry_id]))
        if touch.cell == cell
    ]


def _beyond(work: Work, names: Sequence[str]) -> dict[str, int]:
    rows = work.connection.execute(
        select(m.offline_entry.c.entry_id, m.offline_entry.c.beyond).where(
            m.offline_entry.c.entry_id.in_(names)
        )
    )
    return {row.entry_id: row.beyond for row in rows}


def _crossed(work: Work, names: Sequence[str]) -> set[str]:
    rows = work.connection.execute(
        select(m.offline_entry.c.entry_id).where(
            m.offline_entry.c.entry_id.in_(names), m.offline_entry.c.crossed != 0
        )
    )
    return set(rows.scalars())


def _mark_crossed(work: Work, entry: Entry, batch_id: int, location: str) -> None:
    """The core itself moved goods of the cell after the counter was told how things stand."""
    version, _ = reading.told_and_uploaded(work.connection, entry.entry_id)
    if not version:
        return
    moved = (
        select(t.move_line.c.event_id)
        .join(t.event, t.event.c.id == t.move_line.c.event_id)
        .where(
            t.move_line.c.batch_id == batch_id,
            t.move_line.c.location == location,
            t.move_line.c.event_id > version,
            ~t.event.c.code.startswith(OFFLINE, autoescape=True),
        )
        .group_by(t.move_line.c.event_id)
        .having(func.sum(t.move_line.c.quantity) != 0)
    )
    if work.connection.execute(moved.limit(1)).first() is not None:
        work.connection.execute(
            update(m.offline_entry)
            .where(m.offline_entry.c.entry_id == entry.entry_id)
            .values(crossed=1)
        )
