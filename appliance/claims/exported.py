"""Usage decisions as a file, and the check that anybody can make of one without the hub.

A line of proof holds the text that was signed, the signature and the public key. That the key is the
person's is what the hub says; whoever doubts it compares the key's id with the person's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from contracts.errors import BadInputError, TallymanError
from erp_link.adapters.signatures import key_id, load_public_key, verifies
from erp_link.domain.quality.statement import PURPOSE, Statement, read_statement
from erp_link.service.quality.records import DecisionRecord


@dataclass(frozen=True, slots=True)
class Proof:
    """One signature, as exported. All texts; `signature` is hex, `public_key` PEM."""

    person: str
    statement: str
    signature: str
    public_key: str


@dataclass(frozen=True, slots=True)
class ExportedDecision:
    """A usage decision with its proofs, as `decisions.json` holds it."""

    ticket: str
    decision: str
    reason: str
    quantity: int
    cartons: tuple[str, ...]
    state: str
    made_by: str
    made_at: str
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the check of a decision found; `why` is empty where everything holds."""

    ticket: str
    decision: str
    signers: tuple[str, ...]
    why: str = ""


def exported(made: DecisionRecord) -> ExportedDecision:
    """A decision for a file."""
    return ExportedDecision(
        ticket=made.ticket_id,
        decision=made.decision.value,
        reason=made.reason,
        quantity=made.quantity,
        cartons=made.cartons,
        state=made.state,
        made_by=made.made_by,
        made_at=made.made_at.isoformat(),
        proofs=tuple(
            Proof(each.person, each.statement, each.signature, each.public_pem)
            for each in made.signatures
        ),
    )


def read_exported(path: Path) -> list[ExportedDecision]:
    """The decisions in a file. Raises BadInputError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[ExportedDecision])
    except OSError as error:
        raise BadInputError(
            f"Cannot read {path}: {error.strerror}", mend="Check the path"
        ) from error
    except msgspec.DecodeError as error:
        raise BadInputError(
            f"{path} is no list of decisions: {error}",
            mend="Take decisions.json of a claims pack, or `tallyman decision export`",
        ) from error


def check(made: ExportedDecision) -> Finding:
    """Check every proof: it holds, says what the decision says, and a second one seconds the first."""
    signers = tuple(proof.person for proof in made.proofs)
    why = _why(made) if made.proofs else "nobody signed it"
    return Finding(made.ticket, made.decision, signers, why)


def _why(made: ExportedDecision) -> str:
    first = ""
    people: set[str] = set()
    for proof in made.proofs:
        try:
            said = read_statement(proof.statement)
            key = key_id(load_public_key(proof.public_key))
        except TallymanError as error:
            return str(error)
        message = PURPOSE + proof.statement.encode()
        if not verifies(proof.public_key, message, proof.signature):
            return f"the signature of {proof.person} does not hold"
        if said.key != key or said.signer != proof.person:
            return f"the statement names another signer or key than {proof.person}'s"
        if not _says(said, made):
            return f"what {proof.person} signed is not what is recorded"
        if said.seconds != first or said.signer in people:
            return f"{proof.person} seconds something else, or their own decision"
        people.add(said.signer)
        first = first or hashlib.sha256(message).hexdigest()
    return ""


def _says(said: Statement, made: ExportedDecision) -> bool:
    recorded: Sequence[Any] = (made.ticket, made.decision, made.reason, made.quantity, made.cartons)
    return recorded == (
        said.ticket,
        said.decision.value,
        said.reason,
        said.quantity,
        said.cartons,
    )
