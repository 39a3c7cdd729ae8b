"""The bench of the core measures real commands on a real database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner

from appliance.bench.core import history, shipments
from appliance.bench.core.command import core
from contracts.clock import SystemClock
from contracts.errors import BadInputError
from erp_link.adapters import tables as t
from erp_link.service.core import Core


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'core.db'}"


def test_what_is_counted_as_shipped_has_left_the_books(url: str) -> None:
    figures = shipments.shipments(url, seed=1, how_many=60, clients=4, rounds=2)
    assert figures.per_s > 0
    books = Core(url, clock=SystemClock())
    with books.engine.connect() as connection:
        gone = select(t.move_line.c.quantity).where(t.move_line.c.location == "@customer")
        assert sum(connection.execute(gone).scalars()) == 50 + 2 * 60
    books.close()


def test_a_hold_is_seen_by_other_processes(url: str) -> None:
    assert len(shipments.visible_ms(url, holds=3)) == 3


def test_a_long_history_is_a_true_one(url: str) -> None:
    asked = history.questions(url, moves=30_000, seed=1)
    assert asked.moves == 30_000
    books = Core(url, clock=SystemClock())
    batch = books.batch(shipments.batch_key(17))
    # The first and third move bring a unit in, the second takes one to the next slot.
    assert (batch.on_hand, batch.may_leave) == (2, True)
    books.close()


@pytest.fixture
def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(core)
    return app


def test_the_command_prints_one_object(command: typer.Typer) -> None:
    asked = "--json --part shipments --database sqlite --shipments 100 --rounds 1"
    said = CliRunner().invoke(command, asked.split())
    assert said.exit_code == 0, said.output
    figures = json.loads(said.stdout.splitlines()[-1])
    assert {"machine", "commit", "model_set", "shipments_per_s"} <= set(figures)


def test_an_unknown_database_is_named(command: typer.Typer) -> None:
    said = CliRunner().invoke(command, ["--database", "oracle"])
    assert isinstance(said.exception, BadInputError)
    assert "oracle" in str(said.exception)
