"""Whose key is whose: the public halves that a person's signature is checked with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.reason import Reason
from erp_link.adapters import quality_tables as q
from erp_link.adapters import signatures
from erp_link.domain.quality.statement import SignatureRefusedError
from erp_link.service.work import Work

PROOF = b"tallyman signing key v1\0"
"""Goes before the person's name under the signature that proves that the browser has the key."""
_MOST_LABEL = 120
_MOST_KEYS = 20


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A registered key. `label` tells the person which browser or machine holds it."""

    key_id: str
    person: str
    label: str
    public_pem: str
    registered_at: datetime
    registered_by: str
    revoked_at: datetime | None = None

    @property
    def is_good(self) -> bool:
        return self.revoked_at is None


def register(work: Work, person: str, public_key: str, label: str, proof: str) -> str:
    """Keep a person's key; its id. `proof` is the key's signature over PROOF and the person's name,
    so that nobody registers a key that they do not hold. The same key again changes nothing.

    Raises BadInputError, SignatureRefusedError, ConflictError (another's key, or a revoked one).
    """
    key = signatures.load_public_key(public_key)
    pem, name = signatures.public_pem(key), signatures.key_id(key)
    if not label.strip() or len(label) > _MOST_LABEL:
        raise BadInputError("The key needs a short name", mend="Name the browser or machine")
    if not signatures.verifies(pem, PROOF + person.encode(), proof):
        raise SignatureRefusedError(
            "The key did not sign its own registration", mend="Register it from where it is kept"
        )
    known = _row(work.connection, name)
    if known is not None:
        if known.person != person or known.revoked_at is not None:
            raise ConflictError(
                "This key is registered to somebody else or was revoked", mend="Make a new key"
            )
        return name
    if len([each for each in read_keys(work.connection, person) if each.is_good]) >= _MOST_KEYS:
        raise ConflictError(
            f"{person} has {_MOST_KEYS} keys", mend="Revoke those that are not used any more"
        )
    work.connection.execute(
        insert(q.signing_key).values(
            key_id=name,
            person=person,
            label=label.strip(),
            public_pem=pem,
            registered_at=work.now,
            registered_by=work.by,
        )
    )
    text = Reason("story_key_registered", {"person": person, "label": label.strip()})
    work.event("signing_key", text, reference=name)
    return name


def revoke(work: Work, key_id: str, *, person: str | None) -> None:
    """Nothing is signed with a key any more; what it signed stays signed. `person` limits it to
    their own. Raises NotFoundError.
    """
    row = _row(work.connection, key_id)
    if row is None or (person is not None and row.person != person):
        raise unknown_key(key_id)
    if row.revoked_at is not None:
        return
    work.connection.execute(
        update(q.signing_key)
        .where(q.signing_key.c.key_id == key_id)
        .values(revoked_at=work.now, revoked_by=work.by)
    )
    text = Reason("story_key_revoked", {"person": row.person, "label": row.label})
    work.event("signing_key", text, reference=key_id)


def read_keys(connection: Connection, person: str | None = None) -> list[SigningKey]:
    """Keys, newest first; of one person, or of everybody."""
    query = select(q.signing_key).order_by(q.signing_key.c.registered_at.desc())
    if person is not None:
        query = query.where(q.signing_key.c.person == person)
    return [_key(row) for row in connection.execute(query)]


def good_key(connection: Connection, key_id: str, *, person: str) -> SigningKey:
    """The key that `person` may sign with. Raises SignatureRefusedError."""
    row = _row(connection, key_id)
    if row is None or row.person != person or row.revoked_at is not None:
        raise SignatureRefusedError(
            f"{person} has no such key here", mend="Register this browser's key, then sign again"
        )
    return _key(row)


def unknown_key(key_id: str) -> NotFoundError:
    return NotFoundError(f"There is no key {key_id[:16]}", mend="Look in the list of keys")


def _row(connection: Connection, key_id: str) -> Row[Any] | None:
    return connection.execute(
        select(q.signing_key).where(q.signing_key.c.key_id == key_id)
    ).one_or_none()


def _key(row: Row[Any]) -> SigningKey:
    return SigningKey(
        row.key_id,
        row.person,
        row.label,
        row.public_pem,
        row.registered_at,
        row.registered_by,
        row.revoked_at,
    )
