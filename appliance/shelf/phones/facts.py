"""Phones that were enrolled at the shelf: what is known of one, what it proves, what refuses it.

A phone makes its Ed25519 key itself and never gives it away. Its id follows from the key, so that
enrolling again with the same key is the same phone. It acts for one person in one role: less than
the person may do elsewhere, never more.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from contracts.errors import BadInputError, NotFoundError, NotSignedInError, TallymanError

PHONE_HEADER = "tallyman-phone"
"""A request from an enrolled phone names it: a revoked one then hears 410 whatever its cookie is."""

ENROL = b"tallyman phone enrolment v1\0"
SESSION = b"tallyman phone session v1\0"
ROLES = ("operator", "quality", "ops", "integrator", "viewer")
"""In which a phone may be enrolled."""


class PhoneRevokedError(TallymanError):
    """410: this phone was revoked, or its person left. It wipes what it carries; data has `phone`,
    `wipe` (True) and `revoked_us`.
    """

    code = "phone_revoked"


class UnknownPhoneError(NotFoundError):
    """No phone of this id is enrolled: it enrols anew."""

    code = "unknown_phone"


class BadProofError(NotSignedInError):
    """The signature is not this phone's, or its challenge is too old or was used."""

    code = "bad_proof"


class InvitationSpentError(TallymanError):
    """410: the one-time link was used, has expired, or was replaced."""

    code = "invitation_spent"


class PhoneFormError(BadInputError):
    """What somebody filled in about a phone cannot be; the page says it by its code
    (`phones.refused.CODE` of the catalogue).
    """


class NoReasonError(PhoneFormError):
    """A phone is not revoked without a reason."""

    code = "no_reason"


class BadPhoneNameError(PhoneFormError):
    """A phone's name is empty or too long."""

    code = "bad_phone_name"


class NotTheirRoleError(PhoneFormError):
    """The person does not have the role that their phone was to have."""

    code = "not_their_role"


@dataclass(frozen=True, slots=True)
class Phone:
    """`owner` is the sign-in name of the person who holds it."""

    phone: str
    name: str
    owner: str
    role: str
    public_key: str
    """Raw Ed25519 key, lower-case hex."""
    enrolled_at: datetime
    enrolled_by: str
    seen_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str = ""
    reason: str = ""
    wiped_at: datetime | None = None
    """When the phone itself said that it had wiped what it carried."""

    @property
    def state(self) -> str:
        """active, revoked (it has not heard of it yet) or wiped."""
        if self.revoked_at is None:
            return "active"
        return "revoked" if self.wiped_at is None else "wiped"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time link's secret, told once."""

    token: str
    owner: str
    role: str
    name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PhoneEvent:
    """One line of the record: invited, enrolled, renamed, revoked, last_words, wiped."""

    at: datetime
    phone: str
    what: str
    by: str
    note: str = ""

    @property
    def whom(self) -> tuple[str, str]:
        """Of a line that says for whom and in which role (`mei (operator)`): both; else the note alone
        and an empty role.
        """
        person, _, role = self.note.removesuffix(")").rpartition(" (")
        if self.what not in {"invited", "enrolled"} or role not in ROLES:
            return self.note, ""
        return person, role


def phone_id(public_key: str) -> str:
    """The id under which a key's phone keeps its log; `public_key` in hex."""
    return f"phone-{hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:16]}"


def enrol_message(public_key: str, token: str) -> bytes:
    """What a phone signs to enrol; `token` is empty where the person is signed in on it."""
    return ENROL + bytes.fromhex(public_key) + token.encode()


def session_message(phone: str, challenge: str) -> bytes:
    """What a phone signs to be let in again."""
    return SESSION + phone.encode() + b"\0" + challenge.encode()
