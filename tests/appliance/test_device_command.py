"""Introducing an edge box on another machine: the claim that the hub's side makes."""

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from appliance.cli.main import app
from appliance.cli.register import register
from appliance.layout import Layout
from appliance.teaching.signing import first_key
from appliance.teaching.trust import TrustedKeys


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


def test_a_box_forgets_the_quality_key_that_it_trusted(command, tmp_path, monkeypatch):
    monkeypatch.setenv("TALLYMAN_SITE_DATA", str(tmp_path))
    trust = TrustedKeys(Layout(tmp_path).trust)
    trust.learn([first_key(Ed25519PrivateKey.generate(), holder="mara", at_us=1)])
    done = CliRunner().invoke(command, ["device", "forget-quality-key"])
    assert done.exit_code == 0, done.output
    assert done.output == f"{trust.pinned.name}\tmara\n"
    other = first_key(Ed25519PrivateKey.generate(), holder="jo", at_us=2)
    assert trust.learn([other]), "the running station hears of it too"
    again = TrustedKeys(Layout(tmp_path).trust)
    assert again.pinned == other
    assert CliRunner().invoke(command, ["device", "forget-quality-key"]).exit_code == 0
    none = CliRunner().invoke(command, ["device", "forget-quality-key"])
    assert "no key" in none.output
