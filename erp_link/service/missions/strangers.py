"""A vehicle that speaks of an order of ours which it never had.

Nothing goes out before SENT is written, so the core knows every vehicle that an order was ever sent
to: one that lost it and comes back is believed, and what it did is booked. Another cannot have done
it. It is set up wrongly, or somebody speaks through it: nothing moves, the goods' story says what
was claimed, and a person is asked to look.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, select

from contracts.reason import Reason
from contracts.stock import TransportProgress, TransportState
from erp_link.adapters import tables as t
from erp_link.domain.tickets import TicketKind
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work

_DONE: Final = frozenset({TransportState.ACCEPTED, TransportState.PICKED, TransportState.DROPPED})
"""What only the vehicle itself can know."""


def never_had(connection: Connection, progress: TransportProgress) -> bool:
    """Whether a vehicle tells of work on an order that was never sent to it."""
    return progress.state in _DONE and not was_sent(connection, progress.order_id, progress.vehicle)


def was_sent(connection: Connection, order_id: str, vehicle: str) -> bool:
    """Whether an order was ever sent to this vehicle."""
    sent = select(t.progress.c.action).where(
        t.progress.c.vehicle == vehicle,
        t.progress.c.order_id == order_id,
        t.progress.c.action.like(f"-/{TransportState.SENT.value}/%"),
    )
    return connection.execute(sent.limit(1)).one_or_none() is not None


def note_claim(work: Work, order: Row[Any], progress: TransportProgress) -> None:
    """The story has every claim, the first one opens a ticket; no goods move."""
    reason = Reason(
        "strange_vehicle",
        {"vehicle": progress.vehicle, "order": order.order_id, "carton": order.load_id},
    )
    work.event("noted", reason, batch_id=order.batch_id, reference=order.order_id, at=progress.at)
    ticket_id = f"QC-{order.order_id}-stranger"
    known = select(t.ticket.c.ticket_id).where(t.ticket.c.ticket_id == ticket_id)
    if work.connection.execute(known).one_or_none() is None:
        open_ticket(
            work,
            ticket_id,
            reason,
            kind=TicketKind.TRANSPORT,
            batch_id=order.batch_id,
            carton_id=order.load_id,
        )
