"""Bring a database to this version's tables: Alembic, with the scripts shipped in the package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import erp_link.adapters.erp_tables  # noqa: F401 -- tables of the metadata that scripts are compared with

_ADVISORY_LOCK = 7_256_418_001
"""Several hubs may start at once over one PostgreSQL: one migrates, the others wait."""


def config() -> Config:
    settings = Config()
    settings.set_main_option(
        "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
    )
    return settings


def migrate(engine: Engine) -> None:
    """Upgrade to the newest revision; instant where the database is there already."""
    settings = config()
    head = ScriptDirectory.from_config(settings).get_current_head()
    with engine.connect().execution_options(tallyman_write=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        if _revision(connection) == head:
            return
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")


def is_current(connection: Connection) -> bool:
    """Has the database the tables of this version?"""
    head = ScriptDirectory.from_config(config()).get_current_head()
    return head is not None and _revision(connection) == head


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
