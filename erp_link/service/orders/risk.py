"""What a hold came too late to stop, and the task to get it back (I1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, false, insert, select

from contracts.reason import Reason
from contracts.stock import AtRisk, TicketState, TransportState
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.domain.tickets import TicketKind
from erp_link.service.ticketing import open_ticket, set_state
from erp_link.service.work import Work

_PICKED = "picked"
_ON_THE_WAY = (TransportState.SENT, TransportState.ACCEPTED, TransportState.PICKED)
_WAITING = (TicketState.OPEN.value, TicketState.CONTAINED.value)


@dataclass(frozen=True, slots=True)
class Risk:
    """Goods of a batch that are beyond the hold's reach; `load` is the carton on a vehicle."""

    what: str
    reference: str
    quantity: int
    batch_id: int | None
    load: str = ""


def find(
    connection: Connection,
    *,
    picked: ColumnElement[bool],
    carried: ColumnElement[bool],
    granted: ColumnElement[bool] | None = None,
    at_most: int | None = None,
) -> tuple[Risk, ...]:
    """Goods picked for orders, on vehicles, and granted to devices, by those conditions over
    reservation, transport and quota. `at_most`: no more units of one order can be meant.
    """
    reserved, carry, quota = t.reservation, t.transport, o.quota
    orders = connection.execute(
        select(reserved.c.order_ref, reserved.c.quantity, reserved.c.batch_id)
        .where(picked, reserved.c.state == _PICKED)
        .order_by(reserved.c.id)
    )
    loads = connection.execute(
        select(carry.c.order_id, carry.c.batch_id, carry.c.load_id)
        .where(carried, carry.c.state.in_([state.value for state in _ON_THE_WAY]))
        .order_by(carry.c.id)
    )
    left = quota.c.granted - quota.c.used - quota.c.returned
    quotas = connection.execute(
        select(quota.c.quota_id, quota.c.batch_id, left.label("left"))
        .where(granted if granted is not None else false(), quota.c.ended_at.is_(None), left > 0)
        .order_by(quota.c.granted_at, quota.c.quota_id)
    )
    return (
        *(
            Risk("picked", x.order_ref, min(x.quantity, at_most or x.quantity), x.batch_id)
            for x in orders
        ),
        *(Risk("in_transit", x.order_id, 1, x.batch_id, x.load_id) for x in loads),
        *(Risk("quota", x.quota_id, x.left, x.batch_id) for x in quotas),
    )


def listed(risks: Sequence[Risk]) -> tuple[AtRisk, ...]:
    """As the hold shows them."""
    return tuple(AtRisk(risk.what, risk.reference, risk.quantity) for risk in risks)


def recall(work: Work, hold_id: str, risks: Sequence[Risk]) -> None:
    """One task for each order, load and quota: somebody must fetch the goods."""
    together: dict[tuple[str, str], list[Risk]] = {}
    for risk in risks:
        together.setdefault((risk.what, risk.reference), []).append(risk)
    for number, ((what, reference), parts) in enumerate(together.items(), start=1):
        quantity = sum(part.quantity for part in parts)
        ticket_id = f"RC-{hold_id.removeprefix('H-')}-{number}"
        open_ticket(
            work,
            ticket_id,
            Reason(
                f"recall_{what}", {"reference": reference, "quantity": quantity, "hold": hold_id}
            ),
            kind=TicketKind.RECALL,
            batch_id=parts[0].batch_id,
            cartons=[part.load for part in parts if part.load],
            quantity=quantity,
        )
        work.connection.execute(
            insert(o.recall).values(
                ticket_id=ticket_id,
                hold_id=hold_id,
                what=what,
                reference=reference,
                quantity=quantity,
            )
        )


def contained(work: Work, what: str, reference: str) -> None:
    """The goods are back, and apart: the tasks about them are contained."""
    wanted = (o.recall.c.what == what) & (o.recall.c.reference == reference)
    for ticket_id in _tasks(work.connection, wanted, TicketState.OPEN.value):
        set_state(work, ticket_id, TicketState.CONTAINED)


def load_contained(work: Work, load: str) -> None:
    """A load stands in quarantine, whichever of its orders brought it there."""
    orders = select(t.transport.c.order_id).where(t.transport.c.load_id == load)
    wanted = (o.recall.c.what == "in_transit") & o.recall.c.reference.in_(orders)
    for ticket_id in _tasks(work.connection, wanted, TicketState.OPEN.value):
        set_state(work, ticket_id, TicketState.CONTAINED)


def called_off(work: Work, hold_id: str, *, words: str) -> None:
    """The hold was lifted: nobody needs to fetch the goods any more."""
    for ticket_id in _tasks(work.connection, o.recall.c.hold_id == hold_id, *_WAITING):
        set_state(work, ticket_id, TicketState.DECIDED, words=words)
        set_state(work, ticket_id, TicketState.CLOSED, words=words)


def _tasks(connection: Connection, wanted: ColumnElement[bool], *states: str) -> list[str]:
    query = (
        select(o.recall.c.ticket_id)
        .join(t.ticket, t.ticket.c.ticket_id == o.recall.c.ticket_id)
        .where(wanted, t.ticket.c.state.in_(states))
        .order_by(o.recall.c.ticket_id)
    )
    return list(connection.execute(query).scalars())
