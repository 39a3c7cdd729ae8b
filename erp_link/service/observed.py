"""Moves as they were seen. An observation is never refused (I1): the books follow the house."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from contracts.reason import Reason
from contracts.stock import StockStatus
from erp_link.adapters import ledger
from erp_link.adapters import tables as t
from erp_link.domain.moves import Place
from erp_link.domain.places import ADJUSTMENT_ACCOUNT, QUARANTINE, is_account
from erp_link.service.booking import RESERVED
from erp_link.service.orders.release import RELEASED, lost
from erp_link.service.work import Work, new_id


@dataclass(frozen=True, slots=True)
class _Carried:
    reservation_id: int
    quantity: int
    order: str
    line: int | None


def move_observed(
    work: Work, event_id: int, batch_id: int, quantity: int, source: Place, target: Place
) -> None:
    """Book what was seen to move, with the reservations on it. Where the books have less at the
    source, the difference comes from the adjustment account.
    """
    there, reserved = ledger.on_hand(work.connection, batch_id, source)
    taken = min(quantity, there)
    if taken:
        along = max(0, reserved - (there - taken))
        carried = _take_reservations(work, batch_id, source.location, along)
        work.move(event_id, batch_id, taken, source, target)
        _put_reservations(work, batch_id, carried, target)
    if quantity > taken:
        short = Place(ADJUSTMENT_ACCOUNT, target.status)
        work.move(event_id, batch_id, quantity - taken, short, target)


def _take_reservations(
    work: Work, batch_id: int, location: str, quantity: int
) -> tuple[_Carried, ...]:
    if not quantity:
        return ()
    rows = work.connection.execute(
        select(t.reservation)
        .where(
            t.reservation.c.batch_id == batch_id,
            t.reservation.c.location == location,
            t.reservation.c.state == RESERVED,
        )
        .order_by(t.reservation.c.id.desc())
    ).mappings()
    carried: list[_Carried] = []
    left = quantity
    for row in rows.all():
        part = min(left, row["quantity"])
        if not part:
            break
        left -= part
        reservation_id = row["id"]
        if part < row["quantity"]:
            stays = row["quantity"] - part
            work.connection.execute(
                update(t.reservation).where(t.reservation.c.id == row["id"]).values(quantity=stays)
            )
            values = dict(row) | {"quantity": part}
            del values["id"]
            made = work.connection.execute(insert(t.reservation).values(values))
            reservation_id = new_id(made)
        carried.append(_Carried(reservation_id, part, row["order_ref"], row["line_number"]))
    ledger.change_reserved(work.connection, batch_id, location, left - quantity)
    return tuple(carried)


def _put_reservations(
    work: Work, batch_id: int, carried: tuple[_Carried, ...], target: Place
) -> None:
    for part in carried:
        free = (
            target.status is StockStatus.UNRESTRICTED
            and target.location != QUARANTINE
            and not is_account(target.location)
        )
        if free:
            ledger.change_reserved(work.connection, batch_id, target.location, part.quantity)
        work.connection.execute(
            update(t.reservation)
            .where(t.reservation.c.id == part.reservation_id)
            .values(location=target.location, state=RESERVED if free else RELEASED)
        )
        if not free:
            text = Reason(
                "story_reservation_released", {"order": part.order, "quantity": part.quantity}
            )
            lost(work, part.order, part.line, text)
