"""The quality desk: keys, statements, signed decisions, and goods leaving on their ground."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from contracts.errors import BadInputError, ForbiddenError
from contracts.stock import BatchKey, Evidence, Ticket, UsageDecision
from erp_link.adapters.signatures import verifies
from erp_link.domain.quality.policy import DecisionPolicy, check_unsigned_allowed, may_go_on
from erp_link.domain.quality.statement import (
    PURPOSE,
    SignatureRefusedError,
    Statement,
    check_fresh,
    check_scope,
    read_statement,
)
from erp_link.domain.tickets import check_decider
from erp_link.service.core import Core
from erp_link.service.quality import deciding, keys, leaving, parts, records
from erp_link.service.quality.deciding import Signed, Wanted
from erp_link.service.quality.keys import SigningKey
from erp_link.service.quality.records import DecisionRecord
from erp_link.service.quality.scope import Scope, holds_of, scope_of, seen_now
from erp_link.service.ticketing import add_evidence, find_ticket, set_due
from erp_link.service.work import Work, find_batch

__all__ = ["DecisionPolicy", "DecisionRecord", "Quality", "Scope", "SigningKey"]


class Quality:
    """Everything that quality does to a ticket, over the core's store. Methods block."""

    def __init__(self, core: Core, policy: DecisionPolicy | None = None) -> None:
        self.core = core
        self.policy = policy or DecisionPolicy()

    # Keys

    def register_key(
        self, person: str, public_key: str, *, label: str, proof: str, by: str
    ) -> SigningKey:
        """Keep the public half of a person's key. The caller has made sure who the person is.

        Raises BadInputError, SignatureRefusedError, ConflictError.
        """
        name = self.core.write(
            lambda work: keys.register(work, person, public_key, label, proof), by=by
        )
        return next(key for key in self.keys(person) if key.key_id == name)

    def revoke_key(
        self, key_id: str, *, by: str, person: str | None = None, key: str | None = None
    ) -> None:
        """From now on nothing is signed with it. `person` limits it to their own keys.

        Raises NotFoundError.
        """
        self._once(
            "revoke_key",
            lambda work: keys.revoke(work, key_id, person=person),
            by=by,
            key=key,
            of=key_id,
        )

    def keys(self, person: str | None = None) -> list[SigningKey]:
        """Keys, newest first; of one person, or of everybody."""
        return self.core.read(lambda c: keys.read_keys(c, person))

    # Deciding

    def scope(self, ticket_id: str) -> Scope:
        """The goods that a ticket is about, as they stand now. Raises NotFoundError."""
        return self.core.read(
            lambda c: scope_of(c, find_ticket(c, ticket_id), holds_of(c, ticket_id))
        )

    def open_holds(self, ticket_id: str) -> tuple[str, ...]:
        """The holds that a decision on a ticket must have seen. Raises NotFoundError."""
        return self.core.read(lambda c: seen_now(c, ticket_id))

    def statement(
        self,
        ticket_id: str,
        decision: UsageDecision,
        *,
        reason: str,
        signer: str,
        role: str,
        key: str,
        quantity: int = 0,
        cartons: Sequence[str] = (),
    ) -> Statement:
        """What `signer` would sign now, with the holds that are open now. Where the ticket waits
        for a second person, it is that decision again, and the arguments must not differ.

        Raises NotFoundError, ConflictError, BadInputError, ForbiddenError.
        """
        check_decider(role, reason)
        check_scope(quantity, cartons, reason)
        self.core.read(lambda c: keys.good_key(c, key, person=signer))
        ticket = self._undecided(ticket_id)
        waiting = self.waiting(ticket_id)
        return Statement(
            ticket=ticket_id,
            batch=ticket.batch,
            decision=decision,
            reason=reason.strip(),
            holds=self.open_holds(ticket_id),
            role=role,
            signer=signer,
            key=key,
            at=self.core.clock.now(),
            quantity=quantity,
            cartons=tuple(sorted(set(cartons))),
            seconds=waiting.signatures[0].digest if waiting and waiting.signatures else "",
        )

    def decide(self, text: str, signature: str, *, by: str, role: str) -> DecisionRecord:
        """A signed decision takes effect, or waits for its second person. The same statement again
        gives the first outcome.

        Raises SignatureRefusedError, StaleSignatureError (a hold came meanwhile), ConflictError,
        BadInputError, ForbiddenError, NotFoundError.
        """
        said = read_statement(text)
        check_decider(role, said.reason)
        check_scope(said.quantity, said.cartons, said.reason)
        if said.signer != by or said.role != role:
            raise ForbiddenError(
                f"{by} cannot hand in what {said.signer} signed as {said.role}",
                mend="Sign it yourself",
            )
        self._check_signature(said, text, signature)
        digest = hashlib.sha256(PURPOSE + text.encode()).hexdigest()
        signed = Signed(said, text, digest, signature)

        def act(work: Work) -> int:
            check_fresh(said, work.now)
            return deciding.decide_signed(work, signed, self.policy)

        made = self.core.command(
            "decide_signed", {"digest": digest}, by=by, key=f"sig:{digest}", guards_of=None, act=act
        )
        return self._decision(made)

    def decide_unsigned(
        self,
        ticket_id: str,
        decision: UsageDecision,
        *,
        reason: str,
        by: str,
        role: str,
        quantity: int = 0,
        cartons: Sequence[str] = (),
        key: str | None = None,
    ) -> DecisionRecord:
        """As `decide`, where the site's policy asks for no signature: where it asks for two people,
        the second one decides the same. Raises ForbiddenError else.
        """
        check_unsigned_allowed(self.policy, role=role, reason=reason)
        check_scope(quantity, cartons, reason)
        wanted = Wanted(ticket_id, decision, reason, quantity, tuple(sorted(set(cartons))))
        body = {
            "ticket": ticket_id,
            "decision": decision.value,
            "reason": reason,
            "quantity": quantity,
            "cartons": list(wanted.cartons),
        }
        made = self.core.command(
            "decide_unsigned",
            body,
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: deciding.decide_unsigned(work, wanted, self.policy),
        )
        return self._decision(made)

    def withdraw(self, decision_id: int, *, by: str, role: str, key: str | None = None) -> None:
        """A decision that waits for its second person is given up. Raises ConflictError."""
        check_decider(role, "withdrawn")
        self._once(
            "withdraw",
            lambda work: deciding.withdraw(work, decision_id),
            by=by,
            key=key,
            decision=decision_id,
        )

    def waiting(self, ticket_id: str) -> DecisionRecord | None:
        """The decision on a ticket that waits for its second person."""
        return next((made for made in self.decisions(ticket_id) if made.is_waiting), None)

    def decisions(self, ticket_id: str) -> list[DecisionRecord]:
        """The decisions of a ticket, oldest first, their signatures checked anew."""
        return self.core.read(lambda c: records.read_decisions(c, ticket=ticket_id))

    def decisions_on(self, batch: BatchKey) -> list[DecisionRecord]:
        """The decisions about a batch, oldest first. Raises NotFoundError."""
        return self.core.read(lambda c: records.read_decisions(c, batch_id=find_batch(c, batch).id))

    def every_decision(self) -> list[DecisionRecord]:
        """All decisions, oldest first, their signatures checked anew."""
        return self.core.read(records.read_decisions)

    # What follows

    def carry_out(self, ticket_id: str, *, by: str, role: str, key: str | None = None) -> int:
        """Goods decided as return or scrap leave the house; how many units.

        Raises ForbiddenError, ConflictError, HeldError, NotFoundError.
        """
        check_decider(role, "carried out")
        left: int = self.core.command(
            "carry_out",
            {"ticket": ticket_id},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: leaving.carry_out(work, ticket_id),
        )
        return left

    def links(self, ticket_id: str) -> tuple[str, tuple[str, ...]]:
        """The ticket that a ticket goes on from ("" for none), and those that go on from it."""
        return self.core.read(lambda c: parts.links_of(c, ticket_id))

    def add_evidence(self, ticket_id: str, found: Evidence, *, by: str) -> None:
        """Another picture that is stored already. Raises NotFoundError, ConflictError (closed)."""
        self.core.write(lambda work: add_evidence(work, ticket_id, found), by=by)

    def set_due(
        self, ticket_id: str, due_at: datetime, *, by: str, key: str | None = None
    ) -> Ticket:
        """Until when a ticket should be decided. Raises NotFoundError, BadInputError."""
        if due_at.tzinfo is None:
            raise BadInputError("The due time has no zone", mend="Give it with its offset")
        self._once(
            "set_due",
            lambda work: set_due(work, ticket_id, due_at),
            by=by,
            key=key,
            ticket=ticket_id,
            due_at=due_at.isoformat(),
        )
        return self.core.ticket(ticket_id)

    def _once(
        self,
        name: str,
        act: Callable[[Work], None],
        *,
        by: str,
        key: str | None,
        **body: object,
    ) -> None:
        self.core.command(name, body, by=by, key=key, guards_of=None, act=act)

    def _undecided(self, ticket_id: str) -> Ticket:
        ticket = self.core.ticket(ticket_id)
        if not may_go_on(ticket.state):
            raise deciding.decided_already(ticket_id, ticket.state)
        return ticket

    def _check_signature(self, said: Statement, text: str, signature: str) -> None:
        key = self.core.read(lambda c: keys.good_key(c, said.key, person=said.signer))
        if not verifies(key.public_pem, PURPOSE + text.encode(), signature):
            raise SignatureRefusedError(
                "The signature does not fit the statement and its key", mend="Sign it again"
            )

    def _decision(self, decision_id: int) -> DecisionRecord:
        return self.core.read(lambda c: records.read_decisions(c, decision_id=decision_id))[0]
