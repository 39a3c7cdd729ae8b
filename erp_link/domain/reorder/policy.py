"""How a product is replenished, as somebody set it or as the house does it by default."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.errors import BadInputError

MOST_DAYS = 120
MOST_UNITS = 1_000_000_000
_LEAST_SERVICE, _MOST_SERVICE = 50, 99


@dataclass(frozen=True, slots=True)
class ReorderPolicy:
    """Times in days, quantities in base units. Raises BadInputError for what cannot be meant."""

    lead_days: int = 7
    """From ordering to goods that may be picked."""
    late_days: int = 0
    """How much later they may come; each day up to this is taken as equally likely."""
    review_days: int = 1
    """How often somebody looks."""
    cycle_days: int = 14
    """How long an order should last beyond the next one's delivery."""
    service_percent: int = 95
    """In how many of a hundred deliveries the stock must last until the next."""
    pack: int = 1
    """Orders are whole multiples of this."""
    least: int = 0
    """The supplier takes no smaller order."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("lead_days", self.lead_days, 0, MOST_DAYS),
            ("late_days", self.late_days, 0, MOST_DAYS),
            ("review_days", self.review_days, 1, MOST_DAYS),
            ("cycle_days", self.cycle_days, 0, MOST_DAYS),
            ("service_percent", self.service_percent, _LEAST_SERVICE, _MOST_SERVICE),
            ("pack", self.pack, 1, MOST_UNITS),
            ("least", self.least, 0, MOST_UNITS),
        ):
            if not low <= value <= high:
                raise BadInputError(
                    f"{name} is {value}", mend=f"Give a whole number from {low} to {high}"
                )

    @property
    def horizon_days(self) -> int:
        """What today's decision must cover: until the order after the next look is here."""
        return self.lead_days + self.review_days


@dataclass(frozen=True, slots=True)
class Limits:
    """What the product's own record says of its stock; None where it says nothing."""

    minimum: int | None = None
    maximum: int | None = None
    shelf_life_days: int | None = None
