"""Where goods can be: docks, slots, quarantine, staging; and the accounts outside the building.

An account is the other side of a double entry: what comes from a supplier is taken from its
account, so that all lines of a batch sum to zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from erp_link.domain.products import Temperature

SUPPLIER_ACCOUNT = "@supplier"
CUSTOMER_ACCOUNT = "@customer"
ADJUSTMENT_ACCOUNT = "@adjustment"
SCRAP_ACCOUNT = "@scrap"
QUARANTINE = "QUARANTINE"
STAGING = "STAGING"


class PlaceKind(StrEnum):
    DOCK = "dock"
    SLOT = "slot"
    QUARANTINE = "quarantine"
    STAGING = "staging"


@dataclass(frozen=True, slots=True)
class Slot:
    """A storage place; `capacity` in cartons, `temperature` the class that is kept in it."""

    code: str
    capacity: int = 8
    temperature: Temperature = Temperature.AMBIENT


def _racks() -> tuple[Slot, ...]:
    return tuple(
        Slot(f"{aisle}-{bay:02d}-{level}")
        for aisle in "AB"
        for bay in range(1, 13)
        for level in range(1, 4)
    )


@dataclass(frozen=True, slots=True)
class SiteLayout:
    """The slots of a site in the order in which they are filled. The default: 72 slots of 8."""

    slots: tuple[Slot, ...] = field(default_factory=_racks)


def is_account(location: str) -> bool:
    return location.startswith("@")


def dock_of(station: str) -> str:
    return f"DOCK/{station}"
