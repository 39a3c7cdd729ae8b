"""An alarm that the core cannot book is put where people look, and its gateway's log goes on (I2, I6).

Everything behind it would wait for ever otherwise: other alarms, and the ends of those that stand.
The entry itself stays in the gateway's journal under its number (I4); its number, its reason and the
beginning of its text stand in a ticket.
"""

from __future__ import annotations

from sqlalchemy import select

from contracts.events import JournalEntry
from contracts.reason import Reason
from contracts.stock import TicketState
from erp_link.adapters import tables as t
from erp_link.domain.tickets import TicketKind
from erp_link.service.devices import moment_of
from erp_link.service.ticketing import note, open_ticket
from erp_link.service.work import Work

CODE = "entry_set_aside"
_MOST_WHY = 300
_MOST_TEXT = 2_000


def set_aside(work: Work, entry: JournalEntry, why: str) -> str:
    """One ticket for a gateway while it is open, a note in it for each entry; the ticket's id."""
    told = Reason(
        CODE,
        {
            "device": entry.device,
            "seq": entry.seq,
            "kind": entry.kind[:40],
            "why": _plain(why, _MOST_WHY),
        },
    )
    ticket_id = work.connection.execute(
        select(t.ticket.c.ticket_id).where(
            t.ticket.c.code == CODE,
            t.ticket.c.device == entry.device,
            t.ticket.c.state != TicketState.CLOSED.value,
        )
    ).scalar()
    if ticket_id is None:
        ticket_id = f"QC-{entry.device}-{entry.seq}"
        open_ticket(work, ticket_id, told, kind=TicketKind.ALARM, device=entry.device)
    text = f"{entry.device}/{entry.seq} {_plain(why, _MOST_WHY)}: {_plain(entry.body, _MOST_TEXT)}"
    note(work, str(ticket_id), "set_aside", text)
    work.event("alarm", told, reference=str(ticket_id), at=moment_of(entry))
    return str(ticket_id)


def _plain(text: str, most: int) -> str:
    """No database refuses it: what is no letter, digit or sign is shown as a question mark."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:most])
