"""What a device and its hub tell each other about who they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.accounts.session import AccountFacts


@dataclass(frozen=True, slots=True)
class Claim:
    """What a new device sends."""

    device: str
    token: str
    csr_pem: str


@dataclass(frozen=True, slots=True)
class ClaimPaper:
    """The file that a person brings from the hub to a new device."""

    device: str
    fingerprint: str
    """SHA-256 of the site's device CA, hex."""
    token: str
    door_port: int = 0


@dataclass(frozen=True, slots=True)
class Machine:
    """What a device says of the machine that it runs on, when it asks for a new certificate."""

    serial: str = ""


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What an enrolled device keeps of its site through an outage (I6)."""

    head_certificate_pem: str = ""
    accounts: AccountFacts = field(default_factory=AccountFacts)
    door_port: int = 0
    """Where devices without a valid certificate are received; 0: at the device port itself."""
