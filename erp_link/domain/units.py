"""Units of a product: everything is booked in base units, and nothing is converted by guessing.

One case is 24 bottles of one product and 12 of another: what a unit holds stands with the product.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.errors import BadInputError

CARTON = "carton"
CASE_WORDS = frozenset({CARTON, "case", "box", "ctn", "cs"})
"""What suppliers call the carton that a station sees, where nobody has described the product."""
MOST_IN_ONE = 1_000_000
MOST_UNITS = 2 * 10**9
_LONGEST = 20


def unit_name(text: str) -> str:
    """A unit as it is kept: without blanks around it, in small letters. Raises BadInputError."""
    name = text.strip().casefold()
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise BadInputError(
            f"{text!r} is no name of a unit", mend=f"Give 1 to {_LONGEST} letters, for example case"
        )
    return name


def check_units(base_unit: str, units: Mapping[str, int]) -> dict[str, int]:
    """The units beside the base unit, with how many base units are in one. Raises BadInputError."""
    base = unit_name(base_unit)
    checked: dict[str, int] = {}
    for text, held in units.items():
        name = unit_name(text)
        if name == base:
            raise BadInputError(
                f"{name} is the base unit already", mend="Leave it out of the other units"
            )
        if name in checked:
            raise BadInputError(f"The unit {name} stands there twice", mend="Keep one of them")
        if isinstance(held, bool) or not 1 <= held <= MOST_IN_ONE:
            raise BadInputError(
                f"One {name} of {held} {base}",
                mend=f"Give a whole number from 1 to {MOST_IN_ONE}",
            )
        checked[name] = held
    return checked


def to_base(
    quantity: int, unit: str, *, base_unit: str, units: Mapping[str, int], product: str
) -> int:
    """`quantity` of `unit` in base units. Raises BadInputError for a unit that the product does
    not have, and for a quantity below 1.
    """
    if quantity < 1:
        raise BadInputError(f"A quantity of {quantity}", mend="Give a quantity of at least 1")
    name = unit_name(unit)
    held = 1 if name == base_unit else units.get(name)
    if held is None:
        known = ", ".join([base_unit, *sorted(units)])
        raise BadInputError(
            f"Nobody said how many {base_unit} of product {product} one {name} is",
            mend=f"Use one of {known}, or add {name} to the product's units",
            unit=name,
            product=product,
        )
    if quantity * held > MOST_UNITS:
        raise BadInputError(
            f"{quantity} {name} of product {product} are {quantity * held} {base_unit}",
            mend="Check the quantity: no house holds so many",
        )
    return quantity * held


def in_words(quantity: int, *, base_unit: str, units: Mapping[str, int]) -> list[tuple[int, str]]:
    """`quantity` base units in the largest units first: 50 bottles are 2 cases and 2 bottles."""
    parts: list[tuple[int, str]] = []
    left = quantity
    for name, held in sorted(units.items(), key=lambda item: (-item[1], item[0])):
        if held > 1 and left >= held:
            parts.append((left // held, name))
            left %= held
    if left or not parts:
        parts.append((left, base_unit))
    return parts
