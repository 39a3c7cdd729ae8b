"""The hub's side of identity, and the registry as another process opens it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.identity.registry import DeviceRegistry
from contracts.clock import FixedClock
from tests.support.device_site import Site, open_site


@pytest.fixture
def site(tmp_path: Path, clock: FixedClock) -> Iterator[Site]:
    with open_site(tmp_path, clock) as site:
        yield site


@pytest.fixture
def other_process(site: Site) -> Iterator[Callable[[], DeviceRegistry]]:
    """The registry as a command in a shell opens it while the hub runs."""
    opened: list[DeviceRegistry] = []

    def open_it() -> DeviceRegistry:
        opened.append(DeviceRegistry(site.folder / "devices.db", site.ca, site.clock))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()
