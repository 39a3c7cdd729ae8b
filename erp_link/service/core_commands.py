"""The core's commands: guarded stock moves, holds, decisions (I1)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cached_property

from sqlalchemy import Connection

from contracts.reason import Reason
from contracts.stock import (
    BatchKey,
    Hold,
    HoldKind,
    StockStatus,
    Ticket,
    TicketState,
)
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.moves import Place
from erp_link.service import (
    commands,
    decisions,
    holding,
    ticketing,
)
from erp_link.service.commands import Reservation
from erp_link.service.goods_gate import Gate
from erp_link.service.store import Store
from erp_link.service.work import Work, ensure_batch


class Commands(Store):
    """Everything that people and programs may ask to be done with goods."""

    @cached_property
    def gate(self) -> Gate:
        """Where goods leave."""
        return Gate(self)

    # Commands

    def reserve(
        self, order: str, batch: BatchKey, quantity: int, *, by: str, key: str | None = None
    ) -> list[Reservation]:
        """Set goods of a batch aside for an order, all of them or none.

        Raises HeldError, InsufficientStockError, NotFoundError, BadInputError; with `key` a
        repetition returns the first outcome, and ConflictError meets another body.
        """
        ids = self.command(
            "reserve",
            {"order": order, "batch": str(batch), "quantity": quantity},
            by=by,
            key=key,
            guards_of=lambda c: commands.guards_of_batch(c, batch),
            act=lambda work: commands.reserve(work, order, batch, quantity),
        )
        return self.read(lambda c: commands.read_reservations(c, ids))

    def pick(self, reservation_id: int, *, by: str, key: str | None = None) -> None:
        """Take reserved goods to staging. Raises HeldError, ConflictError, NotFoundError."""
        self._on_reservation("pick", reservation_id, commands.pick, by=by, key=key)

    def ship(self, reservation_id: int, *, by: str, key: str | None = None) -> None:
        """Goods issue, the only way out of the building. Raises as `pick`."""
        self.gate.ship(reservation_id, by=by, key=key)

    def return_picked(self, reservation_id: int, *, by: str, key: str | None = None) -> None:
        """Picked goods go to quarantine; allowed under any hold. Raises ConflictError."""
        self._on_reservation("return", reservation_id, commands.return_picked, by=by, key=key)

    def move(
        self,
        batch: BatchKey,
        quantity: int,
        *,
        source: str,
        target: str,
        by: str,
        status: StockStatus = StockStatus.UNRESTRICTED,
        key: str | None = None,
    ) -> None:
        """Move goods inside the house; what may not leave moves to quarantine only.

        Raises HeldError, InsufficientStockError, NotFoundError, BadInputError.
        """
        self.command(
            "move",
            {
                "batch": str(batch),
                "quantity": quantity,
                "source": source,
                "target": target,
                "status": status.value,
            },
            by=by,
            key=key,
            guards_of=lambda c: commands.guards_of_batch(c, batch, source, target),
            act=lambda work: commands.move(work, batch, quantity, Place(source, status), target),
        )

    def receive(
        self,
        batch: BatchKey,
        quantity: int,
        *,
        location: str,
        by: str,
        expiry: date | None = None,
        key: str | None = None,
    ) -> StockStatus:
        """Book goods in by hand, without a carton; the status they came in with."""

        def guards_of(connection: Connection) -> set[Guard]:
            ensure_batch(connection, batch)
            return commands.guards_of_batch(connection, batch, location)

        return StockStatus(
            self.command(
                "receive",
                {
                    "batch": str(batch),
                    "quantity": quantity,
                    "location": location,
                    "expiry": str(expiry),
                },
                by=by,
                key=key,
                guards_of=guards_of,
                act=lambda work: commands.receive(work, batch, quantity, location, expiry).value,
            )
        )

    # Holds, tickets, decisions

    def add_hold(
        self,
        kind: HoldKind,
        *,
        reason: Reason,
        by: str,
        batch: BatchKey | None = None,
        cartons: Sequence[str] = (),
        location: str = "",
        supplier: str = "",
        quantity: int = 0,
        key: str | None = None,
    ) -> Hold:
        """From the moment this returns nothing it covers leaves (I1). Opens a ticket with it, and
        a task for each order, load and quota that it came too late for. `quantity` in base units.

        Raises BadInputError where it does not say what it covers, NotFoundError.
        """
        wanted = f"H-{uuid.uuid4().hex[:12]}"

        def act(work: Work) -> str:
            decisions.raise_hold(
                work,
                wanted,
                kind,
                reason,
                batch=batch,
                cartons=cartons,
                location=location,
                supplier=supplier,
                quantity=quantity,
            )
            return wanted

        body = {
            "kind": kind.value,
            "batch": str(batch),
            "cartons": sorted(cartons),
            "location": location,
            "supplier": supplier,
            "reason": [reason.code, reason.params],
            **({"quantity": quantity} if quantity else {}),
        }
        hold_id = self.command("hold", body, by=by, key=key, guards_of=None, act=act)
        only = t.hold.c.hold_id == hold_id
        (made,) = self.read(lambda c: holding.read_holds(c, open_only=False, only=only))
        return made

    def correct_expiry(
        self,
        batch: BatchKey,
        expiry: date,
        *,
        reason: str,
        by: str,
        role: str,
        key: str | None = None,
    ) -> None:
        """Quality corrects the date of a batch, with its reason; what only the date blocked is
        free then, and the tickets about the date are decided.

        Raises ForbiddenError, BadInputError, NotFoundError.
        """

        def act(work: Work) -> None:
            decisions.correct_expiry(work, batch, expiry, role=role, reason=reason)

        body = {"batch": str(batch), "expiry": expiry.isoformat(), "reason": reason}
        self.command("correct_expiry", body, by=by, key=key, guards_of=None, act=act)

    def contain_ticket(
        self, ticket_id: str, *, by: str, note: str = "", key: str | None = None
    ) -> Ticket:
        """The goods are safely set apart. Raises NotFoundError, ConflictError."""
        return self._advance(ticket_id, TicketState.CONTAINED, by=by, note=note, key=key)

    def close_ticket(
        self, ticket_id: str, *, by: str, note: str = "", key: str | None = None
    ) -> Ticket:
        """What was decided is done. Raises NotFoundError, ConflictError."""
        return self._advance(ticket_id, TicketState.CLOSED, by=by, note=note, key=key)

    def assign_ticket(
        self, ticket_id: str, owner: str, *, by: str, key: str | None = None
    ) -> Ticket:
        """Give a ticket to somebody. Raises NotFoundError."""
        self.command(
            "assign",
            {"ticket": ticket_id, "owner": owner},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: decisions.assign(work, ticket_id, owner),
        )
        return self.ticket(ticket_id)

    def holds(
        self,
        *,
        open_only: bool = True,
        before: tuple[datetime, str] | None = None,
        limit: int | None = None,
    ) -> list[Hold]:
        """Holds, newest first; at most `limit` of those raised before `(when, id)`."""
        only = None
        if before is not None:
            only = ticketing.older_than(t.hold.c.raised_at, t.hold.c.hold_id, before)
        return self.read(
            lambda c: holding.read_holds(c, open_only=open_only, only=only, limit=limit)
        )

    def tickets(
        self, *, before: tuple[datetime, str] | None = None, limit: int | None = None
    ) -> list[Ticket]:
        """Tickets, newest first; at most `limit` of those opened before `(when, id)`."""
        return self.read(lambda c: ticketing.read_tickets(c, before=before, limit=limit))

    def ticket(self, ticket_id: str) -> Ticket:
        """One ticket with its history. Raises NotFoundError."""
        found = self.read(lambda c: ticketing.read_tickets(c, only=[ticket_id]))
        if not found:
            raise ticketing.unknown_ticket(ticket_id)
        return found[0]

    def _advance(
        self, ticket_id: str, to: TicketState, *, by: str, note: str, key: str | None
    ) -> Ticket:
        self.command(
            "ticket_state",
            {"ticket": ticket_id, "state": to.value, "note": note},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: ticketing.set_state(work, ticket_id, to, words=note),
        )
        return self.ticket(ticket_id)

    def _on_reservation(
        self,
        name: str,
        reservation_id: int,
        act: Callable[[Work, int], None],
        *,
        by: str,
        key: str | None,
    ) -> None:
        self.command(
            name,
            {"reservation": reservation_id},
            by=by,
            key=key,
            guards_of=lambda c: commands.guards_of_reservation(c, reservation_id),
            act=lambda work: act(work, reservation_id),
        )
