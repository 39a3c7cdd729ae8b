"""Topics: interfaceName/majorVersion/manufacturer/serialNumber/topic. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agv_bridge.vda5050.wire import Dialect

DEFAULT_INTERFACE = {Dialect.V2: "uagv", Dialect.V3: "vda5050"}
CONNECTION, STATE, ORDER = "connection", "state", "order"
INSTANT_ACTIONS, FACTSHEET, VISUALIZATION = "instantActions", "factsheet", "visualization"

_MAJOR = re.compile(r"v(\d+)")
_VERSION = re.compile(r"(\d+)\.\d+")


@dataclass(frozen=True, slots=True)
class VehicleAddress:
    """Where one vehicle listens and speaks."""

    interface: str
    major: str
    """As in the topic: `v2`, `v3`."""
    manufacturer: str
    serial: str

    @property
    def vehicle(self) -> str:
        """The vehicle's name in orders and stock moves; serials are unique per manufacturer."""
        return f"{self.manufacturer}/{self.serial}"

    def topic(self, name: str) -> str:
        return f"{self.interface}/{self.major}/{self.manufacturer}/{self.serial}/{name}"


def parse_topic(topic: str) -> tuple[VehicleAddress, str] | None:
    """Address and message name, or None when the topic is not one of VDA 5050 from version 2 on.

    Interface names may hold slashes, so the last four levels count.
    """
    levels = topic.split("/")
    if len(levels) < 5:  # noqa: PLR2004 -- the five parts of the standard's topic
        return None
    *interface, major, manufacturer, serial, name = levels
    match = _MAJOR.fullmatch(major)
    if match is None or int(match[1]) not in {2, 3} or not manufacturer or not serial:
        return None
    return VehicleAddress("/".join(interface), major, manufacturer, serial), name


def filters(*, manufacturer: str = "+", interface: str = "+") -> tuple[str, ...]:
    """What a master control subscribes to, for both majors."""
    return tuple(
        f"{interface}/{dialect.value}/{manufacturer}/+/{name}"
        for dialect in Dialect
        for name in (CONNECTION, STATE)
    )


def dialect_of(major: str, version: object = "") -> Dialect:
    """Which names a message uses: the `version` field where it can be read, else the topic.

    The field is nearer to the payload than a topic that somebody configured.
    """
    match = _VERSION.match(version) if isinstance(version, str) else None
    if match is not None and match[1] in {"2", "3"}:
        return Dialect(f"v{match[1]}")
    return Dialect(major) if major in {"v2", "v3"} else Dialect.V2
