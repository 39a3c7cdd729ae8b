"""A database that was restarted meanwhile costs nobody a command."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from contracts.errors import UnavailableError
from erp_link.adapters import database
from tests.erp_link.conftest import postgres_copy

_WHO = text("SELECT pg_backend_pid()")


@pytest.fixture
def url(postgres: str, postgres_template: str):
    with postgres_copy(postgres, postgres_template) as url:
        yield url


def end(postgres: str, backend: int) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", (backend,))


def test_an_idle_connection_that_ended_is_replaced_unseen(
    postgres: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_TRUSTED_S", 0.0)
    engine = database.open_engine(url)
    with database.reading(engine) as connection:
        before = connection.execute(_WHO).scalar_one()
    end(postgres, before)
    with database.reading(engine) as connection:
        assert connection.execute(_WHO).scalar_one() != before
    engine.dispose()


def test_one_that_ended_under_work_is_told_once(postgres: str, url: str, monkeypatch) -> None:
    monkeypatch.setattr(database, "_TRUSTED_S", 600.0)
    engine = database.open_engine(url)
    with database.reading(engine) as connection:
        before = connection.execute(_WHO).scalar_one()
    end(postgres, before)
    with pytest.raises(UnavailableError), database.reading(engine) as connection:
        connection.execute(_WHO)
    with database.reading(engine) as connection:
        assert connection.execute(_WHO).scalar_one() != before
    engine.dispose()
