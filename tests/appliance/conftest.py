"""A dock made of paper engines over a real journal, and the core's tables, made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.clock import FixedClock
from erp_link.adapters.database import open_engine
from erp_link.adapters.migrate import migrate
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


@pytest.fixture(scope="session")
def empty_core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A core's database with nothing in it, to copy from."""
    path = tmp_path_factory.mktemp("template") / "core.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def core_url(tmp_path: Path, empty_core: Path) -> str:
    """The URL of a database of the test's own."""
    shutil.copy(empty_core, tmp_path / "core.db")
    return f"sqlite:///{tmp_path / 'core.db'}"
