"""`tallyman decision`: what was signed is checked from a shell, with and without the hub."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli.decision import decision
from contracts.clock import SystemClock
from contracts.errors import BadInputError, NotFoundError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, UsageDecision
from erp_link.service.core import Core
from erp_link.service.quality.desk import DecisionPolicy, Quality
from tests.support.signing import Pen

WATER = BatchKey("ACME", "06933132577789", "8842-740")


@pytest.fixture
def config(tmp_path: Path) -> list[str]:
    path = tmp_path / "tallyman.toml"
    path.write_text(f'[site]\ndata = "{tmp_path / "var"}"\n')
    return ["--config", str(path)]


@pytest.fixture
def hub(tmp_path: Path, empty_core: Path) -> Core:
    (tmp_path / "var" / "hub").mkdir(parents=True)
    shutil.copy(empty_core, tmp_path / "var" / "hub" / "core.db")
    return Core(f"sqlite:///{tmp_path / 'var' / 'hub' / 'core.db'}", clock=SystemClock())


def _run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(decision, list(words), catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def test_a_program_is_given_a_key_and_what_it_signs_is_checked(hub, config, tmp_path) -> None:
    bot = Pen("erp-bot")
    pem = tmp_path / "bot.pem"
    pem.write_text(bot.pem)
    code, said = _run("add-key", "erp-bot", str(pem), "--proof", bot.proof(), *config)
    assert (code, said.strip()) == (0, bot.key_id)
    hub.receive(WATER, 5, location="A-01-1", by="op")
    smell = Reason("held_by_hand", {"note": "smell"})
    ticket = hub.add_hold(HoldKind.BATCH, batch=WATER, reason=smell, by="op").ticket_id
    bot.decides(Quality(hub), ticket, UsageDecision.RELEASE)
    assert _run("verify", *config) == (0, f"holds\t{ticket}\trelease\terp-bot\n")
    code, exported = _run("export", *config)
    kept = tmp_path / "decisions.json"
    kept.write_text(exported)
    assert _run("verify", str(kept))[0] == 0
    kept.write_text(exported.replace("opened and looked", "never looked"))
    code, said = _run("verify", str(kept), "--json")
    assert (code, json.loads(said)["ticket"]) == (1, ticket)
    assert _run("revoke-key", bot.key_id, *config)[0] == 0
    assert "\trevoked\t" in _run("keys", *config)[1]
    hub.close()


def test_what_nobody_signed_is_told(hub, config, tmp_path) -> None:
    hub.receive(WATER, 5, location="QUARANTINE", by="op")
    free = Quality(hub, DecisionPolicy(signed=False))
    ticket = hub.tickets()[0].ticket_id
    free.decide_unsigned(ticket, UsageDecision.RELEASE, reason="ok", by="q", role="quality")
    hub.close()
    code, said = _run("verify", *config)
    assert (code, said.split("\t")[:2]) == (0, ["unsigned", ticket])
    kept = tmp_path / "decisions.json"
    kept.write_text(_run("export", *config)[1])
    assert _run("verify", str(kept))[0] == 1


def test_a_folder_without_a_hub_and_a_file_without_a_key_are_told(config, tmp_path) -> None:
    with pytest.raises(NotFoundError):
        _run("keys", *config)
    with pytest.raises(BadInputError):
        _run("add-key", "x", str(tmp_path / "none.pem"), "--proof", "", *config)
