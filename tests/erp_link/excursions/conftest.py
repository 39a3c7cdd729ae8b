"""A cold room with chilled goods in it, and the gateway that watches it."""

from __future__ import annotations

import pytest

from contracts.clock import FixedClock
from erp_link.domain.products import Product, Temperature
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from tests.erp_link.excursions.cold_room import Gateway
from tests.erp_link.story import JUICE, WATER


@pytest.fixture
def gateway(core: Core, clock: FixedClock) -> Gateway:
    for gtin in (WATER.gtin, JUICE.gtin):
        Products(core).describe(Product(gtin, temperature=Temperature.CHILLED), by="quality")
    return Gateway(core, clock)
