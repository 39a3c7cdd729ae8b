"""Introducing an edge box on another machine: the claim that the hub's side makes."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli.main import app
from appliance.cli.register import register


@pytest.fixture(scope="module")
def command():
    from appliance.cli.main import bench

    register(app, bench)
    return app


def test_a_claim_names_the_site_and_is_for_one_device(command, tmp_path, monkeypatch):
    monkeypatch.setenv("TALLYMAN_SITE_DATA", str(tmp_path / "var"))
    paper = tmp_path / "claim.json"
    done = CliRunner().invoke(command, ["device", "claim", "edge-07", "--out", str(paper)])
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(paper.stat().st_mode) == 0o600
    claim = json.loads(paper.read_text())
    assert claim["device"] == "edge-07"
    again = json.loads(CliRunner().invoke(command, ["device", "claim", "edge-08"]).output)
    assert again["fingerprint"] == claim["fingerprint"]
    assert again["token"] != claim["token"]
    assert claim["token"] not in "".join(
        file.read_bytes().decode(errors="replace") for file in Path(tmp_path / "var").rglob("*.db")
    )
