"""The quality desk and the accounts behind the pages' port."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from appliance.accounts.store import Accounts
from appliance.config import QualityConfig
from appliance.web.quality.ports import AboutTicket, Choice
from contracts.errors import BadInputError
from contracts.stock import BatchKey, Evidence, UsageDecision
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.domain.quality.statement import read_statement
from erp_link.service.quality.claims import Claim, claim
from erp_link.service.quality.desk import Quality, SigningKey
from erp_link.service.quality.dossier import Dossier, Temperatures, dossier

_ROLE = "quality"


def decision_policy(config: QualityConfig) -> DecisionPolicy:
    """The site's rules for decisions, from its configuration."""
    return DecisionPolicy(
        signed=config.signed,
        two_people=frozenset(UsageDecision(name) for name in config.two_people),
        two_people_from=config.two_people_from,
    )


class CoreDesk:
    """appliance.web.quality.ports.Desk over the core's quality desk."""

    def __init__(
        self, quality: Quality, accounts: Accounts, temperatures: Temperatures | None = None
    ) -> None:
        self._quality = quality
        self._accounts = accounts
        self._temperatures = temperatures

    @property
    def signed(self) -> bool:
        return self._quality.policy.signed

    def about(self, ticket_id: str) -> AboutTicket:
        follows, followed_by = self._quality.links(ticket_id)
        return AboutTicket(
            self._quality.scope(ticket_id),
            self._quality.open_holds(ticket_id),
            tuple(self._quality.decisions(ticket_id)),
            follows,
            followed_by,
        )

    def statement(self, ticket_id: str, choice: Choice, *, signer: str, key: str) -> str:
        return self._quality.statement(
            ticket_id,
            choice.decision,
            reason=choice.reason,
            signer=signer,
            role=_ROLE,
            key=key,
            quantity=choice.quantity,
            cartons=choice.cartons,
        ).text()

    def decide_signed(self, ticket_id: str, statement: str, signature: str, *, by: str) -> None:
        about = read_statement(statement).ticket
        if about != ticket_id:
            raise BadInputError(
                f"The statement is about ticket {about}", mend="Load the page again and sign anew"
            )
        self._quality.decide(statement, signature, by=by, role=_ROLE)

    def decide_unsigned(self, ticket_id: str, choice: Choice, *, by: str) -> None:
        self._quality.decide_unsigned(
            ticket_id,
            choice.decision,
            reason=choice.reason,
            by=by,
            role=_ROLE,
            quantity=choice.quantity,
            cartons=choice.cartons,
        )

    def withdraw(self, decision_id: int, *, by: str) -> None:
        self._quality.withdraw(decision_id, by=by, role=_ROLE)

    def carry_out(self, ticket_id: str, *, by: str) -> int:
        return self._quality.carry_out(ticket_id, by=by, role=_ROLE)

    def contain(self, ticket_id: str, *, note: str, by: str) -> None:
        self._quality.core.contain_ticket(ticket_id, note=note, by=by)

    def close(self, ticket_id: str, *, note: str, by: str) -> None:
        self._quality.core.close_ticket(ticket_id, note=note, by=by)

    def plan(self, ticket_id: str, *, owner: str, due_at: datetime | None, by: str) -> None:
        ticket = self._quality.core.ticket(ticket_id)
        if owner != ticket.owner:
            self._quality.core.assign_ticket(ticket_id, owner, by=by)
        if due_at is not None and due_at != ticket.due_at:
            self._quality.set_due(ticket_id, due_at, by=by)

    def keys(self, person: str) -> Sequence[SigningKey]:
        return self._quality.keys(person)

    def register_key(
        self, person: str, password: str, *, address: str, public_key: str, label: str, proof: str
    ) -> str:
        # A signed-in screen that was left alone is not enough to sign in somebody's name later. The
        # session that this opens is given to nobody.
        self._accounts.sign_in(person, password, address=address)
        key = self._quality.register_key(person, public_key, label=label, proof=proof, by=person)
        return key.key_id

    def add_evidence(self, ticket_id: str, found: Evidence, *, by: str) -> None:
        self._quality.add_evidence(ticket_id, found, by=by)

    def dossier(self, batch: BatchKey) -> Dossier:
        return dossier(self._quality.core, batch, self._temperatures)

    def claim(self, session: str) -> Claim:
        return claim(self._quality.core, session)

    def revoke_key(self, key_id: str, *, person: str) -> None:
        self._quality.revoke_key(key_id, by=person, person=person)
