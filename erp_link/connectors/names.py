"""What things are called in the ERP, where that is not what they are called here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class NameKind(StrEnum):
    PRODUCT = "product"
    """GTIN to the ERP's product code."""
    PARTNER = "partner"
    """Supplier to the ERP's name or code for it."""
    CUSTOMER = "customer"
    """Order to the customer's name; `*` for orders that the ERP does not know."""


@dataclass(frozen=True, slots=True)
class Names:
    """The site's list, kept on the console; whoever is not in it keeps our name."""

    known: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def theirs(self, kind: NameKind, ours: str) -> str:
        return self.known.get((kind.value, ours), ours)

    def listed(self, kind: NameKind, ours: str) -> str | None:
        """As `theirs`, and None where nobody gave a name."""
        return self.known.get((kind.value, ours))
