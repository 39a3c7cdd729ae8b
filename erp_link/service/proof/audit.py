"""What must hold of the books at every moment, asked of the database itself (I1).

Each question returns what contradicts it, in words; nothing is mended here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import Connection, func, select

from contracts.stock import HoldKind, StockStatus
from erp_link.adapters import tables as t
from erp_link.domain.places import CUSTOMER_ACCOUNT, STAGING, is_account
from erp_link.service.booking import RESERVED
from erp_link.service.holding import covered_by_batch
from erp_link.service.proof.judged import (
    nothing_free_without_its_judge,
    one_judge_a_generation,
)
from erp_link.service.work import hold_guards

_AT_ONCE = 500


def moves_sum_to_zero(connection: Connection) -> Iterator[str]:
    """Double entry: the lines of each move cancel out, batch by batch."""
    summed = func.sum(t.move_line.c.quantity)
    rows = connection.execute(
        select(t.move_line.c.event_id, t.move_line.c.batch_id, summed.label("left"))
        .group_by(t.move_line.c.event_id, t.move_line.c.batch_id)
        .having(summed != 0)
    )
    for row in rows:
        yield f"the move of event {row.event_id} leaves {row.left} of batch {row.batch_id}"


def stock_is_what_was_moved(connection: Connection) -> Iterator[str]:
    """The projection says what the lines add up to, place by place."""
    lines = t.move_line.c
    rows = connection.execute(
        select(lines.batch_id, lines.location, lines.status, func.sum(lines.quantity)).group_by(
            lines.batch_id, lines.location, lines.status
        )
    )
    moved = {(b, place, s): int(n) for b, place, s, n in rows if n and not is_account(place)}
    stood = {
        (row.batch_id, row.location, row.status): row.quantity
        for row in connection.execute(select(t.stock).where(t.stock.c.quantity != 0))
    }
    for at in sorted(moved.keys() | stood.keys()):
        if moved.get(at, 0) != stood.get(at, 0):
            batch, place, status = at
            yield (
                f"batch {batch} in {place} ({status}): {stood.get(at, 0)} stand,"
                f" {moved.get(at, 0)} were moved there"
            )


def reserved_is_on_hand(connection: Connection) -> Iterator[str]:
    """Nothing is reserved twice, out of a status that may not leave, or beyond what is there."""
    wanted = {
        (row.batch_id, row.location, StockStatus.UNRESTRICTED.value): int(row.quantity)
        for row in connection.execute(
            select(
                t.reservation.c.batch_id,
                t.reservation.c.location,
                func.sum(t.reservation.c.quantity).label("quantity"),
            )
            .where(t.reservation.c.state == RESERVED)
            .group_by(t.reservation.c.batch_id, t.reservation.c.location)
        )
    }
    rows = connection.execute(select(t.stock).where(t.stock.c.reserved != 0))
    kept = {(row.batch_id, row.location, row.status): row for row in rows}
    for at in sorted(wanted.keys() | kept.keys()):
        row = kept.get(at)
        reserved, there = (row.reserved, row.quantity) if row is not None else (0, 0)
        if reserved != wanted.get(at, 0):
            batch, place, status = at
            yield (
                f"batch {batch} in {place} ({status}): {reserved} count as reserved,"
                f" {wanted.get(at, 0)} are"
            )
        elif not 0 <= reserved <= there:
            yield f"batch {at[0]} in {at[1]}: {reserved} of {there} are reserved"


def guards_count_the_holds(connection: Connection) -> Iterator[str]:
    """Each guard's count is the number of open holds that it stands for."""
    wanted: Counter[tuple[str, str]] = Counter()
    for hold in connection.execute(select(t.hold).where(t.hold.c.released_at.is_(None))):
        match hold.kind:
            case HoldKind.BATCH:
                batch = connection.execute(
                    select(t.batch).where(t.batch.c.id == hold.batch_id)
                ).one()
                wanted.update((guard.kind, guard.ref) for guard in hold_guards(batch))
            case HoldKind.SUPPLIER:
                wanted["supplier", hold.supplier] += 1
            case HoldKind.LOCATION:
                wanted["location", hold.location] += 1
            case _:
                pass
    rows = connection.execute(select(t.guard).where(t.guard.c.open_holds != 0))
    counted = Counter({(row.kind, row.ref): row.open_holds for row in rows})
    for kind, ref in sorted(wanted.keys() | counted.keys()):
        if wanted[kind, ref] != counted[kind, ref]:
            yield (
                f"guard {kind} {ref} counts {counted[kind, ref]} open holds, there are"
                f" {wanted[kind, ref]}"
            )


