"""What people see of it: a dead message is a ticket until it is mended, and what a stop met in the
ERP stands in the batch's story.
"""

from __future__ import annotations

from sqlalchemy import select

from contracts.errors import TallymanError
from contracts.reason import Reason
from contracts.stock import TicketState
from erp_link.adapters import tables as t
from erp_link.connectors.port import Stopped
from erp_link.domain.erp.messages import Message
from erp_link.domain.tickets import TicketKind
from erp_link.service import ticketing
from erp_link.service.erp import outbox
from erp_link.service.erp.outbox import Letter
from erp_link.service.work import Work, find_batch

_DONE = frozenset({TicketState.DECIDED.value, TicketState.CLOSED.value})


def refused(work: Work, letter: Letter, error: TallymanError) -> None:
    """A person has to mend something: the message is dead, and a ticket says so."""
    outbox.dead(work, letter.letter, error)
    batch_id = _only_batch(work, letter.message)
    text = Reason("erp_refused", {"letter": letter.letter, "why": error.message})
    work.event("erp", text, batch_id=batch_id, reference=letter.message.reference)
    _open(work, _ticket_of(letter.letter), text, batch_id)


def mended(work: Work, number: int) -> None:
    """The message has reached its end: its ticket, where it has one, is done with."""
    ticket_id = _ticket_of(number)
    state = _state_of(work, ticket_id)
    if state is not None and state not in _DONE:
        ticketing.set_state(work, ticket_id, TicketState.DECIDED)
        ticketing.set_state(work, ticket_id, TicketState.CLOSED)


def stopped(work: Work, system: str, answer: Stopped) -> None:
    """Write down which shipments were stopped, and which somebody has to bring back."""
    for document in answer.documents:
        code = "erp_at_risk" if document.at_risk else "erp_unassigned"
        text = Reason(code, {"document": document.number, "system": system})
        batch_id = find_batch(work.connection, document.batch).id
        ticket_id = f"ERP-{document.number}-{batch_id}"
        if document.at_risk and _state_of(work, ticket_id) is not None:
            continue
        work.event("erp", text, batch_id=batch_id, reference=document.number)
        if document.at_risk:
            _open(work, ticket_id, text, batch_id)


def _open(work: Work, ticket_id: str, text: Reason, batch_id: int | None) -> None:
    if _state_of(work, ticket_id) is None:
        ticketing.open_ticket(work, ticket_id, text, kind=TicketKind.ERP, batch_id=batch_id)
    else:
        ticketing.note(work, ticket_id, "note", str(text.params.get("why", "")))


def _ticket_of(number: int) -> str:
    return f"ERP-{number}"


def _state_of(work: Work, ticket_id: str) -> str | None:
    found = select(t.ticket.c.state).where(t.ticket.c.ticket_id == ticket_id)
    return work.connection.execute(found).scalar_one_or_none()


def _only_batch(work: Work, message: Message) -> int | None:
    keys = {goods.batch for goods in message.goods}
    return int(find_batch(work.connection, keys.pop()).id) if len(keys) == 1 else None
