"""What the quality pages ask of the quality desk and of the accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from appliance.web.ports import PictureStore
from contracts.stock import BatchKey, Evidence, UsageDecision
from erp_link.service.quality.claims import Claim
from erp_link.service.quality.dossier import Dossier
from erp_link.service.quality.keys import SigningKey
from erp_link.service.quality.records import DecisionRecord
from erp_link.service.quality.scope import Scope


@dataclass(frozen=True, slots=True)
class Choice:
    """What a form says is decided. `quantity` 0 with no `cartons`: everything."""

    decision: UsageDecision
    reason: str
    quantity: int = 0
    cartons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AboutTicket:
    """What stands beside a ticket's evidence. `open_holds` are those that a signer must have seen;
    `follows` and `followed_by` name the tickets before and after it.
    """

    scope: Scope
    open_holds: tuple[str, ...]
    decisions: tuple[DecisionRecord, ...]
    follows: str = ""
    followed_by: tuple[str, ...] = ()

    @property
    def waiting(self) -> DecisionRecord | None:
        return next((made for made in self.decisions if made.is_waiting), None)

    @property
    def came_since(self) -> tuple[str, ...]:
        """Holds that the first signer of the waiting decision had not seen: it is stale."""
        seen = self.waiting.holds_seen if self.waiting else self.open_holds
        return tuple(hold for hold in self.open_holds if hold not in seen)


class PictureShelf(PictureStore, Protocol):
    """The evidence store, for pages that add to it."""

    def put(self, data: bytes) -> str:
        """Store durably; the SHA-256. Raises JournalFullError."""
        ...


class Decider(Protocol):
    """Who takes a decision that nobody signs."""

    def decide_unsigned(self, ticket_id: str, choice: Choice, *, by: str) -> None:
        """Only RELEASE lifts the holds. Raises ForbiddenError where this site signs, ConflictError,
        BadInputError.
        """
        ...


class Desk(Decider, Protocol):
    """The quality desk behind the pages. Calls block; errors are TallymanErrors."""

    @property
    def signed(self) -> bool:
        """Whether this site's decisions are signed."""
        ...

    def about(self, ticket_id: str) -> AboutTicket: ...

    def statement(self, ticket_id: str, choice: Choice, *, signer: str, key: str) -> str:
        """The canonical text to sign."""
        ...

    def decide_signed(self, ticket_id: str, statement: str, signature: str, *, by: str) -> None: ...

    def withdraw(self, decision_id: int, *, by: str) -> None: ...

    def carry_out(self, ticket_id: str, *, by: str) -> int: ...

    def contain(self, ticket_id: str, *, note: str, by: str) -> None: ...

    def close(self, ticket_id: str, *, note: str, by: str) -> None: ...

    def plan(self, ticket_id: str, *, owner: str, due_at: datetime | None, by: str) -> None:
        """Who looks after a ticket, and until when."""
        ...

    def keys(self, person: str) -> Sequence[SigningKey]: ...

    def register_key(
        self, person: str, password: str, *, address: str, public_key: str, label: str, proof: str
    ) -> str:
        """The new key's id. Raises WrongPasswordError, TooManyTriesError, BadInputError."""
        ...

    def add_evidence(self, ticket_id: str, found: Evidence, *, by: str) -> None:
        """A stored picture belongs to a ticket. Raises NotFoundError, ConflictError."""
        ...

    def dossier(self, batch: BatchKey) -> Dossier:
        """Everything known of a batch. Raises NotFoundError."""
        ...

    def claim(self, session: str) -> Claim:
        """What a claim on a delivery rests on. Raises NotFoundError."""
        ...

    def revoke_key(self, key_id: str, *, person: str) -> None: ...
