"""A product says in which units it is counted; nothing is converted by guessing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError, ConflictError
from erp_link.domain.products import Product, checked, undescribed
from erp_link.domain.shelf_life import LifeRule
from erp_link.domain.units import in_words, to_base
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from tests.erp_link.story import WATER

GTIN = WATER.gtin.zfill(14)


def water(**more: object) -> Product:
    values: dict[str, object] = {
        "name": "Still water",
        "base_unit": "bottle",
        "units": {"case": 24},
    }
    return Product(GTIN, **(values | more))


def test_a_case_of_one_product_is_not_a_case_of_another() -> None:
    assert checked(water()).to_base(2, "Case ") == 48
    assert checked(water(units={"case": 12})).to_base(2, "case") == 24


@pytest.mark.parametrize("unit", ["pallet", "kg", "bottles"])
def test_an_unknown_unit_is_refused_with_the_known_ones(unit: str) -> None:
    with pytest.raises(BadInputError, match=f"one {unit} is") as refused:
        checked(water()).to_base(3, unit)
    assert "bottle, case" in refused.value.mend


@pytest.mark.parametrize("quantity", [0, -3])
def test_a_quantity_is_at_least_one(quantity: int) -> None:
    with pytest.raises(BadInputError, match="quantity"):
        checked(water()).to_base(quantity, "case")


def test_what_nobody_described_is_a_carton_of_itself() -> None:
    product = undescribed(GTIN)
    assert product.to_base(5, "carton") == product.to_base(5, "case") == 5
    with pytest.raises(BadInputError, match="how many carton"):
        product.to_base(5, "bottle")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"units": {"case": 0}}, "One case of 0"),
        ({"units": {"case": -24}}, "One case of -24"),
        ({"units": {"": 3}}, "no name of a unit"),
        ({"units": {"case": 24, "Case": 12}}, "twice"),
        ({"units": {"bottle": 2}}, "base unit already"),
        ({"units": {"pack": 6, "tray": 24}}, "which unit"),
        ({"carton_unit": "tray"}, "none of the product's units"),
        ({"min_stock": 10, "max_stock": 5}, "at most 5"),
        ({"life": LifeRule(least_percent=60)}, "total life"),
        ({"total_life_days": -1}, "total life of -1"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        checked(water(**change))


@given(st.integers(1, 10**6), st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 500)))
def test_base_units_in_words_are_the_same_quantity(quantity: int, units: dict[str, int]) -> None:
    parts = in_words(quantity, base_unit="piece", units=units)
    back = [to_base(n, u, base_unit="piece", units=units, product="x") for n, u in parts]
    assert sum(back) == quantity


def test_a_described_product_comes_back_as_it_was_given(core: Core) -> None:
    desk = Products(core)
    kept = desk.describe(water(min_stock=48, max_stock=480, not_older=True), by="mei")
    assert desk.product(GTIN) == kept == desk.described()[0]
    assert kept.per_carton == 24


def test_goods_that_are_counted_keep_their_unit(core: Core) -> None:
    core.receive(WATER, 5, location="A-01-1", by="op")
    desk = Products(core)
    assert [row.gtin for row in desk.undescribed()] == [WATER.gtin]
    with pytest.raises(ConflictError, match="counted in carton"):
        desk.describe(Product(WATER.gtin, base_unit="bottle", units={"case": 24}), by="mei")


def test_the_strictest_customer_decides_how_long_goods_must_live(core: Core) -> None:
    desk = Products(core)
    desk.describe(water(life=LifeRule(30), total_life_days=200), by="mei")
    desk.set_life_rule("Corner shop", GTIN, LifeRule(20, 70), by="mei")
    desk.set_life_rule("Hospital", "", LifeRule(90), by="mei")
    assert desk.life_rule(GTIN) == LifeRule(30)
    assert desk.life_rule(GTIN, "Corner shop") == LifeRule(30, 70)
    assert desk.life_rule(GTIN, "Corner shop", "Hospital") == LifeRule(90, 70)
    desk.set_life_rule("Hospital", "", LifeRule(), by="mei")
    assert len(desk.life_rules()) == 1
