"""What orders need to know of products."""

from __future__ import annotations

from sqlalchemy import Connection

from contracts.errors import BadInputError
from erp_link.domain.allocation import Rotation


def rotation_of(_connection: Connection, _gtin: str) -> Rotation:
    """Which of a product's goods go first."""
    return Rotation.FEFO


def base_units(_connection: Connection, gtin: str, quantity: int, unit: str) -> int:
    """A quantity in base units. Raises BadInputError for a unit that the product does not have."""
    if unit:
        raise BadInputError(
            f"Product {gtin} has no unit {unit!r}", mend="Order in base units, with no unit"
        )
    return quantity
