"""A station where products are enrolled: tests/support/enrolling.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.enrolling import Remembering, Station, real_inspector


@pytest.fixture(scope="session")
def inspector() -> Remembering:
    return real_inspector()


@pytest.fixture
def station(tmp_path: Path, inspector: Remembering, clock) -> Iterator[Station]:
    made = Station(tmp_path, inspector, clock)
    yield made
    made.journal.close()
