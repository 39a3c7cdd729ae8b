"""What the page of credentials asks of the rest of the house."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agv_bridge.bridge.hearing import TurnedAway
from appliance.services.nats.hello import Address
from appliance.services.nats.refusals import Refused
from appliance.vehicles.office import Enrolment
from appliance.vehicles.registry import Enrolled, Kind


class Office(Protocol):
    """appliance.vehicles.office.VehicleOffice. What is not async may block."""

    def enrolled(self) -> Sequence[Enrolled]: ...

    async def enrol(
        self, kind: Kind, name: str, *, by: str, interfaces: tuple[str, ...] = (), note: str = ""
    ) -> Enrolment: ...

    async def revoke(self, name: str, *, by: str, why: str) -> bool: ...

    async def apply(self) -> bool: ...

    def address(self) -> Address | None: ...

    def is_in_force(self) -> bool: ...

    def refused(self) -> Sequence[Refused]: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """A vehicle that the bridge heard."""

    name: str
    online: bool
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Access:
    """What the hub hands in. `seen` and `turned_away` answer at once, from memory.

    authority_pem: what a vehicle trusts the broker's certificate by. listen: `broker.listen`.
    names: by which the certificate knows this machine. url: the site's own broker, without user
    and password; empty where `up` starts ours.
    """

    office: Office
    seen: Callable[[], Sequence[Seen]]
    turned_away: Callable[[], Sequence[TurnedAway]]
    authority_pem: str
    listen: str = ""
    names: tuple[str, ...] = ()
    url: str = ""

    @property
    def doors(self) -> tuple[str, ...]:
        """Where a vehicle may sign in from the network: the address, or each name for any address."""
        host, _, port = self.listen.rpartition(":")
        if host.strip("[]") not in {"0.0.0.0", "::"}:
            return (self.listen,) if self.listen else ()
        far = [name for name in self.names if name not in {"localhost", "127.0.0.1"}]
        return tuple(f"{name}:{port}" for name in far or self.names)
