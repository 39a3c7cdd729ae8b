"""Logs as they come in: proved, kept, sorted into those that count and those that wait (I2, I6).

What was acknowledged is on disk, whether or not it can be booked yet. Of a log that does not hold,
every byte is kept, and its device is quarantined: what it saw is still booked, but its word lifts
no hold until a person has looked into it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, select, update

from contracts.canonical import canonical
from contracts.device_log import Fact, LogEntry, Moved, Shipped, hold_id_of
from contracts.errors import BadInputError, TallymanError
from contracts.reason import Reason
from erp_link.adapters import merge_tables as m
from erp_link.adapters.guards import insert_missing, inserted
from erp_link.domain.merge import conflicts as cf
from erp_link.domain.merge.chains import Chain, Link, admit
from erp_link.domain.merge.conflicts import ConflictKind
from erp_link.service.merge import disputes, proving, reading, roster
from erp_link.service.merge.proving import RevokedDeviceError, UnknownDeviceError
from erp_link.service.work import Work, ensure_batch


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that is not its device's own. It is kept; `code` is stable."""

    device: str
    seq: int
    hash: str
    code: str
    message: str
    mend: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a device's log has come. `expected` is the lowest number that is missing; `waiting`
    entries hang on it. `state` is active, quarantined, revoked or unknown.
    """

    device: str
    state: str
    expected: int
    waiting: int
    suspect_from: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of an upload. Entries that are `known` had come before."""

    new: int
    known: int
    refused: tuple[Refusal, ...]
    logs: tuple[Standing, ...]


def take_in(work: Work, entries: Sequence[LogEntry], *, of_revoked: bool = False) -> Uploaded:
    """Keep everything that came; sort out what counts. Nothing is booked yet. `of_revoked`: a person
    said that what revoked devices sent counts.
    """
    refused: list[Refusal] = []
    good: dict[str, list[LogEntry]] = {}
    rows = _devices(work, entries)
    for entry in entries:
        try:
            _prove(entry, rows.get(entry.device), of_revoked=of_revoked)
        except TallymanError as error:
            refused.append(_refuse(work, entry, error))
        else:
            good.setdefault(entry.device, []).append(entry)
    new = 0
    for device, log in sorted(good.items()):
        fresh = [entry for entry in log if _keep(work, entry)]
        new += len(fresh)
        if fresh:
            _admit(work, device, fresh, set(_numbers(fresh)))
    for device in sorted({refusal.device for refusal in refused} & set(rows)):
        _suspect_refused(work, rows[device], [r for r in refused if r.device == device])
    taken = sum(len(log) for log in good.values())
    named = sorted({entry.device for entry in entries} & set(rows))
    return Uploaded(new, taken - new, tuple(refused), tuple(standings(work, named)))


def standings(work: Work, devices: Iterable[str]) -> list[Standing]:
    """How far logs have come."""
    found = []
    for device in devices:
        row = roster.device_row(work, device)
        of_device = m.offline_entry.c.device == device
        waits = m.offline_entry.c.state == reading.WAITING
        last = work.connection.execute(
            select(func.max(m.offline_entry.c.seq)).where(of_device, ~waits)
        ).scalar()
        waiting = work.connection.execute(
            select(func.count()).select_from(m.offline_entry).where(of_device, waits)
        ).scalar_one()
        found.append(
            Standing(device, row.state, (last or 0) + 1, waiting, row.suspect_from, row.why)
        )
    return found


def settled(work: Work, entry_id: str) -> None:
    """Everything was brought in line with a hold or release."""
    work.connection.execute(
        update(m.offline_entry)
        .where(m.offline_entry.c.entry_id == entry_id, m.offline_entry.c.state == reading.BOOKED)
        .values(state=reading.SETTLED)
    )


def _devices(work: Work, entries: Sequence[LogEntry]) -> dict[str, Row[Any]]:
    rows = {}
    for device in sorted({entry.device for entry in entries}):
        try:
            proving.check_device(device)
        except BadInputError:
            continue
        missing = insert_missing(work.connection, m.offline_device).values(
            device=device,
            public_key="",
            owner="",
            roles=[],
            state=roster.UNKNOWN,
            why="unknown_device",
            enrolled_at=work.now,
            enrolled_by="",
        )
        work.connection.execute(missing)
        rows[device] = roster.device_row(work, device, lock=True)
    return rows


def _prove(entry: LogEntry, row: Row[Any] | None, *, of_revoked: bool) -> None:
    proving.check_form(entry)
    if row is None or row.state == roster.UNKNOWN:
        raise UnknownDeviceError(
            f"The device {entry.device} is not enrolled here",
            mend="Enrol it with its public key: its log is kept and counts from then on",
            device=entry.device,
        )
    proving.check_signature(entry, row.public_key)
    if row.state == roster.REVOKED and not of_revoked:
        raise RevokedDeviceError(
            f"The device {entry.device} was revoked: what it sends is kept, and books nothing",
            mend="Quality looks at it on the page Conflicts",
            device=entry.device,
        )


