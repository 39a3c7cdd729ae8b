"""A quality desk over each database, and people with their keys."""

from __future__ import annotations

import pytest

from erp_link.service.core import Core
from erp_link.service.quality.desk import Quality
from tests.support.signing import Pen


@pytest.fixture
def desk(core: Core) -> Quality:
    return Quality(core)


@pytest.fixture
def mara(desk: Quality) -> Pen:
    return Pen("mara").registers(desk)


@pytest.fixture
def jun(desk: Quality) -> Pen:
    return Pen("jun").registers(desk)