def nothing_left_under_a_hold(connection: Connection) -> Iterator[str]:
    """I1 over the whole history: between a hold's event and its release's, no goods issue of what
    it covers. Both take their numbers under the batch's guard, so the numbers tell the order.
    """
    told = select(t.event.c.id, t.event.c.what, t.event.c.reference).where(
        t.event.c.what.in_(["held", "released"])
    )
    moments = {(what, reference): number for number, what, reference in connection.execute(told)}
    kinds = (HoldKind.BATCH.value, HoldKind.SUPPLIER.value)
    for hold in connection.execute(select(t.hold).where(t.hold.c.kind.in_(kinds))).all():
        begun = moments.get(("held", hold.hold_id))
        if begun is None:
            yield f"hold {hold.hold_id} has no event"
            continue
        covered = (
            covered_by_batch(connection, hold.batch_id)
            if hold.kind == HoldKind.BATCH.value
            else _named_by_supplier(connection, hold.supplier)
        )
        ended = moments.get(("released", hold.hold_id))
        for event_id, batch_id in _issued_between(connection, covered, begun, ended):
            yield f"batch {batch_id} left with event {event_id} under hold {hold.hold_id}"


def _named_by_supplier(connection: Connection, supplier: str) -> list[int]:
    """Without the batches of no known supplier: those are covered from the moment on when the
    supplier's own batch of that lot came to be known, and the history does not tell it.
    """
    mine = select(t.batch.c.id).where(t.batch.c.supplier == supplier)
    return list(connection.execute(mine).scalars())


def _issued_between(
    connection: Connection, batches: list[int], begun: int, ended: int | None
) -> Iterable[tuple[int, int]]:
    """Goods issues from staging: the way of a command. What was shipped offline against a quota
    was issued before, and its report is an observation.
    """
    out, staged = t.move_line.alias(), t.move_line.alias()
    for at in range(0, len(batches), _AT_ONCE):
        asked = (
            select(out.c.event_id, out.c.batch_id)
            .join(
                staged,
                (staged.c.event_id == out.c.event_id)
                & (staged.c.batch_id == out.c.batch_id)
                & (staged.c.location == STAGING)
                & (staged.c.quantity < 0),
            )
            .where(
                out.c.batch_id.in_(batches[at : at + _AT_ONCE]),
                out.c.location == CUSTOMER_ACCOUNT,
                out.c.event_id > begun,
            )
        )
        if ended is not None:
            asked = asked.where(out.c.event_id < ended)
        for row in connection.execute(asked):
            yield row.event_id, row.batch_id


QUESTIONS: tuple[tuple[str, Callable[[Connection], Iterator[str]]], ...] = (
    ("moves_sum_to_zero", moves_sum_to_zero),
    ("stock_is_what_was_moved", stock_is_what_was_moved),
    ("reserved_is_on_hand", reserved_is_on_hand),
    ("guards_count_the_holds", guards_count_the_holds),
    ("nothing_left_under_a_hold", nothing_left_under_a_hold),
    ("one_judge_a_generation", one_judge_a_generation),
    ("nothing_free_without_its_judge", nothing_free_without_its_judge),
)


def audit(connection: Connection) -> Iterator[tuple[str, str]]:
    """Every contradiction in the books: the question's name and what was found."""
    for name, ask in QUESTIONS:
        for found in ask(connection):
            yield name, found