def _refuse(work: Work, entry: LogEntry, error: TallymanError) -> Refusal:
    raw = json.dumps(asdict(entry), sort_keys=True, ensure_ascii=True)
    inserted(
        work.connection,
        m.offline_refused,
        digest=hashlib.sha256(raw.encode()).hexdigest(),
        device=entry.device[:80],
        code=error.code,
        message=error.message,
        raw=raw,
        uploaded_at=work.now,
        uploaded_by=work.by,
    )
    return Refusal(entry.device, entry.seq, entry.hash, error.code, error.message, error.mend)


def _suspect_refused(work: Work, row: Row[Any], refused: Sequence[Refusal]) -> None:
    first = min(refused, key=lambda refusal: (refusal.seq, refusal.code))
    told = row.suspect_from is not None and row.suspect_from <= first.seq
    if told and row.state in (roster.QUARANTINED, roster.REVOKED):
        return
    roster.quarantine(work, row.device, max(1, first.seq), first.code, code=first.code)


def _keep(work: Work, entry: LogEntry) -> bool:
    """Keep a proved entry; False where it had come before."""
    try:
        fact: Fact | None = proving.fact_of(entry.kind, dict(entry.body))
    except BadInputError:
        fact = None
    batch = getattr(fact, "batch", None)
    location = getattr(fact, "source", "") or getattr(fact, "location", "")
    target = fact.target if isinstance(fact, Moved) else ""
    return inserted(
        work.connection,
        m.offline_entry,
        entry_id=entry.hash,
        device=entry.device,
        seq=entry.seq,
        at=reading.EPOCH + timedelta(microseconds=entry.at_us),
        by=entry.by,
        kind=entry.kind,
        body=canonical(entry.body).decode(),
        previous=entry.previous,
        signature=entry.signature,
        basis="",
        state=reading.WAITING,
        uploaded_at=work.now,
        uploaded_by=work.by,
        batch_id=None if batch is None else ensure_batch(work.connection, batch),
        location=location,
        # A hold is found by its id, goods that were moved by where they came to.
        target=hold_id_of(entry.hash) if entry.kind == "held" else target,
        quota=fact.quota if isinstance(fact, Shipped) else "",
        beyond=0,
        crossed=0,
    )


def _numbers(entries: Iterable[LogEntry]) -> Iterable[int]:
    return (entry.seq for entry in entries)


def _admit(work: Work, device: str, fresh: Sequence[LogEntry], numbers: set[int]) -> None:
    waiting = work.connection.execute(
        select(func.min(m.offline_entry.c.seq)).where(
            m.offline_entry.c.device == device, m.offline_entry.c.state == reading.WAITING
        )
    ).scalar()
    lowest = min(numbers if waiting is None else {*numbers, waiting})
    rows = work.connection.execute(
        select(m.offline_entry).where(
            m.offline_entry.c.device == device, m.offline_entry.c.seq >= lowest - 1
        )
    ).all()
    links = {row.entry_id: Link(row.seq, row.entry_id, row.previous) for row in rows}
    rooted = [links[row.entry_id] for row in rows if row.state != reading.WAITING]
    chain = admit(links.values(), rooted=rooted)
    _let_count(work, {row.entry_id: row for row in rows}, chain)
    new = {entry.hash for entry in fresh}
    before = admit((link for name, link in links.items() if name not in new), rooted=rooted)
    suspects = set(chain.suspects) - set(before.suspects)
    if suspects:
        roster.quarantine(work, device, min(suspects), "two_histories", code="two_histories")


def _let_count(work: Work, rows: dict[str, Row[Any]], chain: Chain) -> None:
    told = {
        name: _basis_after(row, row.basis, row.state)
        for name, row in rows.items()
        if row.state != reading.WAITING
    }
    for link in chain.hanging:
        row = rows[link.entry_id]
        if row.state != reading.WAITING:
            continue
        basis = told.get(link.previous, "")
        try:
            reading.fact_of_row(row)
            state = reading.ADMITTED
        except BadInputError as error:
            state = reading.UNREADABLE
            _tell_unreadable(work, row, error)
        told[link.entry_id] = _basis_after(row, basis, state)
        work.connection.execute(
            update(m.offline_entry)
            .where(m.offline_entry.c.entry_id == link.entry_id)
            .values(state=state, basis=basis)
        )


def _basis_after(row: Row[Any], basis: str, state: str) -> str:
    told = row.kind == "carried" and state != reading.UNREADABLE
    return str(row.entry_id) if told else basis


def _tell_unreadable(work: Work, row: Row[Any], error: TallymanError) -> None:
    text = Reason("story_offline_unreadable", {"device": row.device, "why": error.message})
    work.event("unreadable", text, reference=row.entry_id)
    found = [cf.of(ConflictKind.UNREADABLE, [row.entry_id], device=row.device)]
    disputes.settle(work, f"entry/{row.entry_id}", found)
