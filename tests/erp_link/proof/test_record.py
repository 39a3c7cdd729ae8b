"""The record: whatever changes a row is in it, and the books can be made again from it alone."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from appliance.cli.core import core as core_commands
from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError
from contracts.reason import Reason
from contracts.stock import HoldKind, UsageDecision
from erp_link.adapters.database import open_engine
from erp_link.adapters.record.forms import read_image, tables_in
from erp_link.adapters.record.triggers import (
    APPEND_ONLY,
    NOT_RECORDED,
    begin,
    installed,
    recorded,
    unrecorded,
)
from erp_link.adapters.tables import metadata
from erp_link.service.core import Core
from erp_link.service.proof.rebuild import rebuild
from erp_link.service.proof.verify import Verified, verify
from tests.erp_link.conftest import migrated, postgres_url
from tests.erp_link.story import JUICE, WATER, Station
from tests.support.deciding import decided


def a_day(core: Core, station: Station, clock: FixedClock) -> None:
    """A delivery with a dent, an order shipped, another one stopped, a release, a bad date."""
    station.receives()
    for carton in ("C1", "C2", "C3"):
        station.accepts(carton)
    station.finds_defect("J1", JUICE)
    core.receive(WATER, 9, location="A-01-1", by="op", expiry=date(2027, 1, 1))
    (first,) = core.reserve("SO-1", WATER, 2, by="op", key="k1")
    core.pick(first.reservation_id, by="op")
    core.ship(first.reservation_id, by="op")
    core.reserve("SO-2", WATER, 3, by="op")
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("defect_seen", {"score": 0.1}), by="q")
    for ticket in core.tickets():
        if ticket.batch == WATER:
            decided(
                core,
                ticket.ticket_id,
                UsageDecision.RELEASE,
                by="q",
                role="quality",
                reason="Gut, 好",
            )
    clock.at += timedelta(hours=1)
    core.move(WATER, 1, source="A-01-1", target="QUARANTINE", by="op")


def checked(core: Core) -> Verified:
    return verify(core.engine)


def test_the_state_follows_from_the_record(core: Core, station: Station, clock: FixedClock):
    a_day(core, station, clock)
    verified = checked(core)
    assert verified.findings == ()
    assert verified.state_sha256 == verified.record_sha256
    assert verified.changes > 50


def test_every_table_is_recorded_or_says_why_not(core: Core):
    with core.engine.connect() as connection:
        there = {table.name: table for table in tables_in(connection)}
        assert unrecorded(connection, there.values()) == []
        kept = {t.name for t in recorded(there.values())} | APPEND_ONLY | set(NOT_RECORDED)
    assert set(metadata.tables) <= set(there) == kept
    assert all(NOT_RECORDED.values())
    assert [name for name, table in there.items() if not table.primary_key.columns] == []


def test_a_table_without_its_trigger_is_found(core: Core, station: Station):
    station.receives()
    with core.engine.connect().execution_options(tallyman_write=True) as connection:
        for name, table in installed(connection).items():
            if table == "hold":
                of = " ON hold" if connection.dialect.name == "postgresql" else ""
                connection.exec_driver_sql(f"DROP TRIGGER {name}{of}")
        connection.commit()
    core.add_hold(HoldKind.SUPPLIER, supplier="ACME", reason=Reason("flood"), by="q")
    found = {(finding.check, finding.found.split()[0]) for finding in checked(core).findings}
    assert {("recorded", "changes"), ("replay_equals_state", "hold")} <= found


def altered(core: Core, statement: str) -> None:
    """Somebody writes past the core, and past the record."""
    with core.engine.connect().execution_options(tallyman_write=True) as connection:
        triggers = installed(connection)
        for name, table in triggers.items():
            of = f' ON "{table}"' if connection.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER {name}{of}")
        connection.execute(text(statement))
        connection.commit()


ALTERED = (
    ("UPDATE stock SET quantity = quantity + 1 WHERE reserved = 0", "stock_is_what_was_moved"),
    ("UPDATE guard SET open_holds = 0", "guards_count_the_holds"),
    ("UPDATE reservation SET state = 'reserved' WHERE state = 'shipped'", "reserved_is_on_hand"),
    ("UPDATE hold SET code = 'flood' WHERE kind = 'batch'", "replay_equals_state"),
    ("DELETE FROM move_line WHERE quantity > 0", "moves_sum_to_zero"),
)


def test_what_was_altered_is_named(core: Core, station: Station, clock: FixedClock):
    a_day(core, station, clock)
    for statement, _ in ALTERED:
        altered(core, statement)
    found = {finding.check for finding in checked(core).findings}
    assert {check for _, check in ALTERED} <= found


def test_goods_that_left_under_a_hold_are_found_in_the_history(
    core: Core, station: Station, clock: FixedClock
):
    a_day(core, station, clock)
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("defect_seen"), by="q")
    core.receive(JUICE, 1, location="A-01-1", by="op")
    assert checked(core).findings == ()
    # The goods issue of before the hold is said to have been after it.
    altered(
        core,
        "UPDATE move_line SET event_id = (SELECT max(id) FROM event)"
        " WHERE event_id = (SELECT max(id) FROM event WHERE what = 'shipped')",
    )
    assert "nothing_left_under_a_hold" in {f.check for f in checked(core).findings}


def test_what_only_grows_refuses_to_change(core: Core, station: Station):
    core.receive(WATER, 9, location="A-01-1", by="op")
    for table in ("event", "move_line", "change"):
        with (
            core.engine.connect().execution_options(tallyman_write=True) as connection,
            pytest.raises(DBAPIError, match="only grows"),
        ):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 -- our own names


def test_the_books_are_made_again_byte_for_byte_on_the_other_kind(
    core: Core, station: Station, clock: FixedClock, tmp_path: Path, postgres: str
):
    a_day(core, station, clock)
    before = checked(core)
    # What stands in the tables is not what is read.
    altered(core, "UPDATE stock SET quantity = quantity + 5")
    url = f"sqlite:///{tmp_path / 'again.db'}"
    if core.engine.dialect.name == "sqlite":
        name = f"again_{uuid.uuid4().hex}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        url = postgres_url(postgres, name)
    target = open_engine(url)
    rebuild(core.engine, target)
    after = verify(target)
    target.dispose()
    assert after.findings == ()
    assert after.state_sha256 == before.state_sha256
    again = Core(url, clock=clock)
    # And they are kept on from there.
    again.receive(JUICE, 4, location="A-01-2", by="op")
    assert checked(again).findings == ()
    again.close()


def test_books_are_not_rebuilt_over_others(core: Core, station: Station, tmp_path: Path):
    station.receives()
    with pytest.raises(ConflictError):
        rebuild(core.engine, core.engine)


def test_a_database_without_a_record_says_so(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with pytest.raises(BadInputError, match="no record"):
        verify(engine)
    engine.dispose()


def test_fractions_are_recorded_to_the_last_digit(core: Core):
    engine: Engine = core.engine
    with engine.connect() as connection:
        table = next(t for t in tables_in(connection) if t.name == "carton_read")
    for number in (0.1, 1 / 3, 2.0, 1e-7, 1e22, 5e-324, 123456789.123456789):
        with (
            engine.connect().execution_options(tallyman_write=True) as connection,
            connection.begin(),
        ):
            connection.execute(
                text(
                    "INSERT INTO carton_read (carton_id, judged_by, accepted, confidence, gtin,"
                    " batch, expiry, reasons, pictures, settled_by, how, true_gtin, true_batch,"
                    " true_expiry) VALUES (:id, '', 0, :number, '', '', '', '[]', '[]', '', '',"
                    " '', '', '')"
                ),
                {"id": str(number), "number": number},
            )
            written = connection.execute(
                text("SELECT image FROM change ORDER BY id DESC LIMIT 1")
            ).scalar_one()
        assert dict(zip(table.columns.keys(), read_image(table, written), strict=True))[
            "confidence"
        ] == repr(number)
    assert checked(core).findings == ()


def test_an_older_database_begins_its_record_with_what_it_has(core: Core, station: Station):
    station.receives()
    with (
        core.engine.connect().execution_options(tallyman_write=True) as connection,
        connection.begin(),
    ):
        for name, table in installed(connection).items():
            of = f' ON "{table}"' if connection.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER {name}{of}")
        connection.execute(text("DELETE FROM change"))
        begin(connection)
    assert checked(core).findings == ()


def test_the_shell_checks_and_rebuilds(tmp_path: Path, clock: FixedClock):
    url, other = f"sqlite:///{tmp_path / 'core.db'}", f"sqlite:///{tmp_path / 'again.db'}"
    migrated(url)
    core = Core(url, clock=clock)
    a_day(core, Station(core, clock), clock)
    shell = CliRunner()
    done = shell.invoke(core_commands, ["verify", "--database", url])
    assert (done.exit_code, done.output.split(":")[0]) == (0, "The books hold")
    done = shell.invoke(core_commands, ["rebuild", "--database", url, "--to", other])
    assert done.exit_code == 0, done.output
    altered(core, "UPDATE stock SET quantity = quantity + 5 WHERE quantity > 0")
    core.close()
    done = shell.invoke(core_commands, ["verify", "--database", url, "--json"])
    assert done.exit_code == 1
    assert '"holds":false' in done.output
    missing = shell.invoke(core_commands, ["verify", "--database", f"{url}x"])
    assert isinstance(missing.exception, BadInputError)
