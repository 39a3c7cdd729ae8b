"""The hub's accounts, in a small SQLite file of their own.

Rules: no default password; the first person comes in by a one-time link; at least one enabled
person in role ops remains; whatever changes a person's rights ends that person's sessions at once.
Methods block; `sign_in` and the ones that set a password take tens of milliseconds by design.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import argon2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.accounts.file import open_accounts
from appliance.accounts.limit import FailureLimiter, Limit
from appliance.accounts.session import (
    LIFETIME,
    AccountFacts,
    ApiToken,
    hash_secret,
    issue,
    new_claims,
    read_claims,
)
from appliance.accounts.tokens import ApiTokens
from appliance.accounts.user import (
    FIRST_ROLES,
    Account,
    Role,
    User,
    check_password,
    check_roles,
    clean_name,
)
from appliance.identity.keys import public_pem
from appliance.small_db import SmallDb
from contracts.clock import Clock
from contracts.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError

FIRST_LINK = timedelta(hours=24)


class WrongPasswordError(ForbiddenError):
    """Name or password is wrong, or the account is disabled: which one is not told."""

    code = "wrong_password"


class TooManyTriesError(ForbiddenError):
    code = "too_many_tries"


class LinkSpentError(ForbiddenError):
    """The one-time link was used, has expired, or was replaced by a newer one."""

    code = "link_spent"


class PersonGoneError(ForbiddenError):
    """The account is disabled or was removed."""

    code = "person_gone"


class Accounts:
    """People, their sessions, and programs' tokens."""

    def __init__(
        self,
        file: SmallDb,
        *,
        clock: Clock,
        key: Ed25519PrivateKey,
        hasher: argon2.PasswordHasher,
    ) -> None:
        self._file = file
        self._tokens = ApiTokens(file)
        self._clock = clock
        self._key = key
        self._public_key = key.public_key()
        self._hasher = hasher
        # Checked where there is no such name, so that the answer takes as long as a wrong one.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))
        self._by_person = FailureLimiter(Limit(5, timedelta(minutes=5)))
        self._by_address = FailureLimiter(Limit(30, timedelta(minutes=5)))
        self._hashing = threading.BoundedSemaphore(2)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        session_key: Ed25519PrivateKey,
        hasher: argon2.PasswordHasher | None = None,
    ) -> Accounts:
        """`hasher` sets the cost of a password; the library's default follows RFC 9106.

        Stored passwords are hashed anew at the next sign-in after the cost changed.
        """
        return cls(
            open_accounts(path),
            clock=clock,
            key=session_key,
            hasher=hasher or argon2.PasswordHasher(),
        )

    def close(self) -> None:
        self._file.close()

    def first_sign_in_token(self) -> str | None:
        """A fresh one-time token, 24 hours; None once anybody has an account.

        A new one ends the one before, so only the link printed last works.
        """
        token = secrets.token_urlsafe(32)
        with self._file.change() as db:
            if db.execute("SELECT 1 FROM users LIMIT 1").fetchone():
                return None
            db.execute(
                "INSERT OR REPLACE INTO first_link VALUES (1, ?, ?)",
                (hash_secret(token), (self._clock.now() + FIRST_LINK).isoformat()),
            )
        return token

    def first_link_is_good(self, token: str) -> bool:
        row = self._file.one("SELECT sha256, expires_at FROM first_link")
        return (
            row is not None
            and secrets.compare_digest(row[0], hash_secret(token))
            and self._clock.now() < datetime.fromisoformat(row[1])
        )

    def first_sign_in(self, token: str, name: str, password: str) -> str:
        """Make the first person and sign them in; gives a session token.

        Raises LinkSpentError, BadNameError, PasswordTooShortError.
        """
        if not self.first_link_is_good(token):
            raise LinkSpentError(
                "This link has been used or has expired",
                mend="Start the hub again: it prints a new one while nobody has an account",
            )
        person, hashed = clean_name(name), self._hash(password)
        with self._file.change() as db:
            # The first of two who race takes the link with it.
            spent = db.execute("DELETE FROM first_link WHERE sha256 = ?", (hash_secret(token),))
            if spent.rowcount != 1:
                raise LinkSpentError("This link has been used", mend="Sign in instead")
            self._insert(db, person, name.strip(), hashed, FIRST_ROLES)
        return self._issue(person)

    def add_user(
        self, name: str, password: str, roles: Iterable[Role | str], *, display_name: str = ""
    ) -> None:
        """Raises BadInputError, ConflictError when the name is taken."""
        person, known, hashed = clean_name(name), check_roles(roles), self._hash(password)
        with self._file.change() as db:
            self._insert(db, person, display_name or name.strip(), hashed, known)

    def set_roles(self, name: str, roles: Iterable[Role | str]) -> None:
        """Raises NotFoundError, BadInputError, ConflictError for the last ops person."""
        known = check_roles(roles)
        self._update(name, "roles = ?", _pack(known))

    def set_password(self, name: str, password: str) -> None:
        self._update(name, "password = ?", self._hash(password))

    def disable(self, name: str) -> None:
        """Raises NotFoundError, ConflictError for the last ops person."""
        self._update(name, "disabled = ?", 1)

    def enable(self, name: str) -> None:
        self._update(name, "disabled = ?", 0)

    def users(self) -> list[Account]:
        rows = self._file.all(
            "SELECT name, display_name, roles, disabled, created_at FROM users ORDER BY name"
        )
        return [
            Account(name, display, _unpack(roles), bool(disabled), datetime.fromisoformat(created))
            for name, display, roles, disabled, created in rows
        ]

    def sign_in(self, name: str, password: str, *, address: str) -> str:
        """A session token of 12 hours. `address` is where the attempt came from.

        Raises WrongPasswordError, TooManyTriesError.
        """
        now = self._clock.now()
        try:
            person = clean_name(name)
        except BadInputError:
            person = ""
        # A person is counted by address too: guessing from elsewhere locks nobody out.
        who = f"{person}\0{address}"
        if not (self._by_person.may_try(who, now) and self._by_address.may_try(address, now)):
            raise TooManyTriesError(
                "Too many wrong passwords from here", mend="Wait five minutes and try again"
            )
        row = self._file.one("SELECT password, disabled FROM users WHERE name = ?", person)
        stored, disabled = row or (self._nobody, 1)
        if not self._matches(stored, password) or disabled:
            self._by_person.failed(who, now)
            self._by_address.failed(address, now)
            raise WrongPasswordError("Name or password is wrong", mend="Check both and try again")
        self._by_person.succeeded(who)
        if self._hasher.check_needs_rehash(stored):
            rehashed = self._hash(password)
            with self._file.change() as db:
                db.execute("UPDATE users SET password = ? WHERE name = ?", (rehashed, person))
        return self._issue(person)

    def roles_of(self, name: str) -> frozenset[Role]:
        """What a person may do; nothing where they are disabled or unknown."""
        row = self._file.one("SELECT roles FROM users WHERE name = ? AND disabled = 0", name)
        return _unpack(row[0]) if row else frozenset()

    def sign_in_phone(self, name: str, role: Role, *, phone: str) -> str:
        """A session token for an enrolled phone, which proved its key: its person, in one role.

        Raises PersonGoneError, ForbiddenError (they have the role no more).
        """
        held = self.roles_of(name)
        if not held or self._is_out(phone):
            raise PersonGoneError(
                f"{name} is no longer let in here", mend="Ask somebody with the role ops"
            )
        if role not in held:
            raise ForbiddenError(
                f"{name} no longer has the role {role}, which this phone was enrolled for",
                mend="Enrol the phone again in a role that they have",
            )
        return self._issue(name, roles=frozenset({role}), phone=phone)

    def shut_out_phone(self, phone: str) -> None:
        """End the sessions of an enrolled phone, for ever; an edge box learns of it with the facts."""
        with self._file.change() as db:
            db.execute("INSERT OR IGNORE INTO phones_out VALUES (?)", (phone,))

    def sign_out(self, token: str) -> None:
        """End this session everywhere; an edge box learns of it with the next facts."""
        claims = read_claims(token, self._public_key, self._clock.now())
        if claims is None:
            return
        with self._file.change() as db:
            now = self._clock.now()
            db.execute("DELETE FROM revoked WHERE until <= ?", (now.isoformat(),))
            db.execute(
                "INSERT OR IGNORE INTO revoked VALUES (?, ?)",
                (claims.session, (now + LIFETIME).isoformat()),
            )

    def read(self, token: str) -> User | None:
        """Who holds this session token; None when it does not count (any more)."""
        claims = read_claims(token, self._public_key, self._clock.now())
        if claims is None:
            return None
        row = self._file.one(
            "SELECT 1 FROM users WHERE name = ? AND version = ? AND disabled = 0 "
            "AND NOT EXISTS (SELECT 1 FROM revoked WHERE session = ?)",
            claims.user,
            claims.version,
            claims.session,
        )
        return claims.as_user() if row and not self._is_out(claims.phone) else None

    def new_token(self, name: str, scopes: Iterable[str]) -> str:
        """A secret for a program, shown once. Raises BadInputError without name or scope."""
        return self._tokens.new(name, scopes, at=self._clock.now())

    def api_token(self, secret: str) -> ApiToken | None:
        return self._tokens.find(secret)

    def tokens(self) -> list[ApiToken]:
        return self._tokens.all()

    def revoke_token(self, token_id: str) -> None:
        """Raises NotFoundError."""
        self._tokens.revoke(token_id)

    def facts(self) -> AccountFacts:
        """What edge boxes need to judge sessions and API tokens by themselves."""
        now = self._clock.now().isoformat()
        revoked = self._file.all("SELECT session FROM revoked WHERE until > ?", now)
        people = self._file.all("SELECT name, version FROM users")
        return AccountFacts(
            session_key_pem=public_pem(self._public_key),
            revoked_sessions=frozenset(str(session) for (session,) in revoked),
            # Disabling raises the version; enabling does again, so old tokens stay dead.
            versions=dict(people),
            api_tokens=tuple(self.tokens()),
            revoked_phones=frozenset(
                str(phone) for (phone,) in self._file.all("SELECT phone FROM phones_out")
            ),
        )

    def _is_out(self, phone: str) -> bool:
        found = self._file.one("SELECT 1 FROM phones_out WHERE phone = ?", phone) if phone else None
        return found is not None

    def _hash(self, password: str) -> str:
        check_password(password)
        with self._hashing:
            return self._hasher.hash(password)

    def _matches(self, stored: str, password: str) -> bool:
        # Argon2 takes 64 MiB a check: two at a time, so that guessing cannot eat the memory.
        with self._hashing:
            try:
                return self._hasher.verify(stored, password)
            except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
                return False

    def _issue(self, name: str, *, roles: frozenset[Role] | None = None, phone: str = "") -> str:
        row = self._file.one("SELECT display_name, roles, version FROM users WHERE name = ?", name)
        if row is None:
            raise NotFoundError(f"nobody is called {name[:80]!r}", mend="Check the name")
        display, held, version = row
        claims = new_claims(
            name,
            display,
            _unpack(held) if roles is None else roles,
            version=version,
            now=self._clock.now(),
            phone=phone,
        )
        return issue(claims, self._key)

    def _insert(
        self,
        db: sqlite3.Connection,
        name: str,
        display_name: str,
        hashed: str,
        roles: frozenset[Role],
    ) -> None:
        try:
            db.execute(
                "INSERT INTO users VALUES (?, ?, ?, ?, 0, 1, ?)",
                (name, display_name, hashed, _pack(roles), self._clock.now().isoformat()),
            )
        except sqlite3.IntegrityError as error:
            raise ConflictError(f"the name {name!r} is taken", mend="Choose another") from error

    def _update(self, name: str, assignment: str, value: object) -> None:
        with self._file.change() as db:
            changed = db.execute(
                f"UPDATE users SET {assignment}, version = version + 1 WHERE name = ?",  # noqa: S608 -- our own constants
                (value, clean_name(name)),
            )
            if changed.rowcount != 1:
                raise NotFoundError(f"nobody is called {name[:80]!r}", mend="Check the name")
            rows = db.execute("SELECT roles FROM users WHERE disabled = 0").fetchall()
            if not any(Role.OPS in _unpack(roles) for (roles,) in rows):
                raise ConflictError(
                    f"{name} is the last person in role ops", mend="Give the role to another first"
                )


def _pack(roles: frozenset[Role]) -> str:
    return " ".join(sorted(roles))


def _unpack(text: str) -> frozenset[Role]:
    return frozenset(Role(role) for role in text.split())
