"""The migrations make the tables that the code uses, on both databases."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from contracts.clock import FixedClock
from contracts.errors import BadInputError, UnavailableError
from erp_link.adapters.tables import metadata
from erp_link.service.core import Core


def test_migrated_tables_are_the_tables_of_the_code(core: Core) -> None:
    with core._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.parametrize("url", ["mysql://x/y", "not a url", "sqlite://", "sqlite:///:memory:"])
def test_another_database_is_refused(url: str, clock: FixedClock) -> None:
    with pytest.raises(BadInputError):
        Core(url, clock=clock)


def test_a_database_that_is_away_is_said_to_be_away(clock: FixedClock, free_port: int) -> None:
    with pytest.raises(UnavailableError):
        Core(f"postgresql+psycopg://u@127.0.0.1:{free_port}/x", clock=clock)
