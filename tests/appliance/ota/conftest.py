"""The hub's side of identity, for the routes that devices ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.clock import FixedClock
from tests.support.device_site import Site, open_site


@pytest.fixture
def site(tmp_path: Path, clock: FixedClock) -> Iterator[Site]:
    with open_site(tmp_path, clock) as site:
        yield site
