"""What goods are: units, temperature, rotation, dates, sampling, and how much should be here.

A product that nobody described is a carton of itself with the house's default policies, so that
goods are never refused for want of master data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from contracts.errors import BadInputError
from contracts.gs1 import normalise_gtin
from erp_link.domain.allocation import Rotation
from erp_link.domain.expiry import ExpiryPolicy
from erp_link.domain.sampling import SamplingRule
from erp_link.domain.shelf_life import LifeRule
from erp_link.domain.units import CARTON, CASE_WORDS, check_units, in_words, to_base, unit_name

_LONGEST_NAME = 120


class Temperature(StrEnum):
    """The class of a product and of a slot. Goods stand only where their class is kept."""

    AMBIENT = "ambient"
    CHILLED = "chilled"
    FROZEN = "frozen"


class Mover(StrEnum):
    """How often goods are fetched: fast movers stand near, slow ones far."""

    FAST = "fast"
    NORMAL = "normal"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Product:
    """One trade item by its GTIN. `units` holds base units in one of each unit; `carton_unit` is
    the unit of one carton as a station sees it. Stock levels in base units.
    """

    gtin: str
    name: str = ""
    base_unit: str = CARTON
    units: Mapping[str, int] = field(default_factory=dict)
    carton_unit: str = ""
    temperature: Temperature = Temperature.AMBIENT
    rotation: Rotation = Rotation.FEFO
    mover: Mover = Mover.NORMAL
    expiry: ExpiryPolicy = field(default_factory=ExpiryPolicy)
    life: LifeRule = field(default_factory=LifeRule)
    total_life_days: int = 0
    dated: bool = True
    """False where the goods carry no expiry date."""
    not_older: bool = False
    """Arriving goods must not expire before what stands here."""
    acceptance: bool = False
    """Received goods stay in inspection until a person accepts them."""
    sampling: SamplingRule | None = None
    min_stock: int | None = None
    max_stock: int | None = None
    described: bool = True

    @property
    def per_carton(self) -> int:
        """Base units in one carton as a station sees it."""
        if self.carton_unit in ("", self.base_unit):
            return 1
        return self.units[self.carton_unit]

    def to_base(self, quantity: int, unit: str) -> int:
        """`quantity` of `unit` in base units. Raises BadInputError for a unit it does not have."""
        return to_base(
            quantity, unit, base_unit=self.base_unit, units=self.units, product=self.gtin
        )

    def in_words(self, quantity: int) -> list[tuple[int, str]]:
        """Base units in the largest units first."""
        return in_words(quantity, base_unit=self.base_unit, units=self.units)


def undescribed(gtin: str) -> Product:
    """The default for a GTIN that nobody described: one carton is one unit, whatever it is called."""
    units = MappingProxyType(dict.fromkeys(CASE_WORDS - {CARTON}, 1))
    return Product(gtin, units=units, carton_unit=CARTON, described=False)


def checked(product: Product) -> Product:
    """`product` as it is kept, codes normalised. Raises BadInputError naming what is wrong."""
    base = unit_name(product.base_unit)
    units = check_units(base, product.units)
    if len(product.name.strip()) > _LONGEST_NAME:
        raise BadInputError(
            f"A product's name of {len(product.name)} characters",
            mend=f"Give at most {_LONGEST_NAME}",
        )
    for words, number in (
        ("a total life", product.total_life_days),
        ("a least stock", product.min_stock or 0),
        ("a most stock", product.max_stock or 0),
    ):
        if number < 0:
            raise BadInputError(f"{words} of {number}", mend="Give a number from 0 on")
    if (
        product.min_stock
        and product.max_stock is not None
        and product.max_stock < product.min_stock
    ):
        raise BadInputError(
            f"At least {product.min_stock} and at most {product.max_stock} in stock",
            mend="Let the most be no less than the least",
        )
    if product.life.least_percent and not product.total_life_days:
        raise BadInputError(
            f"{product.life.least_percent} % of a total life that nobody gave",
            mend="Give the total life in days, or a least life in days",
        )
    return Product(
        gtin=normalise_gtin(product.gtin),
        name=product.name.strip(),
        base_unit=base,
        units=units,
        carton_unit=_carton_unit(product, base, units),
        temperature=product.temperature,
        rotation=product.rotation,
        mover=product.mover,
        expiry=product.expiry,
        life=product.life,
        total_life_days=product.total_life_days,
        dated=product.dated,
        not_older=product.not_older,
        acceptance=product.acceptance,
        sampling=product.sampling,
        min_stock=product.min_stock,
        max_stock=product.max_stock,
    )


def _carton_unit(product: Product, base: str, units: Mapping[str, int]) -> str:
    """The unit of a carton: the one that was named, or the only one that can be meant."""
    if product.carton_unit:
        name = unit_name(product.carton_unit)
        if name != base and name not in units:
            raise BadInputError(
                f"A carton is one {name}, which is none of the product's units",
                mend=f"Name one of {', '.join([base, *sorted(units)])}",
            )
        return name
    cases = [name for name in units if name in CASE_WORDS]
    if base in CASE_WORDS or not units:
        return base
    if len(cases) == 1:
        return cases[0]
    raise BadInputError(
        f"Nobody said which unit of product {product.gtin} one carton is",
        mend=f"Name the carton's unit: one of {', '.join([base, *sorted(units)])}",
    )
