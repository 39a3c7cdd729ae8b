"""Pick, pack, ship, return: the goods of an order go through the house, guarded at every step (I1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from contracts.errors import BadInputError, ConflictError
from contracts.gs1 import has_valid_check_digit
from contracts.reason import Reason
from contracts.stock import StockStatus
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.domain.moves import Place
from erp_link.domain.orders import check_name
from erp_link.domain.places import STAGING
from erp_link.service import commands, shipping
from erp_link.service.booking import PICKED, RESERVED, SHIPPED
from erp_link.service.leave import check_leaving, check_named
from erp_link.service.orders.book import lock, reservations_of, tell
from erp_link.service.shipping import GoodsIssue
from erp_link.service.work import Work

_STAGED = Place(STAGING, StockStatus.IN_TRANSIT)
_SSCC_DIGITS = 18


def pick(work: Work, order: str, chosen: Sequence[int]) -> int:
    """Take reserved goods to staging, all or none; the units. Raises HeldError, ConflictError."""
    rows = _rows(work, order, chosen, RESERVED, "picked")
    for row in rows:
        commands.pick(work, row.id)
    return _told(work, order, "picked", rows)


def pack(work: Work, order: str, chosen: Sequence[int], label: str) -> str:
    """Put picked goods into one parcel; its label, an SSCC or a number of our own.

    Raises HeldError, ConflictError (the label is another order's), BadInputError.
    """
    lock(work, order)
    rows = _rows(work, order, chosen, PICKED, "packed")
    label = _label(work, order, label)
    together: dict[int, int] = {}
    for row in rows:
        if row.label is not None:
            raise ConflictError(
                f"Reservation {row.id} is in parcel {row.label} already",
                mend="Look at the order again",
                reservation=row.id,
            )
        batch = work.batch(row.batch_id)
        together[batch.id] = together.get(batch.id, 0) + row.quantity
        check_leaving(work, batch, _STAGED, came_from=row.location)
        check_named(work, batch, _STAGED, together[batch.id])
    work.connection.execute(
        insert(o.packed), [{"reservation_id": row.id, "label": label} for row in rows]
    )
    units = sum(row.quantity for row in rows)
    text = Reason("order_packed", {"quantity": units, "label": label})
    tell(work, order, "order_packed", text)
    return label


def ship(work: Work, order: str, chosen: Sequence[int], *, whole: bool) -> int:
    """Goods issue of everything packed, all or none; the units. With `whole` an order that is not
    packed to its last unit is refused. Raises HeldError, ConflictError.
    """
    lock(work, order)
    rows = _rows(work, order, chosen, PICKED, "shipped")
    loose = [row for row in rows if row.label is None]
    if loose:
        raise ConflictError(
            f"{sum(row.quantity for row in loose)} units for order {order} are picked, not packed",
            mend="Pack them first",
            order=order,
        )
    missing = _ordered(work, order) - _served(work, order, SHIPPED) - sum(r.quantity for r in rows)
    if whole and missing > 0:
        raise ConflictError(
            f"{missing} units of order {order} are not packed yet",
            mend="Pack them, or ship what is packed as a part",
            order=order,
            missing=missing,
        )
    for outcome in shipping.leave(work, [GoodsIssue(row.id, work.by) for row in rows]):
        if outcome is not None:
            raise outcome
    if missing <= 0:
        work.connection.execute(
            update(o.customer_order)
            .where(o.customer_order.c.order_ref == order)
            .values(closed_at=work.now)
        )
    return _told(work, order, "shipped", rows)


def bring_back(work: Work, order: str, chosen: Sequence[int]) -> int:
    """Picked or packed goods go to quarantine, allowed under any hold; the order is planned again."""
    rows = _rows(work, order, chosen, PICKED, "returned")
    for row in rows:
        commands.return_picked(work, row.id)
    work.connection.execute(
        delete(o.packed).where(o.packed.c.reservation_id.in_([row.id for row in rows]))
    )
    return _told(work, order, "returned", rows)


def shipped_and_ordered(work: Work, order: str) -> tuple[int, int]:
    """Base units that left, and those ordered."""
    return _served(work, order, SHIPPED), _ordered(work, order)


def _rows(work: Work, order: str, chosen: Sequence[int], state: str, to: str) -> list[Row[Any]]:
    if not chosen:
        raise ConflictError(
            f"Nothing of order {order} can be {to} now",
            mend="Look at the order again: a hold may have released its goods",
            order=order,
        )
    found = [row for row in reservations_of(work.connection, order, state) if row.id in chosen]
    if len(found) != len(set(chosen)):
        raise ConflictError(
            f"Some goods of order {order} are not {state} any more, they cannot be {to}",
            mend="Look at the order again: a hold may have released them",
            order=order,
        )
    return found


def _label(work: Work, order: str, label: str) -> str:
    if not label:
        count = work.connection.execute(
            select(func.count()).where(o.parcel.c.order_ref == order)
        ).scalar_one()
        label = f"{order}/{count + 1}"
    check_name(label, "parcel's label", least=1)
    sscc = label.isascii() and label.isdigit() and len(label) == _SSCC_DIGITS
    if sscc and not has_valid_check_digit(label):
        raise BadInputError(
            f"The check digit of SSCC {label} is wrong", mend="Scan the parcel's label again"
        )
    owner = work.connection.execute(
        select(o.parcel.c.order_ref).where(o.parcel.c.label == label)
    ).scalar_one_or_none()
    if owner is None:
        work.connection.execute(
            insert(o.parcel).values(
                label=label, order_ref=order, packed_at=work.now, packed_by=work.by
            )
        )
    elif owner != order:
        raise ConflictError(
            f"The label {label} is on a parcel of order {owner}",
            mend="Take another label",
            label=label,
        )
    return label


def _told(work: Work, order: str, what: str, rows: Sequence[Row[Any]]) -> int:
    units = sum(int(row.quantity) for row in rows)
    tell(work, order, f"order_{what}", Reason(f"order_{what}", {"quantity": units}))
    return units


def _ordered(work: Work, order: str) -> int:
    query = select(func.sum(o.order_line.c.quantity)).where(o.order_line.c.order_ref == order)
    return int(work.connection.execute(query).scalar_one())


def _served(work: Work, order: str, *states: str) -> int:
    query = select(func.coalesce(func.sum(t.reservation.c.quantity), 0)).where(
        t.reservation.c.order_ref == order,
        t.reservation.c.line_number.is_not(None),
        t.reservation.c.state.in_(states),
    )
    return int(work.connection.execute(query).scalar_one())
