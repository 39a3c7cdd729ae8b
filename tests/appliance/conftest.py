"""A dock made of paper engines over a real journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.clock import FixedClock
from tests.support.docks import Dock


@pytest.fixture
def dock(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[..., Dock]]:
    made: list[Dock] = []

    def make(**parts: object) -> Dock:
        made.append(Dock(tmp_path, clock, **parts))
        return made[-1]

    yield make
    for each in made:
        each.journal.close()
