"""A usage decision in its transaction: what was seen, who signed, what it does to the goods (I1).

The guards are taken before anything is read, so no hold can come between the check of what the
signer saw and the lifting of what they decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, insert, select, update

from contracts.errors import ConflictError, NotFoundError
from contracts.stock import TicketState, UsageDecision
from erp_link.adapters import quality_tables as q
from erp_link.domain.quality.policy import (
    CARRYING_ON,
    DecisionPolicy,
    check_second,
    may_go_on,
)
from erp_link.domain.quality.statement import (
    Statement,
    check_holds_seen,
    check_seen,
    read_statement,
)
from erp_link.service import decisions
from erp_link.service.decisions import About
from erp_link.service.quality import parts
from erp_link.service.quality.keys import good_key
from erp_link.service.quality.records import IN_FORCE, WAITING, WITHDRAWN
from erp_link.service.quality.scope import Scope, open_holds, scope_of
from erp_link.service.ticketing import note
from erp_link.service.work import Work, key_of, new_id


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement with its signature, checked by the caller. `digest` is the SHA-256 of its text."""

    statement: Statement
    text: str
    digest: str
    signature: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody decides, signed or not."""

    ticket_id: str
    decision: UsageDecision
    reason: str
    quantity: int = 0
    cartons: tuple[str, ...] = ()

    @classmethod
    def of(cls, said: Statement) -> Wanted:
        return cls(said.ticket, said.decision, said.reason, said.quantity, said.cartons)


def decide_signed(work: Work, signed: Signed, policy: DecisionPolicy) -> int:
    """Book a signed decision, or keep it until the second person has signed; its number.

    Raises StaleSignatureError, SignatureRefusedError, ConflictError, BadInputError, ForbiddenError.
    """
    said = signed.statement
    about = _open(work, said.ticket)
    good_key(work.connection, said.key, person=said.signer)
    _check_batch(work, about, said)
    now_open = open_holds(work.connection, about.holds, about.touched)
    check_holds_seen(said, now_open)
    scope = scope_of(work.connection, about.ticket, about.holds)
    waiting = _waiting(work, said.ticket)
    if waiting is not None:
        _check_seconds(work, waiting, said, now_open)
        decision_id = int(waiting.id)
        _keep_signature(work, decision_id, signed)
        note(work, said.ticket, "signed_second", said.decision.value)
        _effect(work, about, scope, _wanted_of(waiting), decision_id)
        return decision_id
    if said.seconds:
        raise ConflictError(
            "What this seconds was withdrawn or is in force", mend="Look at the ticket again"
        )
    return _first(work, about, scope, signed, policy)


def decide_unsigned(work: Work, wanted: Wanted, policy: DecisionPolicy) -> int:
    """As `decide_signed`, for a site without signatures: a second person decides the same. The
    caller checked that this site asks for none.

    Raises ConflictError, StaleSignatureError, BadInputError, ForbiddenError.
    """
    about = _open(work, wanted.ticket_id)
    scope = scope_of(work.connection, about.ticket, about.holds)
    now_open = open_holds(work.connection, about.holds, about.touched)
    waiting = _waiting(work, wanted.ticket_id)
    if waiting is not None:
        _check_same(waiting, wanted, work.by, now_open)
        note(work, wanted.ticket_id, "decided_second", wanted.reason)
        _effect(work, about, scope, _wanted_of(waiting), int(waiting.id))
        return int(waiting.id)
    if _wants_second(scope, wanted, policy):
        note(work, wanted.ticket_id, "decided_first", f"{wanted.decision.value}: {wanted.reason}")
        return _keep(work, about, wanted, now_open, WAITING)
    decision_id = _keep(work, about, wanted, now_open, IN_FORCE)
    _effect(work, about, scope, wanted, decision_id)
    return decision_id


def withdraw(work: Work, decision_id: int) -> None:
    """A decision that waits for its second person is not wanted any more.

    Raises NotFoundError, ConflictError where it is in force.
    """
    row = work.connection.execute(
        select(q.usage_decision).where(q.usage_decision.c.id == decision_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no decision {decision_id}", mend="Look at the ticket")
    if row.state != WAITING:
        raise ConflictError(
            f"Decision {decision_id} is {row.state}", mend="Only one that waits can be withdrawn"
        )
    _set_state(work, decision_id, WITHDRAWN)
    note(work, row.ticket_id, "withdrawn", row.decision)


def _open(work: Work, ticket_id: str) -> About:
    about = decisions.taken(work, ticket_id)
    if not may_go_on(TicketState(about.ticket.state)):
        raise decided_already(ticket_id, about.ticket.state)
    return about


def decided_already(ticket_id: str, state: str) -> ConflictError:
    return ConflictError(
        f"Ticket {ticket_id} is {state}",
        mend="Look at the ticket again: somebody else may have decided",
        ticket_id=ticket_id,
        state=state,
    )


def _first(work: Work, about: About, scope: Scope, signed: Signed, policy: DecisionPolicy) -> int:
    said = signed.statement
    wanted = Wanted.of(said)
    if _wants_second(scope, wanted, policy):
        decision_id = _keep(work, about, wanted, said.holds, WAITING)
        _keep_signature(work, decision_id, signed)
        note(work, said.ticket, "signed_first", f"{said.decision.value}: {said.reason}")
        return decision_id
    decision_id = _keep(work, about, wanted, said.holds, IN_FORCE)
    _keep_signature(work, decision_id, signed)
    _effect(work, about, scope, wanted, decision_id)
    return decision_id


def _wants_second(scope: Scope, wanted: Wanted, policy: DecisionPolicy) -> bool:
    """Raises BadInputError where the goods that are named are not there."""
    if wanted.quantity or wanted.cartons:
        parts.check_part(scope, wanted.quantity, wanted.cartons)
    named = sum(scope.cartons[name] for name in wanted.cartons)
    return policy.wants_second(wanted.decision, wanted.quantity or named or scope.quantity)


def _effect(work: Work, about: About, scope: Scope, wanted: Wanted, decision_id: int) -> None:
    """What was decided happens to the goods, whole or in part."""
    part = parts.Part(wanted.decision, wanted.cartons, wanted.quantity)
    partial = bool(wanted.cartons or wanted.quantity)
    if partial:
        parts.check_part(scope, wanted.quantity, wanted.cartons)
        partial = not parts.is_everything(scope, wanted.quantity, wanted.cartons)
    child = f"{about.ticket_id}-{decision_id}"
    made = ""
    if partial:
        split = parts.set_part
        if wanted.decision is UsageDecision.RELEASE:
            split = parts.release_part
        made = split(work, about, scope, part, reason=wanted.reason, child=child)
    else:
        decisions.settle(work, about, wanted.decision, reason=wanted.reason)
        if wanted.decision in CARRYING_ON:
            made = parts.carry_on(work, about, wanted.decision, child)
    work.connection.execute(
        update(q.usage_decision)
        .where(q.usage_decision.c.id == decision_id)
        .values(state=IN_FORCE, child_ticket=made)
    )


def _check_batch(work: Work, about: About, said: Statement) -> None:
    batch_id = about.ticket.batch_id
    batch = key_of(work.batch(batch_id)) if batch_id is not None else None
    if batch != said.batch:
        raise ConflictError(
            f"Ticket {said.ticket} is about batch {batch}, the statement about {said.batch}",
            mend="Ask for the statement again",
        )


def _check_seconds(work: Work, waiting: Row[Any], said: Statement, now_open: Sequence[str]) -> None:
    """The second statement says what the first one said, by another person, and neither of them
    has missed a hold.
    """
    row = work.connection.execute(
        select(q.signature).where(q.signature.c.decision_id == waiting.id)
    ).one_or_none()
    if row is None:
        # Decided while the site asked for no signature: there is none to name.
        _check_same(waiting, Wanted.of(said), said.signer, now_open)
        return
    if said.seconds != row.digest:
        raise ConflictError(
            f"Ticket {said.ticket} waits for a second person to sign what {row.person} decided",
            mend="Second it, or withdraw it and decide anew",
            waits_for=row.digest,
        )
    first = read_statement(row.statement)
    check_second(first.signer, said.signer)
    same = replace(
        first, signer=said.signer, key=said.key, at=said.at, holds=said.holds, seconds=said.seconds
    )
    if same != said:
        raise ConflictError(
            "The second statement says something else than the first",
            mend="Sign the statement as the hub gives it out",
        )
    check_holds_seen(first, now_open)


def _check_same(waiting: Row[Any], wanted: Wanted, person: str, now_open: Sequence[str]) -> None:
    """Another person decides the same about the same goods, in their own words, and the first one
    has missed no hold.
    """
    check_second(waiting.made_by, person)
    if replace(wanted, reason=waiting.reason) != _wanted_of(waiting):
        raise ConflictError(
            f"Ticket {waiting.ticket_id} waits for a second person to decide as"
            f" {waiting.made_by} did: {waiting.decision}",
            mend="Decide the same, or withdraw it and decide anew",
        )
    check_seen(waiting.holds, now_open, ticket=waiting.ticket_id)


def _waiting(work: Work, ticket_id: str) -> Row[Any] | None:
    return work.connection.execute(
        select(q.usage_decision)
        .where(q.usage_decision.c.ticket_id == ticket_id, q.usage_decision.c.state == WAITING)
        .with_for_update()
    ).one_or_none()


def _wanted_of(row: Row[Any]) -> Wanted:
    return Wanted(
        row.ticket_id, UsageDecision(row.decision), row.reason, row.quantity, tuple(row.cartons)
    )


def _keep(work: Work, about: About, wanted: Wanted, seen: Sequence[str], state: str) -> int:
    result = work.connection.execute(
        insert(q.usage_decision).values(
            ticket_id=about.ticket_id,
            batch_id=about.ticket.batch_id,
            decision=wanted.decision.value,
            reason=wanted.reason,
            quantity=wanted.quantity,
            cartons=list(wanted.cartons),
            holds=list(seen),
            state=state,
            made_by=work.by,
            made_at=work.now,
        )
    )
    return new_id(result)


def _keep_signature(work: Work, decision_id: int, signed: Signed) -> None:
    work.connection.execute(
        insert(q.signature).values(
            digest=signed.digest,
            decision_id=decision_id,
            person=signed.statement.signer,
            key_id=signed.statement.key,
            statement=signed.text,
            signature=signed.signature,
            at=work.now,
        )
    )


def _set_state(work: Work, decision_id: int, state: str) -> None:
    work.connection.execute(
        update(q.usage_decision).where(q.usage_decision.c.id == decision_id).values(state=state)
    )
