"""Holds and releases that were written offline (I1): a hold counts at once, a release only lifts
the holds that it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, update

from contracts.device_log import Held, Released, hold_id_of
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, TicketState, UsageDecision
from erp_link.adapters import merge_tables as m
from erp_link.adapters import tables as t
from erp_link.adapters.guards import inserted
from erp_link.domain.merge import conflicts as cf
from erp_link.domain.merge.conflicts import Conflict, ConflictKind
from erp_link.domain.merge.entries import Entry
from erp_link.domain.merge.fold import disputed_release
from erp_link.domain.merge.releases import HoldSeen, ReleaseRule, are_enough, may_release
from erp_link.domain.tickets import TicketKind, lifts_hold
from erp_link.service import decisions, holding
from erp_link.service.merge import disputes, reading
from erp_link.service.ticketing import set_state
from erp_link.service.work import Work, batch_guards, ensure_batch, key_of

_WAITING = (TicketState.OPEN.value, TicketState.CONTAINED.value)


def hold(work: Work, entry: Entry, fact: Held) -> None:
    """Add the hold, with its ticket. Takes its guards. Cartons that the books cannot tell apart
    mean the whole batch.
    """
    kind, cartons = fact.kind, fact.cartons
    if fact.batch is not None:
        batch_id = ensure_batch(work.connection, fact.batch)
        if kind is HoldKind.CARTONS and not _known_cartons(work, batch_id, cartons):
            kind, cartons = HoldKind.BATCH, ()
    decisions.raise_hold(
        work,
        hold_id_of(entry.entry_id),
        kind,
        Reason("held_offline", {"note": fact.note, "device": entry.device}),
        batch=fact.batch,
        cartons=cartons,
        location=fact.location,
        supplier=fact.supplier,
    )


def name_released(work: Work, entry: Entry, fact: Released) -> None:
    """Write down which holds a release names, those not heard of yet included."""
    for hold_id in fact.holds:
        inserted(
            work.connection,
            m.offline_release,
            entry_id=entry.entry_id,
            hold_id=hold_id,
            lifted=0,
        )
    text = Reason("story_offline_released", {"device": entry.device, "reason": fact.reason})
    work.event("release_offline", text, reference=entry.entry_id)


def touched_by(work: Work, hold_id: str) -> list[str]:
    """The releases to look at again when a hold changes: those that name it, and those that name
    a hold on the same batch.
    """
    row = _row(work, hold_id)
    named = {hold_id}
    if row is not None and row.batch_id is not None:
        same = select(t.hold.c.hold_id).where(t.hold.c.batch_id == row.batch_id)
        named.update(work.connection.execute(same).scalars())
    elif row is not None:
        named.update(work.connection.execute(select(m.offline_release.c.hold_id)).scalars())
    names = sorted({reading.first_name(name) for name in named})
    query = select(m.offline_release.c.entry_id).where(m.offline_release.c.hold_id.in_(names))
    return sorted(set(work.connection.execute(query).scalars()))


def bring_in_line(work: Work, hold_id: str, rule: ReleaseRule) -> None:
    """Lift a hold that enough good releases name, put back one whose release was found void. Takes
    the hold's guards.
    """
    row = _row(work, hold_id)
    if row is None:
        return
    good = _good(work, hold_id, rule)
    if good and row.released_at is None:
        _lift(work, row, good[0])
    elif not good and row.released_at is not None and _lifted_offline(work, hold_id):
        _put_back(work, row)


def settle_release(work: Work, entry: Entry, rule: ReleaseRule) -> None:
    """The conflicts of one release, as things stand now."""
    fact = entry.fact
    if not isinstance(fact, Released):
        raise TypeError(f"{entry.entry_id} is no release")
    names = [name for hold_id in fact.holds for name in (hold_id, hold_id + reading.AGAIN)]
    known = reading.holds_where(work.connection, t.hold.c.hold_id.in_(names))
    still_open = reading.holds_where(work.connection, t.hold.c.released_at.is_(None))
    allowed = _allowed(work, entry, rule)
    waiting = {hold_id for hold_id in fact.holds if not _good(work, hold_id, rule)}
    found: list[Conflict] = list(
        disputed_release(entry, known, still_open, allowed=allowed, waiting=waiting)
    )
    beside = _raised_at_the_core(work, entry, known, still_open)
    if allowed and beside:
        kind = ConflictKind.RELEASE_OVERTAKEN
        found.append(cf.of(kind, [entry.entry_id, *beside], device=entry.device))
    named = [hold.hold_id for hold in still_open if hold.hold_id in fact.holds]
    waits = [hold_id for hold_id in named if hold_id not in waiting]
    if allowed and waits:
        kind = ConflictKind.RELEASE_WAITS
        found.append(cf.of(kind, [entry.entry_id, *waits], device=entry.device))
    disputes.settle(work, f"release/{entry.entry_id}", found)


def _raised_at_the_core(
    work: Work, release: Entry, named: Sequence[HoldSeen], still_open: Sequence[HoldSeen]
) -> list[str]:
    """Holds that the core added on what a release freed after its device was told how things stand,
    and before the release came in.
    """
    freed = {hold.batch for hold in named if hold.batch is not None}
    names = {hold.hold_id for hold in named}
    beside = [
        hold.hold_id
        for hold in still_open
        if hold.entry is None
        and hold.hold_id not in names
        and any(hold.covers(batch) for batch in freed)
    ]
    version, uploaded_at = reading.told_and_uploaded(work.connection, release.entry_id)
    rows = work.connection.execute(
        select(t.hold.c.hold_id)
        .join(t.event, (t.event.c.what == "held") & (t.event.c.reference == t.hold.c.hold_id))
        .where(
            t.hold.c.hold_id.in_(beside),
            t.hold.c.raised_at <= uploaded_at,
            t.event.c.id > version,
        )
    )
    return sorted(set(rows.scalars()))


def _lift(work: Work, row: Row[Any], release: Entry) -> None:
    fact = release.fact
    if not isinstance(fact, Released):
        raise TypeError(f"{release.entry_id} is no release")
    batches = set(holding.covered_by(work.connection, row))
    if row.batch_id is not None:
        batches.add(row.batch_id)
    share = {g for b in batches for g in batch_guards(work.connection, work.batch(b))}
    work.take(share, holding.guards_of_hold(work, row))
    now = _row(work, reading.first_name(row.hold_id))
    if now is None or now.released_at is not None:
        return
    words = f"{UsageDecision.RELEASE.value}: {fact.reason} ({release.by}, {release.device})"
    tickets = work.connection.execute(
        select(t.ticket)
        .join(t.ticket_hold, t.ticket_hold.c.ticket_id == t.ticket.c.ticket_id)
        .where(t.ticket_hold.c.hold_id == row.hold_id)
        .order_by(t.ticket.c.ticket_id)
    ).all()
    decided: list[UsageDecision | None] = []
    for ticket in tickets:
        if ticket.kind == TicketKind.HOLD.value and ticket.state in _WAITING:
            set_state(work, ticket.ticket_id, TicketState.DECIDED, words=words)
            work.connection.execute(
                update(t.ticket)
                .where(t.ticket.c.ticket_id == ticket.ticket_id)
                .values(decision=UsageDecision.RELEASE.value)
            )
            decided.append(UsageDecision.RELEASE)
        else:
            decided.append(UsageDecision(ticket.decision) if ticket.decision else None)
    if lifts_hold(decided):
        holding.lift(work, row.hold_id, reason=fact.reason)
        work.connection.execute(
            update(m.offline_release)
            .where(m.offline_release.c.hold_id == reading.first_name(row.hold_id))
            .values(lifted=1)
        )


def _put_back(work: Work, row: Row[Any]) -> None:
    """What a device released that may not have been itself is on hold again."""
    batch: BatchKey | None = None
    if row.batch_id is not None:
        batch = key_of(work.batch(row.batch_id))
    work.connection.execute(
        update(m.offline_release)
        .where(m.offline_release.c.hold_id == reading.first_name(row.hold_id))
        .values(lifted=0)
    )
    first = reading.first_name(row.hold_id)
    before = select(t.hold.c.hold_id).where(
        t.hold.c.hold_id.startswith(first + reading.AGAIN, autoescape=True)
    )
    number = len(work.connection.execute(before).all()) + 1
    decisions.raise_hold(
        work,
        f"{first}{reading.AGAIN}{number}",
        HoldKind(row.kind),
        Reason("held_again", {"hold": first}),
        batch=batch,
        cartons=tuple(row.cartons),
        location=row.location,
        supplier=row.supplier,
        **({"quantity": row.quantity} if row.quantity else {}),
    )


def _row(work: Work, hold_id: str) -> Row[Any] | None:
    """The hold as it stands: the newest of those put back, else the first."""
    rows = work.connection.execute(
        select(t.hold).where(
            (t.hold.c.hold_id == hold_id)
            | t.hold.c.hold_id.startswith(hold_id + reading.AGAIN, autoescape=True)
        )
    ).all()
    return max(rows, key=lambda row: (len(row.hold_id), row.hold_id), default=None)


def _naming(work: Work, hold_id: str) -> list[Entry]:
    rows = work.connection.execute(
        select(m.offline_release.c.entry_id).where(m.offline_release.c.hold_id == hold_id)
    ).scalars()
    return reading.entries_where(work.connection, m.offline_entry.c.entry_id.in_(list(rows)))


def _good(work: Work, hold_id: str, rule: ReleaseRule) -> list[Entry]:
    """The releases that lift a hold together; none where they are not enough."""
    good = [each for each in _naming(work, hold_id) if _allowed(work, each, rule)]
    return good if are_enough(good, reading.owners(work.connection), rule) else []


def _allowed(work: Work, entry: Entry, rule: ReleaseRule) -> bool:
    roles = reading.roles_of(work.connection, [entry.device])
    owners = reading.owners(work.connection)
    return may_release(entry, roles, reading.suspects(work.connection), owners, rule)


def _lifted_offline(work: Work, hold_id: str) -> bool:
    rows = work.connection.execute(
        select(m.offline_release.c.lifted).where(m.offline_release.c.hold_id == hold_id)
    ).scalars()
    return any(rows)


def _known_cartons(work: Work, batch_id: int, cartons: Sequence[str]) -> bool:
    rows = work.connection.execute(
        select(t.carton.c.carton_id).where(
            t.carton.c.carton_id.in_(sorted(cartons)), t.carton.c.batch_id == batch_id
        )
    ).scalars()
    return set(rows) == set(cartons)
