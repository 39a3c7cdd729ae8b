"""Where the databases of a campaign stand: one for each ring, thrown away when it ends."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.bench.core.databases import POSTGRESQL, fresh
from erp_link.adapters.database import open_engine
from erp_link.adapters.migrate import migrate


@dataclass(frozen=True, slots=True)
class Place:
    """`server` is the URI of a PostgreSQL, "" for SQLite in `folder`."""

    kind: str
    folder: Path
    server: str

    @contextmanager
    def migrated(self, name: str) -> Iterator[str]:
        """The URL of a database with the core's tables and nothing in them, for as long as asked."""
        url = _create(self.server, name) if self.server else f"sqlite:///{self.folder / name}.db"
        try:
            engine = open_engine(url)
            migrate(engine)
            engine.dispose()
            yield url
        finally:
            _drop(self.server, self.folder, name)


@contextmanager
def place(kind: str, work: Path | None) -> Iterator[Place]:
    """A folder below `work`, and a server where the kind needs one; both end with the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
        server = stack.enter_context(fresh(kind, folder)) if kind == POSTGRESQL else ""
        yield Place(kind, folder, server)


def _create(server: str, name: str) -> str:
    import psycopg
    from sqlalchemy import make_url

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    url = make_url(server).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


def _drop(server: str, folder: Path, name: str) -> None:
    if not server:
        for path in folder.glob(f"{name}.db*"):
            path.unlink()
        return
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        # A process that was killed may have left a connection that nobody has noticed yet.
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
