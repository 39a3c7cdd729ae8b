"""A hub that did not count readings before counts them from its devices' journals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli.journal import journal as command
from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from contracts.clock import FixedClock
from contracts.events import CartonJudged, CartonSettled
from contracts.verdict import Decision, Verdict
from erp_link.service.core import Core
from erp_link.service.read_queries import ReadWindow
from tests.support.pages import OATS
from tests.support.reads import a_reading

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)


async def written(folder: Path) -> Path:
    """A journal of two cartons: one read, one left to a person and settled."""
    clock = FixedClock(AT)
    identity = DeviceIdentity.open_or_create(folder / "identity", "edge-01")
    accepted = CartonJudged(
        carton_id="C1",
        station="dock-1",
        session=None,
        opened_at=AT,
        opened_by="trigger",
        verdict=Verdict(Decision.ACCEPT, (), batch=OATS),
        reading=a_reading(OATS, 0.99),
        inspection=None,
        evidence=(),
        model_sets={},
        variant="cpu",
    )
    review = replace(
        accepted,
        carton_id="C2",
        verdict=Verdict(Decision.REVIEW, ()),
        reading=a_reading(OATS, 0.4, accepted=False),
    )
    answer = CartonSettled(
        "C2", "dock-1", None, "mara", OATS.gtin, OATS.lot, "2027-03-31", 1, "keyed"
    )  # fmt: skip
    with Journal.open(folder / "journal.db", identity=identity, clock=clock) as journal:
        for body in (accepted, review, answer):
            await journal.append(body)
            clock.at += timedelta(seconds=5)
    return folder / "journal.db"


async def test_a_journal_fills_the_rates_once_however_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await written(tmp_path)
    monkeypatch.setenv("TALLYMAN_SITE_DATA", str(tmp_path / "var"))
    for _ in range(2):
        done = CliRunner().invoke(command, ["rates", str(journal)])
        assert done.exit_code == 0, done.output
        assert "3 entries about cartons of edge-01" in done.output
    core = Core(f"sqlite:///{tmp_path / 'var' / 'hub' / 'core.db'}", clock=FixedClock(AT))
    total, frames = core.read_frames(ReadWindow(((0, 2**31 - 1),)), most=9)
    core.close()
    assert total == 2
    assert [(frame.carton_id, frame.cell.accepted) for frame in frames] == [
        ("C2", False),
        ("C1", True),
    ]
    assert frames[0].cell.was_right is True


async def test_a_journal_that_does_not_hold_fills_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await written(tmp_path)
    data = journal.read_bytes()
    assert data.count(b"L2611A07") > 1
    journal.write_bytes(data.replace(b"L2611A07", b"L2611A99"))
    monkeypatch.setenv("TALLYMAN_SITE_DATA", str(tmp_path / "var"))
    done = CliRunner().invoke(command, ["rates", str(journal)])
    assert done.exit_code == 1
    assert not (tmp_path / "var" / "hub").exists()
