"""Sessions as signed tokens: an edge box checks one with the site's public key, offline (I6).

Rules: a token is good while its signature holds, it has not expired, its session was not revoked,
and its user's roles and password have not changed since it was given (the account's version).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.accounts.user import Role, User
from appliance.identity.keys import SESSION, load_public_pem, verifies
from contracts.clock import Clock

LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. `expires` is in whole seconds since 1970."""

    session: str
    user: str
    display_name: str
    roles: frozenset[Role]
    csrf: str
    version: int
    expires: int
    phone: str = ""
    """The enrolled phone whose key began the session; empty: a password did."""

    def as_user(self) -> User:
        return User(
            name=self.user,
            display_name=self.display_name,
            roles=self.roles,
            session_id=self.session,
            csrf=self.csrf,
            expires_at=datetime.fromtimestamp(self.expires, UTC),
            phone=self.phone,
        )


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A program's key. Only the SHA-256 of the secret is stored; it has 256 random bits."""

    token_id: str
    name: str
    scopes: frozenset[str]
    sha256: str


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What an edge box needs to know of the hub's accounts to judge a token by itself."""

    session_key_pem: str = ""
    revoked_sessions: frozenset[str] = frozenset()
    versions: dict[str, int] = field(default_factory=dict)
    """Lowest version of a user's tokens that still counts; absent: any."""
    api_tokens: tuple[ApiToken, ...] = ()
    revoked_phones: frozenset[str] = frozenset()


def new_claims(
    user: str,
    display_name: str,
    roles: frozenset[Role],
    *,
    version: int,
    now: datetime,
    phone: str = "",
) -> Claims:
    return Claims(
        session=secrets.token_urlsafe(16),
        user=user,
        display_name=display_name,
        roles=roles,
        csrf=secrets.token_urlsafe(32),
        version=version,
        expires=int((now + LIFETIME).timestamp()),
        phone=phone,
    )


def issue(claims: Claims, key: Ed25519PrivateKey) -> str:
    """The token: two base64url parts, what it says and the signature over it."""
    payload = msgspec.json.encode(claims)
    return f"{_encode(payload)}.{_encode(key.sign(SESSION + payload))}"


def read_claims(token: str, key: Ed25519PublicKey, now: datetime) -> Claims | None:
    """What a genuine, unexpired token says; None for any other text."""
    payload_text, _, signature_text = token.partition(".")
    try:
        payload, signature = _decode(payload_text), _decode(signature_text)
        if not verifies(key, SESSION, payload, signature):
            return None
        claims = msgspec.json.decode(payload, type=Claims)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
    return claims if now.timestamp() < claims.expires else None


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class SessionVerifier:
    """Judges tokens by facts from the hub, without the hub."""

    def __init__(self, facts: Callable[[], AccountFacts], *, clock: Clock) -> None:
        self._facts = facts
        self._clock = clock

    def read(self, token: str) -> User | None:
        facts = self._facts()
        if not facts.session_key_pem:
            return None
        key = load_public_pem(facts.session_key_pem, what="the site's session key")
        claims = read_claims(token, key, self._clock.now())
        if claims is None or claims.session in facts.revoked_sessions:
            return None
        if claims.version < facts.versions.get(claims.user, 0):
            return None
        if claims.phone in facts.revoked_phones:
            return None
        return claims.as_user()

    def api_token(self, secret: str) -> ApiToken | None:
        digest = hash_secret(secret)
        return next((token for token in self._facts().api_tokens if token.sha256 == digest), None)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
