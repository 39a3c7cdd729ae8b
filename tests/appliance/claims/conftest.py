"""A core of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contracts.clock import FixedClock
from erp_link.service.core import Core


@pytest.fixture
def core(core_url: str, clock: FixedClock) -> Iterator[Core]:
    opened = Core(core_url, clock=clock)
    yield opened
    opened.close()
