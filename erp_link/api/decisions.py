"""Routes of signed decisions: the statement to sign, the signature, keys, and what follows.

A program signs as a person does: ask for the statement, sign its bytes after `tallyman usage
decision v1` and a zero byte with ECDSA P-256 and SHA-256, send statement and signature (r and s side
by side, hex). Its key is registered at the hub (`tallyman decision add-key`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from contracts.errors import BadInputError
from contracts.stock import BatchKey, Ticket, UsageDecision
from erp_link.api.shapes import Key
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.domain.quality.statement import PURPOSE, read_statement
from erp_link.service.core import Core
from erp_link.service.quality.desk import DecisionRecord, Quality, Scope, SigningKey

_ROLE = "quality"


@dataclass(frozen=True, slots=True)
class StatementIn:
    """`quantity` 0 with no `cartons` is everything that the ticket is about; `key` the signing key's
    id. Where the ticket waits for a second person, say what the first one decided.
    """

    decision: UsageDecision
    reason: str
    key: str
    quantity: int = 0
    cartons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementOut:
    """`statement` is the canonical JSON to sign, `purpose_hex` what goes before its bytes."""

    statement: str
    purpose_hex: str


@dataclass(frozen=True, slots=True)
class DecisionIn:
    """`statement` with `signature`; or, where the site asks for no signature, the rest."""

    statement: str = ""
    signature: str = ""
    decision: UsageDecision | None = None
    reason: str = ""
    quantity: int = 0
    cartons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScopeOut:
    """What a ticket is about now, and the holds that a decision on it must have seen."""

    scope: Scope
    open_holds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DueIn:
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Left:
    quantity: int


def add_to(
    api: APIRouter,
    core_provider: Callable[[], Core],
    policy: DecisionPolicy,
    *,
    reader: Any,
    worker: Any,
    quality: Any,
) -> None:
    """Add the routes. Only quality signs."""
    needs_core = Depends(core_provider)

    def desk(core: Core = needs_core) -> Quality:
        return Quality(core, policy)

    needs_desk = Depends(desk)
    _add_questions(api, needs_desk, reader)
    _add_deciding(api, needs_desk, quality)
    _add_rest(api, needs_desk, worker, quality)


def _add_questions(api: APIRouter, needs_desk: Any, reader: Any) -> None:
    @api.get("/tickets/{ticket_id}/scope", tags=["quality"], dependencies=[reader])
    def scope(ticket_id: str, desk: Quality = needs_desk) -> ScopeOut:
        """The goods that a ticket is about, as they stand now."""
        return ScopeOut(desk.scope(ticket_id), desk.open_holds(ticket_id))

    @api.get("/tickets/{ticket_id}/decisions", tags=["quality"], dependencies=[reader])
    def decisions(ticket_id: str, desk: Quality = needs_desk) -> list[DecisionRecord]:
        """Its usage decisions with the statements signed, checked anew."""
        desk.core.ticket(ticket_id)
        return desk.decisions(ticket_id)

    @api.get("/batches/decisions", tags=["quality"], dependencies=[reader])
    def of_batch(
        gtin: Annotated[str, Query()],
        lot: Annotated[str, Query()],
        supplier: Annotated[str, Query()] = "",
        desk: Quality = needs_desk,
    ) -> list[DecisionRecord]:
        """The usage decisions about a batch, oldest first."""
        return desk.decisions_on(BatchKey(supplier, gtin, lot))

    @api.get("/signing-keys", tags=["quality"], dependencies=[reader])
    def keys(
        person: Annotated[str | None, Query(max_length=120)] = None, desk: Quality = needs_desk
    ) -> list[SigningKey]:
        """The public keys that signatures are checked with, revoked ones too."""
        return desk.keys(person)


def _add_deciding(api: APIRouter, needs_desk: Any, quality: Any) -> None:
    @api.post("/tickets/{ticket_id}/statement", tags=["quality"])
    def statement(
        ticket_id: str, body: StatementIn, desk: Quality = needs_desk, who: Any = quality
    ) -> StatementOut:
        """What to sign for this decision; good for 15 minutes, or until a hold comes."""
        said = desk.statement(
            ticket_id,
            body.decision,
            reason=body.reason,
            signer=who.name,
            role=_ROLE,
            key=body.key,
            quantity=body.quantity,
            cartons=body.cartons,
        )
        return StatementOut(said.text(), PURPOSE.hex())

    @api.post("/tickets/{ticket_id}/decision", tags=["quality"])
    def decide(
        ticket_id: str,
        body: DecisionIn,
        key: Key = None,
        desk: Quality = needs_desk,
        who: Any = quality,
    ) -> Ticket:
        """The usage decision, signed. Only a release lifts holds. 409 `stale_signature` where a hold
        came after the statement was given out.
        """
        if body.statement:
            about = read_statement(body.statement).ticket
            if about != ticket_id:
                raise BadInputError(
                    f"The statement is about ticket {about}", mend="Send it to its own ticket"
                )
            desk.decide(body.statement, body.signature, by=who.name, role=_ROLE)
        elif body.decision is None:
            raise BadInputError("No decision was sent", mend="Send statement and signature")
        else:
            desk.decide_unsigned(
                ticket_id,
                body.decision,
                reason=body.reason,
                by=who.name,
                role=_ROLE,
                quantity=body.quantity,
                cartons=body.cartons,
                key=key,
            )
        return desk.core.ticket(ticket_id)

    @api.post("/decisions/{decision_id}/withdraw", tags=["quality"], status_code=204)
    def withdraw(
        decision_id: int, key: Key = None, desk: Quality = needs_desk, who: Any = quality
    ) -> None:
        """Give up a decision that waits for its second person."""
        desk.withdraw(decision_id, by=who.name, role=_ROLE, key=key)


def _add_rest(api: APIRouter, needs_desk: Any, worker: Any, quality: Any) -> None:
    @api.post("/tickets/{ticket_id}/carry-out", tags=["quality"])
    def carry_out(
        ticket_id: str, key: Key = None, desk: Quality = needs_desk, who: Any = quality
    ) -> Left:
        """Goods decided as return or scrap leave the house; the ticket is closed."""
        return Left(desk.carry_out(ticket_id, by=who.name, role=_ROLE, key=key))

    @api.post("/tickets/{ticket_id}/due", tags=["quality"])
    def due(
        ticket_id: str,
        body: DueIn,
        key: Key = None,
        desk: Quality = needs_desk,
        who: Any = worker,
    ) -> Ticket:
        """Until when a ticket should be decided."""
        return desk.set_due(ticket_id, body.due_at, by=who.name, key=key)

    @api.post("/signing-keys/{key_id}/revoke", tags=["quality"], status_code=204)
    def revoke(
        key_id: str, key: Key = None, desk: Quality = needs_desk, who: Any = quality
    ) -> None:
        """Nothing is signed with one's own key any more; what it signed stays signed."""
        desk.revoke_key(key_id, by=who.name, person=who.name, key=key)
