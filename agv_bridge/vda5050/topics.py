"""Topics: interfaceName/majorVersion/manufacturer/serialNumber/topic. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from agv_bridge.vda5050.naming import Dialect, Edition

DEFAULT_INTERFACE = {Dialect.V2: "uagv", Dialect.V3: "vda5050"}
CONNECTION, STATE, ORDER = "connection", "state", "order"
INSTANT_ACTIONS, FACTSHEET, VISUALIZATION = "instantActions", "factsheet", "visualization"
RESPONSES, ZONE_SET = "responses", "zoneSet"

_MAJORS = frozenset(dialect.value for dialect in Dialect)
_VERSION = re.compile(r"(\d+)\.(\d+)")
_VERSION_SHOWN = 8
"""Characters of a version that tell its edition."""
_REMEMBERED = 16_384
"""Topics whose parts are kept: eight for each of 2,000 vehicles, which speak again and again."""
_USUAL = 256
"""Characters of a topic that is worth keeping: a broker lets 65,535 through."""


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
    return _remembered(topic) if len(topic) <= _USUAL else _parsed(topic)


def _parsed(topic: str) -> tuple[VehicleAddress, str] | None:
    levels = topic.split("/")
    if len(levels) < 5:  # noqa: PLR2004 -- the five parts of the standard's topic
        return None
    *interface, major, manufacturer, serial, name = levels
    if major not in _MAJORS or not manufacturer or not serial:
        return None
    return VehicleAddress("/".join(interface), major, manufacturer, serial), name


_remembered = lru_cache(maxsize=_REMEMBERED)(_parsed)


def filters(*names: str, manufacturer: str = "+", interface: str = "+") -> tuple[str, ...]:
    """What a master control subscribes to, for both majors: connection and state unless named."""
    return tuple(
        f"{interface}/{dialect.value}/{manufacturer}/+/{name}"
        for dialect in Dialect
        for name in names or (CONNECTION, STATE)
    )


def edition_of(major: str, version: object = "") -> Edition:
    """Whose names a message uses: the `version` field where it can be read, else the topic.

    The field is nearer to the payload than a topic that somebody configured.
    """
    return _edition(major, version[:_VERSION_SHOWN] if isinstance(version, str) else "")


@lru_cache(maxsize=256)
def _edition(major: str, version: str) -> Edition:
    match = _VERSION.match(version)
    if match is not None and match[1] in {"2", "3"}:
        major = f"v{match[1]}"
        if match[1] == "2" and match[2] == "0":
            return Edition.V2_0
    return Edition.V3_0 if major == Dialect.V3.value else Edition.V2_1


def dialect_of(major: str, version: object = "") -> Dialect:
    """2.x or 3.0, by the same rule as `edition_of`."""
    return edition_of(major, version).dialect
