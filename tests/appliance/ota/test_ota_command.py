"""Rollouts from a shell, on a hub's data folder, as another process would."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from appliance.cli import ota_tell
from appliance.cli.ota import ota
from appliance.cli.ota_plan import moment_of, waves_of, window_of
from appliance.config import load_config
from appliance.hub.folder import open_registry
from appliance.identity.device import DeviceIdentity
from contracts.errors import BadInputError, TallymanError
from contracts.ota import BoxReport
from ota.rollout.plan import Wave, Window
from tests.support.model_sets import made_set

OLD = "sha256:" + "0" * 64


class Shell:
    """`tallyman ota` with one data folder."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "hub.toml"
        self.config.write_text(f'[site]\ndata = "{folder / "var"}"\n', encoding="utf-8")

    def runs(self, *words: str, code: int = 0) -> str:
        result: Result = CliRunner().invoke(ota, [*words, "--config", str(self.config)])
        assert result.exit_code == code, (result.output, result.exception)
        return result.stdout

    def refuses(self, *words: str) -> TallymanError:
        result = CliRunner().invoke(ota, [*words, "--config", str(self.config)])
        assert isinstance(result.exception, TallymanError), result.output
        return result.exception

    def status(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.runs("status", "--json").splitlines()[0])
        return found

    def box_reports(self, device: str) -> None:
        with open_registry(load_config(self.config)) as (registry, _):
            if registry.device(device) is None:
                box = _box(self.config.parent, device)
                registry.claim(device, registry.new_claim(device), box)
        with ota_tell.desk_here(self.config) as here:
            here.ota.rollouts.reported(BoxReport(device, 1, "1", running={"templates": OLD}))


def _box(folder: Path, device: str) -> str:
    return DeviceIdentity.open_or_create(folder / device, device).csr_pem()


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("ota")
    shell = Shell(folder)
    made_set(folder / "set", name="sensor_templates", kind="templates")
    shell.runs("init", "--here")
    name = shell.runs("publish", str(folder / "set"), "--by", "eve").split("\t")
    shell.runs("approve", name[5], "--why", "looked at it", "--by", "adam")
    shell.runs("publish", name[5], "--by", "eve")
    for number in range(4):
        shell.box_reports(f"edge-{number}")
    return shell


def test_a_rollout_is_drafted_approved_paused_and_taken_back_from_a_shell(shell: Shell) -> None:
    published = json.loads(shell.runs("sets", "--json").splitlines()[0])["digest"]
    plan = (
        "rollout",
        "templates",
        published,
        "--by",
        "eve",
        "--wave",
        "box:edge-1",
        "--wave",
        "100",
    )
    plan += ("--no-shadow", "--no-certify")
    assert shell.runs(*plan, "--dry-run").splitlines() == [
        "wave 1: 1\tedge-1",
        "wave 2: 3\tedge-0, edge-2, edge-3",
    ]
    assert shell.runs("status") == "", "a dry run drafts nothing"
    shell.runs(*plan)
    name = str(shell.status()["rollout"])
    assert shell.refuses("start", name, "--by", "eve").code == "forbidden"
    shell.runs("start", name[:12], "--by", "adam")
    assert shell.status()["phase"] == "approved"
    with ota_tell.desk_here(shell.config) as here:
        here.ota.rollouts.tick()
    told = shell.status()
    assert (told["phase"], told["boxes"], told["wave"], told["waves"]) == ("staging", 4, 1, 2)
    shell.runs("pause", name, "--why", "audit")
    assert "resume" in shell.status()["may"]
    shell.runs("resume", name)
    shell.runs("stop", "--why", "smoke at dock 2", "--by", "eve")
    assert "STOPPED by eve: smoke at dock 2" in shell.runs("status")
    shell.runs("lift", "--why", "it was steam")
    assert shell.status()["phase"] == "returning"
    happened = [
        json.loads(line)["what"] for line in shell.runs("history", name, "--json").splitlines()
    ]
    assert happened == [
        "drafted", "approved", "started", "staging_began", "paused", "resumed", "aborted",
    ]  # fmt: skip
    assert shell.refuses("resume", name).code == "conflict"
    assert shell.refuses("status", "2031").code == "not_found"


def test_a_person_can_decide_only_where_something_was_shown(shell: Shell) -> None:
    published = json.loads(shell.runs("sets", "--json").splitlines()[0])["digest"]
    why = shell.refuses(
        "rollout", "templates", published, "--no-shadow", "--no-certify", "--decide"
    )
    assert "before the decision" in why.message


def test_where_boxes_stand_and_what_they_run(shell: Shell) -> None:
    shell.runs("place", "edge-1", "--cell", "dock-3", "--label", "hardware=n100")
    (box,) = [
        each
        for line in shell.runs("boxes", "--json").splitlines()
        if (each := json.loads(line))["device"] == "edge-1"
    ]
    assert (box["cell"], box["labels"]) == ("dock-3", {"hardware": "n100"})
    assert box["running"] == {"templates": OLD}
    assert "dock-3" in shell.runs("boxes")
    assert shell.runs("history", "edge-1").split("\t")[2:4] == ["templates", OLD]
    assert shell.refuses("place", "edge-99", "--cell", "x").code == "not_found"
    assert shell.refuses("place", "edge-1", "--cell", "x", "--label", "n100").code == "bad_input"


def test_waves_and_windows_are_read_as_they_are_written() -> None:
    words = ["5", "25%+site:north", "cell:dock-1,dock-2", "box:a,b", "100"]
    assert waves_of(words, strata="hardware", by="box", certify=True)[:2] == (
        Wave(5, strata="hardware"),
        Wave(25, sites=("north",), strata="hardware"),
    )
    assert window_of("22:00-05:00") == Window(1320, 300)
    assert window_of("Fri-Mon 00:30-24:00") == Window(30, 1440, (4, 5, 6, 0))
    assert window_of("wed 07:15-08:00").days == (2,)
    at = datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert moment_of("2026-11-23T22:00", "Asia/Shanghai") == int(at.timestamp() * 1e6)
    assert moment_of("2026-11-23T14:00Z", "Asia/Shanghai") == int(at.timestamp() * 1e6)


@pytest.mark.parametrize("word", ["", "25:00-26:00", "22:00", "Xyz 22:00-23:00", "22:60-23:00"])
def test_what_is_no_window_is_refused(word: str) -> None:
    with pytest.raises(BadInputError, match="window"):
        window_of(word)


@pytest.mark.parametrize("word", ["five", "shelf:a", "5+x"])
def test_what_is_no_wave_is_refused(word: str) -> None:
    with pytest.raises(BadInputError, match="Wave"):
        waves_of([word], strata="", by="box", certify=True)
    with pytest.raises(BadInputError, match="drawn"):
        waves_of(["5"], strata="", by="shelf", certify=True)
