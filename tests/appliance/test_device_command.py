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


def test_a_box_is_compared_approved_and_shut_out_from_a_shell(command, tmp_path, monkeypatch):
    from appliance.config import load_config
    from appliance.hub.folder import open_registry
    from appliance.identity.admission.records import AwaitingApprovalError
    from appliance.identity.device import DeviceIdentity

    monkeypatch.setenv("TALLYMAN_SITE_DATA", str(tmp_path / "var"))

    def run(*words: str) -> str:
        done = CliRunner().invoke(command, ["device", *words])
        assert done.exit_code == 0, done.output
        return done.output

    paper = json.loads(run("claim", "edge-07", "--serial", "BOX-7"))
    box = DeviceIdentity.open_or_create(tmp_path / "box", "edge-07", serial="BOX-7")
    with open_registry(load_config()) as (registry, _), pytest.raises(AwaitingApprovalError):
        registry.claim("edge-07", paper["token"], box.csr_pem(), address="192.0.2.7")
    waits = run("waiting").rstrip("\n").split("\t")
    assert waits[:5] == ["edge-07", "new", box.key_id, "BOX-7", ""]
    run("refuse", "edge-07", box.key_id, "--why", "nobody ordered it")
    assert "nobody ordered it" in run("waiting")
    run("approve", "edge-07", box.key_id)
    with open_registry(load_config()) as (registry, _):
        registry.claim("edge-07", paper["token"], box.csr_pem())
    assert run("list").split("\t")[:2] == ["edge-07", "active"]
    run("revoke", "edge-07", "--why", "stolen")
    assert run("list").split("\t")[1] == "revoked"
    told = run("story", "edge-07")
    assert [line.split("\t")[2] for line in told.splitlines()][::-1] == [
        "claimed", "asked:new", "refused", "approved", "enrolled", "revoked",
    ]  # fmt: skip
    assert "(shell)" in told


def test_a_machine_that_runs_hub_and_box_needs_nobody_after_a_long_holiday(tmp_path, monkeypatch):
    """`tallyman up` brings them together again, whatever ran out while nothing ran."""
    from datetime import UTC, datetime, timedelta

    from appliance.config import load_config
    from appliance.hub.folder import introduce_here, open_registry, site_ca
    from appliance.identity.device import DeviceIdentity
    from appliance.identity.registry import DeviceRegistry
    from contracts.clock import FixedClock

    monkeypatch.setenv("TALLYMAN_SITE_DATA", str(tmp_path / "var"))
    config, folder, paper = load_config(), tmp_path / "box", tmp_path / "claim.json"
    introduce_here(config, site_ca(config), folder, "edge-01", paper)
    claim = json.loads(paper.read_text())
    box = DeviceIdentity.open_or_create(folder, "edge-01")
    long_ago = FixedClock(datetime.now(UTC) - timedelta(days=90))
    then = DeviceRegistry(Layout(config.data).devices_db, site_ca(config, long_ago), long_ago)
    box.keep(then.claim("edge-01", claim["token"], box.csr_pem()))
    then.close()
    assert box.expires_at < datetime.now(UTC)
    paper.unlink()
    introduce_here(config, site_ca(config), folder, "edge-01", paper)
    assert not paper.exists()
    assert DeviceIdentity.open_or_create(folder, "edge-01").expires_at > datetime.now(UTC)
    with open_registry(config) as (registry, _):
        assert registry.device("edge-01").expires_at > datetime.now(UTC)
        registry.revoke("edge-01", "sold")
    box.keep(trust := _expired(box))
    introduce_here(config, site_ca(config), folder, "edge-01", paper)
    again = DeviceIdentity.open_or_create(folder, "edge-01")
    assert again.certificate_pem == trust.certificate_pem, "who was shut out stays out"


def _expired(box):
    """What the box had before, as a backup of its folder would bring it back."""
    from datetime import UTC, datetime, timedelta

    from appliance.identity.device import SiteTrust
    from appliance.identity.site_ca import SiteCa
    from contracts.clock import FixedClock

    long_ago = FixedClock(datetime.now(UTC) - timedelta(days=90))
    ca = SiteCa.open_or_create(box.folder.parent / "var" / "hub" / "ca", clock=long_ago)
    pem = ca.issue_device(box.device, box.public_key)
    return SiteTrust(pem, box.ca_pem, box.head_certificate_pem)
