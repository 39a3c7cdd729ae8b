"""The migrations make the tables that the code uses, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from contracts.clock import FixedClock
from contracts.errors import BadInputError, UnavailableError
from contracts.stock import BatchKey, StockStatus
from erp_link.adapters.database import open_engine
from erp_link.adapters.migrate import config
from erp_link.adapters.tables import metadata
from erp_link.service.core import Core


def test_migrated_tables_are_the_tables_of_the_code(core: Core) -> None:
    with core.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_what_was_read_can_be_taken_back_and_made_again(core: Core) -> None:
    settings = config()
    with core.engine.connect() as connection, connection.begin():
        settings.attributes["connection"] = connection
        command.downgrade(settings, "0002")
        assert not {"carton_read", "read_cell"} & set(inspect(connection).get_table_names())
        command.upgrade(settings, "head")
    with core.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.parametrize("url", ["mysql://x/y", "not a url", "sqlite://", "sqlite:///:memory:"])
def test_another_database_is_refused(url: str, clock: FixedClock) -> None:
    with pytest.raises(BadInputError):
        Core(url, clock=clock)


def test_a_database_that_is_away_is_said_to_be_away(clock: FixedClock, free_port: int) -> None:
    with pytest.raises(UnavailableError):
        Core(f"postgresql+psycopg://u@127.0.0.1:{free_port}/x", clock=clock)


def test_holds_of_an_older_version_cover_their_lot(tmp_path: Path, clock: FixedClock) -> None:
    url = f"sqlite:///{tmp_path / 'core.db'}"
    engine = open_engine(url)
    settings = config()
    with engine.connect() as connection, connection.begin():
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        connection.exec_driver_sql("INSERT INTO batch VALUES (1, 'ACME', '1', 'L', '', NULL)")
        connection.exec_driver_sql(
            "INSERT INTO hold VALUES ('H-1', 'batch', 1, '', '', '[]', 'dent', '{}', 'q', 0,"
            " '[]', NULL, '', '')"
        )
        connection.exec_driver_sql("INSERT INTO guard VALUES ('batch', '1', 1, 1)")
    engine.dispose()
    core = Core(url, clock=clock)
    assert core.receive(BatchKey("", "1", "L"), 1, location="D", by="op") is StockStatus.BLOCKED
    core.close()
