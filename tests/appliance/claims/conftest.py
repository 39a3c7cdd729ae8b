"""A core whose tables are made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.clock import FixedClock
from erp_link.adapters.database import open_engine
from erp_link.adapters.migrate import migrate
from erp_link.service.core import Core


@pytest.fixture(scope="session")
def empty_core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "core.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def core(tmp_path: Path, clock: FixedClock, empty_core: Path) -> Iterator[Core]:
    shutil.copy(empty_core, tmp_path / "core.db")
    opened = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    yield opened
    opened.close()
