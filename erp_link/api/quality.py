"""Routes of quality: holds, tickets, usage decisions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from contracts.errors import BadInputError
from contracts.reason import Reason
from contracts.stock import Hold, Ticket
from erp_link.api.paging import Paged
from erp_link.api.shapes import ExpiryIn, HoldIn, Key, OwnerIn, StateIn
from erp_link.service.core import Core


def add_to(api: APIRouter, needs_core: Any, reader: Any, worker: Any, quality: Any) -> None:
    """Add the routes. Anybody who works with goods may hold them; only quality decides."""

    @api.get("/holds", tags=["quality"], dependencies=[reader])
    def holds(page: Paged, *, open_only: bool = True, core: Core = needs_core) -> list[Hold]:
        """Holds, newest first, each with what it came too late for."""
        found = core.holds(open_only=open_only, before=page.moment(), limit=page.limit + 1)
        return page.of(found, lambda each: (each.raised_at.isoformat(), each.hold_id))

    @api.post("/holds", tags=["quality"], status_code=201)
    def add_hold(body: HoldIn, key: Key = None, core: Core = needs_core, who: Any = worker) -> Hold:
        """Hold goods. From the answer on nothing that the hold covers leaves."""
        if not body.note.strip():
            raise BadInputError("A hold needs its reason", mend="Write why in `note`")
        return core.add_hold(
            body.kind,
            reason=Reason("held_by_hand", {"note": body.note}),
            by=who.name,
            batch=body.batch,
            cartons=body.cartons,
            location=body.location,
            supplier=body.supplier,
            quantity=body.quantity,
            key=key,
        )

    @api.get("/tickets", tags=["quality"], dependencies=[reader])
    def tickets(page: Paged, core: Core = needs_core) -> list[Ticket]:
        """Tickets with their evidence, newest first."""
        found = core.tickets(before=page.moment(), limit=page.limit + 1)
        return page.of(found, lambda each: (each.opened_at.isoformat(), each.ticket_id))

    @api.get("/tickets/{ticket_id}", tags=["quality"], dependencies=[reader])
    def ticket(ticket_id: str, core: Core = needs_core) -> Ticket:
        """One ticket with its history."""
        return core.ticket(ticket_id)

    @api.post("/batches/expiry", tags=["quality"], status_code=204)
    def correct_expiry(
        body: ExpiryIn, key: Key = None, core: Core = needs_core, who: Any = quality
    ) -> None:
        """Correct the date of a batch; what only the date blocked is free then."""
        core.correct_expiry(
            body.batch, body.expiry, reason=body.reason, by=who.name, role="quality", key=key
        )

    @api.post("/tickets/{ticket_id}/owner", tags=["quality"])
    def assign(
        ticket_id: str,
        body: OwnerIn,
        key: Key = None,
        core: Core = needs_core,
        who: Any = worker,
    ) -> Ticket:
        """Give a ticket to somebody."""
        return core.assign_ticket(ticket_id, body.owner, by=who.name, key=key)

    @api.post("/tickets/{ticket_id}/state", tags=["quality"])
    def advance(
        ticket_id: str,
        body: StateIn,
        key: Key = None,
        core: Core = needs_core,
        who: Any = quality,
    ) -> Ticket:
        """Contained, or closed."""
        if body.state == "closed":
            return core.close_ticket(ticket_id, by=who.name, note=body.note, key=key)
        return core.contain_ticket(ticket_id, by=who.name, note=body.note, key=key)
