"""People and what they may do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.errors import BadInputError

MIN_PASSWORD = 12
MAX_PASSWORD = 1024
_NAME = re.compile(r"\w[\w.@-]{0,63}")


class Role(StrEnum):
    OPERATOR = "operator"
    QUALITY = "quality"
    OPS = "ops"
    INTEGRATOR = "integrator"
    VIEWER = "viewer"
    DEVICE = "device"


FIRST_ROLES = frozenset({Role.OPS, Role.QUALITY, Role.OPERATOR})
"""What the first person gets: somebody must be able to do everything until others are added."""


@dataclass(frozen=True, slots=True)
class User:
    """A signed-in person. `csrf` goes into every form of this session; `phone` names the enrolled
    phone that the session belongs to, empty for one that a password began.
    """

    name: str
    display_name: str
    roles: frozenset[Role]
    session_id: str
    csrf: str
    expires_at: datetime
    phone: str = ""

    def may(self, *roles: Role) -> bool:
        """True when the person has at least one of `roles`."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Account:
    """A stored person, as user management shows it."""

    name: str
    display_name: str
    roles: frozenset[Role]
    disabled: bool
    created_at: datetime


class BadNameError(BadInputError):
    code = "bad_name"


class PasswordTooShortError(BadInputError):
    code = "password_too_short"


def clean_name(text: str) -> str:
    """One spelling for a sign-in name: NFKC, lower case. Raises BadNameError."""
    name = unicodedata.normalize("NFKC", text).strip().lower()
    if _NAME.fullmatch(name) is None:
        raise BadNameError(
            f"name {text[:80]!r} cannot be used",
            mend="Use up to 64 letters, digits, dots, hyphens, underscores and @",
        )
    return name


def check_password(password: str) -> str:
    """Length only: rules about kinds of characters make passwords worse (NIST SP 800-63B).

    Raises PasswordTooShortError, BadInputError.
    """
    if len(password) < MIN_PASSWORD:
        raise PasswordTooShortError(
            f"the password has {len(password)} characters, {MIN_PASSWORD} are needed",
            mend="A few words in a row are easy to remember",
        )
    if len(password) > MAX_PASSWORD:
        raise BadInputError(
            "the password is too long", mend=f"Use at most {MAX_PASSWORD} characters"
        )
    return password


def check_roles(roles: Iterable[Role | str]) -> frozenset[Role]:
    """Raises BadInputError for an unknown role and for `device`, which is no person's."""
    try:
        known = frozenset(Role(role) for role in roles)
    except ValueError as error:
        raise BadInputError(f"{error}", mend=f"Use one of {', '.join(Role)}") from error
    if Role.DEVICE in known:
        raise BadInputError("a person is no device", mend="Enrol devices with a claim token")
    return known
