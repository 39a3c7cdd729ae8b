"""What the routes of the phones take in and give out (appliance/shelf/phones/api.py)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from appliance.shelf.phones.facts import Phone
from contracts.device_log import LogEntry

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime | None) -> int:
    """Microseconds since 1970 UTC; 0 for never."""
    return 0 if at is None else (at - _EPOCH) // timedelta(microseconds=1)


def plain(value: object) -> object:
    """What goes into a JSON answer that is made by hand."""
    return msgspec.to_builtins(value)


@dataclass(frozen=True, slots=True)
class Me:
    """Who asks. `phone` is empty for a person's own session. Times are microseconds since 1970 UTC."""

    name: str
    display_name: str
    roles: tuple[str, ...]
    phone: str
    phone_name: str
    now_us: int
    """By the hub's clock."""
    session_until_us: int
    offline_until_us: int
    """Until then the phone may be used without hearing from the hub; 0 for a person's session."""
    csrf: str
    """Goes with each write as X-CSRF-Token."""
    wipe: bool = False


@dataclass(frozen=True, slots=True)
class InviteIn:
    """`owner` empty: the person who asks. `name`: what the list calls the phone."""

    role: str
    owner: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Invited:
    """`link` opens the enrolment page on the phone; its secret stands behind the `#`."""

    link: str
    owner: str
    role: str
    expires_us: int
    qr: str
    """The link as an SVG picture."""


@dataclass(frozen=True, slots=True)
class TokenIn:
    token: str


@dataclass(frozen=True, slots=True)
class InvitationOut:
    """Whom an invitation is for, told to whoever holds its link."""

    owner: str
    role: str
    name: str
    site: str
    expires_us: int


@dataclass(frozen=True, slots=True)
class PhoneIn:
    """`proof`: Ed25519 signature, hex, over `tallyman phone enrolment v1`, a zero byte, the 32 bytes
    of the key and the token. Without a token the person signed in enrols in `role`.
    """

    public_key: str
    proof: str
    token: str = ""
    name: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class ProofIn:
    """`signature`: Ed25519, hex, over `tallyman phone session v1`, a zero byte, the phone's id, a
    zero byte and the challenge.
    """

    challenge: str
    signature: str


@dataclass(frozen=True, slots=True)
class Challenge:
    challenge: str
    expires_us: int


@dataclass(frozen=True, slots=True)
class NameIn:
    name: str


@dataclass(frozen=True, slots=True)
class RevokeIn:
    reason: str


@dataclass(frozen=True, slots=True)
class PhoneOut:
    """`state`: active, revoked (it has not confirmed that it wiped itself) or wiped. Times are 0 for
    what has not happened.
    """

    phone: str
    name: str
    owner: str
    role: str
    state: str
    enrolled_us: int
    enrolled_by: str
    seen_us: int
    revoked_us: int
    revoked_by: str
    reason: str
    wiped_us: int

    @classmethod
    def of(cls, phone: Phone) -> PhoneOut:
        return cls(
            phone=phone.phone,
            name=phone.name,
            owner=phone.owner,
            role=phone.role,
            state=phone.state,
            enrolled_us=micros(phone.enrolled_at),
            enrolled_by=phone.enrolled_by,
            seen_us=micros(phone.seen_at),
            revoked_us=micros(phone.revoked_at),
            revoked_by=phone.revoked_by,
            reason=phone.reason,
            wiped_us=micros(phone.wiped_at),
        )


@dataclass(frozen=True, slots=True)
class LastWordsIn:
    """At most 500 entries of this phone's own log, as for `/api/v1/offline/logs`."""

    entries: tuple[LogEntry, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """So many entries stand kept at the hub now, for a person to look at; the phone may delete them."""

    kept: int
