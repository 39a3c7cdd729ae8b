"""`tallyman report`: a hub's excursions as files, checked elsewhere; loggers' exports."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli.report import report
from contracts.clock import FixedClock
from contracts.errors import BadInputError, NotFoundError
from contracts.telemetry import AlarmChange
from erp_link.service.core import Core
from tests.erp_link.excursions.cold_room import Gateway
from tests.erp_link.story import LATER, WATER
from tests.telemetry.excursions.test_fridge_tag import EXPORT


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(report, list(words), catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.fixture
def config(tmp_path: Path, clock: FixedClock) -> str:
    """A hub's data folder with one excursion in it."""
    file = tmp_path / "site.toml"
    file.write_text(f'[site]\ndata = "{tmp_path / "data"}"\n')
    from appliance.config import load_config
    from appliance.identity.site_ca import SiteCa
    from appliance.layout import Layout

    settings = load_config(file)
    SiteCa.open_or_create(Layout(settings.data).site_ca)
    core = Core(settings.database_url, clock=clock)
    core.receive(WATER, 10, location="COLD-01", expiry=LATER, by="op")
    clock.at += timedelta(hours=1)
    alarm = Gateway(core, clock).alarm(clock.at)
    alarm.says(AlarmChange.RAISED, *[41.0] * 20)
    alarm.says(AlarmChange.CLEARED, 20.0)
    core.close()
    return str(file)


def test_an_excursion_goes_into_files_that_hold_elsewhere(config: str, tmp_path: Path) -> None:
    code, said = run("excursion", "--json", "--config", config)
    (line,) = [json.loads(each) for each in said.splitlines()]
    assert (code, line["place"], line["beyond"]) == (0, "COLD", 1)
    out = tmp_path / "report.json"
    assert run("excursion", line["excursion"], "--config", config, "--out", str(out))[0] == 0
    code, said = run("verify", str(out))
    assert (code, said.split("\t")[0]) == (0, "holds")
    authority = said.strip().split("\t")[-1]
    assert run("verify", str(out), "--authority", authority.upper())[0] == 0
    assert run("verify", str(out), "--authority", "ab" * 32)[0] == 1
    out.write_text(out.read_text().replace("beyond", "within"))
    assert run("verify", str(out), "--json")[0] == 1
    pdf = tmp_path / "report.pdf"
    words = ("excursion", line["excursion"], "--as", "pdf", "--language", "zh")
    assert run(*words, "--out", str(pdf), "--config", config)[0] == 0
    assert pdf.read_bytes().startswith(b"%PDF")
    with pytest.raises(BadInputError):
        run(*words, "--config", config)
    code, table = run("excursion", line["excursion"], "--as", "csv", "--config", config)
    assert "too warm" in table
    with pytest.raises(NotFoundError):
        run("excursion", "EX-nobody", "--config", config)


def test_without_a_hub_there_is_no_report(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(f'[site]\ndata = "{tmp_path / "none"}"\n')
    with pytest.raises(NotFoundError, match="no hub"):
        run("excursion", "--config", str(file))
    with pytest.raises(BadInputError, match="Cannot read"):
        run("verify", str(tmp_path / "nothing.json"))


def test_a_loggers_own_alarm_is_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "tag.txt"
    file.write_text(EXPORT)
    code, said = run("logger", str(file), "--json")
    days = [json.loads(each) for each in said.splitlines()]
    assert code == 1
    assert [(day["alarm_0_minutes"], day["alarm_1_minutes"]) for day in days] == [(61, 0), (0, 74)]
    file.write_text(EXPORT.replace("t Acc: 61", "t Acc: 60"))
    assert run("logger", str(file))[0] == 0
