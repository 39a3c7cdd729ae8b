"""What is signed so that a fence takes effect, and who may sign it (I5).

Rules:
- The quality lead's key, which a site's devices trust (appliance.teaching.trust), lets a person's own
  signing key speak for fences: a delegation, made with the lead's passphrase, limited to fences.
- A person with the role quality signs, in the browser, one statement a version: these bytes are in
  force, or this fence is over. A later version takes the place of an earlier one; an old statement
  played again changes nothing.
- Nothing here reads a clock. What was in force once stays, whatever becomes of the keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.identity.keys import canonical as canonical_flat
from appliance.identity.keys import verifies_hex
from contracts.canonical import canonical, read_canonical
from contracts.errors import ArtefactRefusedError, BadInputError
from erp_link.adapters import signatures
from telemetry.watching.fences import Fence, read_fence

PURPOSE = b"tallyman fence v1\0"
DELEGATION = b"tallyman fence delegation v1\0"
ROLE = "quality"
_TEXTS = ("fence", "sha256", "state", "reason", "role", "signer", "key")
_NUMBERS = ("v", "version", "at_us")
_MOST_REASON = 500

State = Literal["active", "retired"]


@dataclass(frozen=True, slots=True)
class Delegation:
    """The quality lead's word that a person's key may sign fences.

    `key_id` and `public_pem` are the person's (ECDSA P-256); `by_key` names the lead's key.
    """

    person: str
    key_id: str
    public_pem: str
    at_us: int
    by_key: str = ""
    signature: str = ""

    def message(self) -> bytes:
        """What is signed after DELEGATION. Raises BadInputError for what cannot be."""
        return canonical_flat(
            {
                "v": 1,
                "person": self.person,
                "key_id": self.key_id,
                "public_pem": self.public_pem,
                "at_us": self.at_us,
                "by_key": self.by_key,
            }
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """One version of one fence, as its signer means it. `sha256` is the fence's text's."""

    fence: str
    version: int
    sha256: str
    state: State
    reason: str
    signer: str
    key: str
    at_us: int
    role: str = ROLE

    def text(self) -> str:
        """The canonical JSON that is signed after PURPOSE. Raises BadInputError."""
        said = {name: getattr(self, name) for name in (*_TEXTS, "version", "at_us")}
        return canonical({"v": 1, **said}).decode()


@dataclass(frozen=True, slots=True)
class SignedFence:
    """The fence's text, the statement about it, and the signature over that."""

    text: str
    statement: str
    signature: str


def read_statement(text: str) -> Statement:
    """Raises BadInputError unless `text` is a statement, to the letter."""
    said = read_canonical(text)
    if set(said) != {*_TEXTS, *_NUMBERS} or said["v"] != 1:
        raise _no_statement()
    _check_kinds(said)
    del said["v"]
    return Statement(**said)


def check_reason(reason: str) -> str:
    """The reason without what surrounds it. Raises BadInputError for none, or a very long one."""
    reason = reason.strip()
    if not reason or len(reason) > _MOST_REASON:
        raise BadInputError(
            f"A signature needs its reason, in {_MOST_REASON} characters at most",
            mend="Write what you looked at and why",
        )
    return reason


def check_delegation(said: Delegation, keys: Mapping[str, Ed25519PublicKey]) -> None:
    """Raises ArtefactRefusedError unless one of the lead's `keys` (by `key_id`) made it, and it
    names the key that it holds.
    """
    key = keys.get(said.by_key)
    if key is None:
        raise _refused(f"{said.person} was delegated by a key that is not trusted here")
    try:
        named = signatures.key_id(signatures.load_public_key(said.public_pem)) == said.key_id
        good = named and verifies_hex(key, DELEGATION, said.message(), said.signature)
    except BadInputError as error:
        raise _refused(error.message) from error
    if not good:
        raise _refused(f"the delegation of {said.person} does not hold")


def check_signed(signed: SignedFence, by_key: Mapping[str, Delegation]) -> tuple[Fence, Statement]:
    """What is said, once all of it holds: text, statement and signature by a delegated key.

    `by_key` are good delegations by the person's key id. Raises ArtefactRefusedError.
    """
    try:
        fence, said = read_fence(signed.text), read_statement(signed.statement)
    except BadInputError as error:
        raise _refused(error.message) from error
    if (said.fence, said.version, said.sha256) != (fence.fence, fence.version, fence.sha256):
        raise _refused(f"{fence.fence}: the signature is for other words")
    delegation = by_key.get(said.key)
    if delegation is None or delegation.person != said.signer or said.role != ROLE:
        raise _refused(f"{fence.fence}: {said.signer} may not sign fences with this key")
    message = PURPOSE + signed.statement.encode()
    if not signatures.verifies(delegation.public_pem, message, signed.signature):
        raise _refused(f"{fence.fence}: the signature does not hold")
    return fence, said


def _check_kinds(said: dict[str, Any]) -> None:
    texts = all(isinstance(said[name], str) for name in _TEXTS)
    numbers = all(type(said[name]) is int and said[name] >= 0 for name in _NUMBERS)
    if not (texts and numbers and said["state"] in {"active", "retired"}):
        raise _no_statement()


def _no_statement() -> BadInputError:
    return BadInputError(
        "That is no statement about a fence", mend="Sign the statement as the hub gives it out"
    )


def _refused(why: str) -> ArtefactRefusedError:
    return ArtefactRefusedError(
        f"The fence may not take effect: {why}",
        mend="Let somebody with the role quality sign it on the page Fences",
    )
