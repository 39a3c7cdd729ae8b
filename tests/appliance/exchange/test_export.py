"""`tallyman export epcis` and the hub's exchange, from the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli.export import export
from appliance.config import Config, ExchangeConfig, SiteConfig
from appliance.hub.exchange import open_exchange
from contracts.clock import SystemClock
from contracts.errors import BadInputError
from contracts.stock import BatchKey
from erp_link.service.core import Core

WATER = BatchKey("ACME", "06933132577789", "8842-740")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(
        f'[site]\ndata = "{tmp_path / "var"}"\n[exchange]\ngln = "4012345000009"\n'
    )
    (tmp_path / "var/hub").mkdir(parents=True)
    core = Core(f"sqlite:///{tmp_path / 'var/hub/core.db'}", clock=SystemClock())
    for quantity in range(1, 520):
        core.receive(WATER, quantity, location="A-01-1", by="op")
    core.close()
    return tmp_path


def test_everything_in_one_document(site: Path) -> None:
    args = ["epcis", "--config", str(site / "site.toml")]
    done = CliRunner().invoke(export, args)
    events = json.loads(done.output)["epcisBody"]["eventList"]
    assert [e["quantityList"][0]["quantity"] for e in events] == list(range(1, 520))
    assert events[0]["readPoint"]["id"] == "https://id.gs1.org/414/4012345000009/254/A-01-1"
    written = CliRunner().invoke(export, [*args, "--out", str(site / "e.jsonld")])
    assert written.exit_code == 0
    assert json.loads((site / "e.jsonld").read_text())["epcisBody"]["eventList"] == events
    some = [*args, "--lines", "--where", "EQ_bizStep=shipping"]
    assert CliRunner().invoke(export, some).output == ""
    wrong = CliRunner().invoke(export, [*args, "--where", "EQ_bizstep=x"])
    assert isinstance(wrong.exception, BadInputError)


def test_a_setting_that_cannot_be_is_named(tmp_path: Path) -> None:
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=SystemClock())
    wrong: dict[str, object] = {
        "gln": "4012345000001",
        "identifiers": "tallyman",
        "webhook_networks": ("10.0.0.1/8",),
        "file_drop": "/nowhere/at/all",
    }
    try:
        for setting, value in wrong.items():
            config = Config(
                site=SiteConfig(data=str(tmp_path)),
                exchange=ExchangeConfig(**{setting: value}),
            )
            with pytest.raises(BadInputError):
                open_exchange(config, core)
    finally:
        core.close()
