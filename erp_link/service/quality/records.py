"""Usage decisions read back, each with the statements that were signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select

from contracts.stock import BatchKey, UsageDecision
from erp_link.adapters import quality_tables as q
from erp_link.adapters import tables as t
from erp_link.adapters.signatures import verifies
from erp_link.domain.quality.statement import PURPOSE, read_statement

WAITING, IN_FORCE, WITHDRAWN = "waiting", "in_force", "withdrawn"


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's signature. `statement` is the text that was signed, `signature` hex; `holds`
    says whether it does: it was checked just now against `public_pem`.
    """

    digest: str
    person: str
    key_id: str
    public_pem: str
    statement: str
    signature: str
    at: datetime
    holds: bool


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One usage decision. `state` is waiting (for a second person), in_force or withdrawn.

    `quantity` 0 with no `cartons` is everything that the ticket was about; `child_ticket` is the
    ticket that goes on from it; `done_at` is when goods left on its ground.
    """

    decision_id: int
    ticket_id: str
    batch: BatchKey | None
    decision: UsageDecision
    reason: str
    quantity: int
    cartons: tuple[str, ...]
    holds_seen: tuple[str, ...]
    state: str
    made_by: str
    made_at: datetime
    child_ticket: str
    done_at: datetime | None
    signatures: tuple[Signature, ...] = ()

    @property
    def is_waiting(self) -> bool:
        return self.state == WAITING


def read_decisions(
    connection: Connection,
    *,
    ticket: str | None = None,
    batch_id: int | None = None,
    decision_id: int | None = None,
) -> list[DecisionRecord]:
    """Decisions, oldest first: of a ticket, of a batch, the one, or all."""
    which: list[ColumnElement[bool]] = []
    if ticket is not None:
        which.append(q.usage_decision.c.ticket_id == ticket)
    if batch_id is not None:
        which.append(q.usage_decision.c.batch_id == batch_id)
    if decision_id is not None:
        which.append(q.usage_decision.c.id == decision_id)
    rows = connection.execute(
        select(q.usage_decision, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == q.usage_decision.c.batch_id, isouter=True)
        .where(*which)
        .order_by(q.usage_decision.c.id)
    ).all()
    signed = _signatures(connection, [row.id for row in rows])
    return [
        DecisionRecord(
            decision_id=row.id,
            ticket_id=row.ticket_id,
            batch=BatchKey(row.supplier, row.gtin, row.lot) if row.batch_id is not None else None,
            decision=UsageDecision(row.decision),
            reason=row.reason,
            quantity=row.quantity,
            cartons=tuple(row.cartons),
            holds_seen=tuple(row.holds),
            state=row.state,
            made_by=row.made_by,
            made_at=row.made_at,
            child_ticket=row.child_ticket,
            done_at=row.done_at,
            signatures=tuple(signed.get(row.id, ())),
        )
        for row in rows
    ]


def _signatures(connection: Connection, ids: Sequence[int]) -> dict[int, list[Signature]]:
    found: dict[int, list[Signature]] = {}
    for start in range(0, len(ids), 500):
        rows = connection.execute(
            select(q.signature, q.signing_key.c.public_pem)
            .join(q.signing_key, q.signing_key.c.key_id == q.signature.c.key_id)
            .where(q.signature.c.decision_id.in_(ids[start : start + 500]))
            .order_by(q.signature.c.at, q.signature.c.digest)
        )
        for row in rows:
            message = PURPOSE + row.statement.encode()
            found.setdefault(row.decision_id, []).append(
                Signature(
                    row.digest,
                    row.person,
                    row.key_id,
                    row.public_pem,
                    row.statement,
                    row.signature,
                    row.at,
                    holds=verifies(row.public_pem, message, row.signature),
                )
            )
    for each in found.values():
        each.sort(key=lambda signature: bool(read_statement(signature.statement).seconds))
    return found
