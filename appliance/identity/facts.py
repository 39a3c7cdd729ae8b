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
class SiteFacts:
    """What an enrolled device keeps of its site through an outage (I6)."""

    head_certificate_pem: str = ""
    accounts: AccountFacts = field(default_factory=AccountFacts)
