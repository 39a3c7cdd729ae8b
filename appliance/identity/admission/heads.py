"""The heads that a hub countersigned, read from its registry's file, also where no hub runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from appliance.journal.heads import Countersigned
from contracts.errors import BadInputError


def read_heads(path: Path) -> list[Countersigned]:
    """The heads in a hub's registry file, read without changing it. Raises BadInputError."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT * FROM heads ORDER BY device").fetchall()
    except sqlite3.Error as error:
        raise BadInputError(
            f"{path} is not a hub's device registry: {error}", mend="Name the hub's devices.db"
        ) from error
    return [Countersigned(*row) for row in rows]
