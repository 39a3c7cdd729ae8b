"""A delivery announced in cases is counted in bottles, carton by carton."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.asn import Asn
from contracts.errors import BadAsnError, ConflictError
from erp_link.domain.products import Product
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from tests.erp_link.story import WATER, Station, delivery


def in_cases(number: str = "DESP-1", *, cases: int = 3, unit: str = "case") -> Asn:
    (line,) = delivery(number, water=cases, juice=0).lines
    return Asn(number, "ACME", (replace(line, unit=unit),))


@pytest.fixture
def bottles(core: Core) -> None:
    Products(core).describe(
        Product(WATER.gtin, base_unit="bottle", units={"case": 24, "pallet": 960}), by="mei"
    )


@pytest.mark.usefixtures("bottles")
def test_over_short_and_damaged_are_in_base_units(core: Core, station: Station) -> None:
    core.import_asn(in_cases(), by="ops")
    station.session = core.open_session("DESP-1", dock="dock-1", by="op")
    for carton in ("C-1", "C-2"):
        station.accepts(carton)
    report = core.session_report(station.session)
    assert (report.announced, report.counted, report.short) == (72, 48, 24)
    station.finds_defect("C-3")
    station.accepts("C-4")
    report = core.session_report(station.session)
    assert (report.counted, report.over, report.damaged) == (96, 24, 24)
    assert core.expectations("dock-1").lines[0].outstanding == -24
    (batch,) = [each for each in core.batches() if each.key == WATER]
    assert (batch.on_hand, batch.blocked) == (96, 96)


@pytest.mark.usefixtures("bottles")
def test_an_announced_unit_that_the_product_does_not_have_refuses_the_whole_list(
    core: Core,
) -> None:
    with pytest.raises(BadAsnError, match="announced line 1, 3 tray") as refused:
        core.import_asn(in_cases(unit="tray"), by="ops")
    assert "bottle, case, pallet" in refused.value.mend
    assert core.asns() == []


def test_what_nobody_described_may_be_announced_in_cartons_only(core: Core) -> None:
    with pytest.raises(BadAsnError, match="how many carton of product"):
        core.import_asn(in_cases(unit="bottle"), by="ops")
    core.import_asn(in_cases(unit="case"), by="ops")
    assert core.asns()[0].quantity == 3


@pytest.mark.usefixtures("bottles")
def test_a_pallet_is_as_many_bottles_as_the_product_says(core: Core) -> None:
    core.import_asn(in_cases(cases=2, unit="pallet"), by="ops")
    assert core.asns()[0].quantity == 1920


def test_the_unit_may_change_once_nothing_is_here_or_to_come(core: Core, station: Station) -> None:
    bottles = Product(WATER.gtin, base_unit="bottle", units={"case": 24})
    session = station.receives(water=1, juice=0)
    with pytest.raises(ConflictError, match="announced or here"):
        Products(core).describe(bottles, by="mei")
    core.close_session(session, by="op")
    assert Products(core).describe(bottles, by="mei").per_carton == 24
