"""One-time links that enrol a phone: each is good for one phone, for a quarter of an hour, and for one
person in one of their own roles. What is kept of a link is the hash of its secret.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from appliance.accounts.user import Role
from appliance.shelf.phones.book import PhoneBook, note, put_invitation, spend_invitation
from appliance.shelf.phones.facts import (
    ROLES,
    BadPhoneNameError,
    Invitation,
    InvitationSpentError,
    NotTheirRoleError,
)
from appliance.shelf.phones.ports import People
from contracts.clock import Clock

INVITATION = timedelta(minutes=15)
LONGEST = 80
"""Characters of a phone's name."""


class Invitations:
    """In the file of phones. Methods block."""

    def __init__(self, book: PhoneBook, *, clock: Clock, people: People) -> None:
        self._book = book
        self._clock = clock
        self._people = people

    def make(self, owner: str, role: str, *, name: str, by: str, key: str) -> Invitation:
        """The same `key` again replaces the one before. Raises NotTheirRoleError, BadPhoneNameError."""
        check_role(self._people, owner, role)
        token = secrets.token_urlsafe(24)
        now = self._clock.now()
        made = Invitation(token, owner, role, called(name) if name else "", now + INVITATION)
        with self._book.change() as db:
            put_invitation(db, _hash(token), made, by=by, key=key, now=now)
            note(db, "", "invited", by=by, at=now, words=f"{owner} ({role})")
        return made

    def find(self, token: str, phone: str = "") -> tuple[Invitation, str]:
        """Whom a link is for and who made it, while nobody, or `phone` itself, has used it.

        Raises InvitationSpentError.
        """
        found = self._book.invitation(_hash(token))
        if found is None or found[0].expires_at <= self._clock.now():
            raise _spent()
        invitation, made_by, used_by = found
        if used_by not in ("", phone):
            raise _spent()
        return invitation, made_by

    def spend(self, token: str, phone: str) -> None:
        """From now on it is `phone`'s. Raises InvitationSpentError where another was quicker."""
        with self._book.change() as db:
            if not spend_invitation(db, _hash(token), phone):
                raise _spent()


def check_role(people: People, owner: str, role: str) -> None:
    """Raises NotTheirRoleError where `owner` does not have `role`, or no phone may have it."""
    if role not in ROLES or Role(role) not in people.roles_of(owner):
        raise NotTheirRoleError(
            f"{owner[:80]} does not have the role {role[:40]!r}",
            mend="Choose one of the person's own roles for the phone",
        )


def called(text: str) -> str:
    """A phone's name as it is kept. Raises BadPhoneNameError."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST:
        raise BadPhoneNameError(
            f"A phone's name has 1 to {LONGEST} characters", mend="Call it as people call it"
        )
    return name


def _spent() -> InvitationSpentError:
    return InvitationSpentError(
        "This link was used, or is older than 15 minutes",
        mend="Ask for a new one on the page Phones",
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
