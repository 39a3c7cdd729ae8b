"""The words of admission: devices, who waits for a person's word, and what was done about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.identity.certificates import load
from appliance.identity.keys import key_id, load_public_pem
from contracts.errors import ForbiddenError

_MOST_KNOWN = 200_000
"""Devices whose keys and dates are kept parsed in memory, about 500 bytes each."""


class ClaimRefusedError(ForbiddenError):
    """The token is wrong, spent or expired: which one is not told."""

    code = "claim_refused"


class AwaitingApprovalError(ForbiddenError):
    """The request is good and a person at the hub has not said yes yet; data has `key_id`, the
    sixteen digits that the person compares with the device's own.
    """

    code = "awaiting_approval"


class OtherMachineError(ForbiddenError):
    """The right key on a machine with another serial than the one that it was enrolled on."""

    code = "other_machine"


class DeviceState(StrEnum):
    ACTIVE = "active"
    QUARANTINED = "quarantined"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Device:
    """`kept_sha256` names the refused log in the hub's evidence store, for a quarantined one;
    `serial` is the machine's that it was enrolled on, empty where it never told one.
    """

    device: str
    public_key_pem: str
    certificate_pem: str
    state: DeviceState
    note: str
    kept_sha256: str
    changed_at: datetime
    serial: str = ""

    @property
    def public_key(self) -> Ed25519PublicKey:
        return _key(self.public_key_pem)

    @property
    def key_id(self) -> str:
        return key_id(self.public_key)

    @property
    def expires_at(self) -> datetime:
        """When its newest certificate ends."""
        return _expiry(self.certificate_pem)


class WaitKind(StrEnum):
    """`new`: it came with a claim; `recovery`: its certificate ran out while it was away."""

    NEW = "new"
    RECOVERY = "recovery"


class WaitState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that asks to come in. `key_id` is compared with what the device itself shows,
    `serial` with what stands on the machine; `known_serial` is what it was enrolled with.
    """

    device: str
    kind: WaitKind
    public_key_pem: str
    serial: str
    known_serial: str
    asked_at: datetime
    address: str
    state: WaitState = WaitState.WAITING
    by: str = ""
    why: str = ""

    @property
    def key_id(self) -> str:
        return key_id(_key(self.public_key_pem))

    @property
    def is_other_machine(self) -> bool:
        return bool(self.known_serial) and self.serial != self.known_serial


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of a device's story: `what` is a short word (claimed, enrolled, approved, refused,
    renewed, recovered, quarantined, readmitted, revoked), `by` a person, or empty for the device.
    """

    at: datetime
    device: str
    what: str
    by: str = ""
    why: str = ""


@lru_cache(_MOST_KNOWN)
def _key(pem: str) -> Ed25519PublicKey:
    return load_public_pem(pem, what="a device's key")


@lru_cache(_MOST_KNOWN)
def _expiry(pem: str) -> datetime:
    return load(pem, what="a device's certificate").not_valid_after_utc
