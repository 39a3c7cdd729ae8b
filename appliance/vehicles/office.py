"""Enrolling and revoking, for a page and a shell alike: written down first, then put in force.

A broker that we started takes a change up at once: a new vehicle is let in when `enrol` returns, a
revoked one is disconnected and refused when `revoke` returns. Where the site runs a broker of its
own, the change stands in the registry, and `acl` tells what to put there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.layout import Layout
from appliance.services import nats
from appliance.services.nats.hello import Address
from appliance.services.nats.refusals import Refused, read_refusals
from appliance.vehicles.registry import Enrolled, Kind, VehicleRegistry
from contracts.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a person who enrols has to bring to the vehicle; the password is shown this once."""

    name: str
    password: str
    in_force: bool
    """False: no broker of ours runs, so somebody must tell the site's own."""


def open_office(data: Path) -> VehicleOffice:
    """Of the data folder `data`; the hub and the broker may be running."""
    layout = Layout(data)
    return VehicleOffice(VehicleRegistry(layout.vehicles), layout.broker)


class VehicleOffice:
    """`broker` is the folder of the embedded broker, where there is one."""

    def __init__(self, registry: VehicleRegistry, broker: Path) -> None:
        self._registry = registry
        self._broker = broker

    def enrolled(self) -> Sequence[Enrolled]:
        return self._registry.all()

    async def enrol(
        self,
        kind: Kind,
        name: str,
        *,
        by: str,
        interfaces: tuple[str, ...] = (),
        note: str = "",
    ) -> Enrolment:
        """Let one in, or give it another password (its connections end).

        Raises BadInputError, ConflictError, UnavailableError (written down, and the broker did not
        take it up).
        """
        if kind == "station" and interfaces:
            raise BadInputError(
                "A station has no interface",
                mend="Its prefix says where its topics lie",
                word="vehicles.error.no_interface",
                named={},
            )

        def write() -> str:
            if kind == "station":
                return self._registry.enrol_station(name, by=by, note=note)
            return self._registry.enrol_vehicle(name, by=by, interfaces=interfaces, note=note)

        password = await asyncio.to_thread(write)
        return Enrolment(name, password, await self._apply())

    async def revoke(self, name: str, *, by: str, why: str) -> bool:
        """Shut one out; True when the broker has ended its connections.

        Raises BadInputError, NotFoundError, ConflictError, UnavailableError (written down, and the
        broker did not take it up).
        """
        await asyncio.to_thread(lambda: self._registry.revoke(name, by=by, why=why))
        return await self._apply()

    async def apply(self) -> bool:
        """Put what is written down in force again, after a broker did not take it up.

        Raises UnavailableError.
        """
        return await self._apply()

    def address(self) -> Address | None:
        """The broker of ours that runs now; None where none does."""
        return Address.read(self._broker) if nats.running(self._broker) is not None else None

    def is_in_force(self) -> bool:
        """Whether the broker of ours runs with what is written down."""
        return nats.is_in_force(self._broker, self._registry.members())

    def refused(self) -> Sequence[Refused]:
        """What the broker lately refused, by its log; the newest first."""
        return read_refusals(self._broker / "nats.log")

    async def _apply(self) -> bool:
        return await nats.put_in_force(self._broker, self._registry.members)
