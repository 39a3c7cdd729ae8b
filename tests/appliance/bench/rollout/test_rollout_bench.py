"""The parts of `tallyman bench rollout` in their smallest size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from appliance.bench.rollout import in_core, sizes, worlds
from appliance.bench.rollout.command import rollout
from appliance.bench.rollout.fleet import world as fleet
from appliance.bench.rollout.polling.run import polls
from contracts.errors import BadInputError


def test_a_campaign_goes_on_where_it_was_and_its_ablations_are_caught(tmp_path: Path) -> None:
    told = worlds.carry_out(tmp_path / "c", batches=60, seed=3, workers=1, tries=4)
    assert (told["batches"], told["mixed"], told["lost"]) == (60, 0, 0)
    assert told["ablations"]["no_pin"]["caught"]
    assert told["ablations"]["no_watermark"]["caught"]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "c").glob("*-*.json")}
    assert worlds.carry_out(tmp_path / "c", batches=60, seed=3, workers=1, tries=4) == told
    assert {path: path.stat().st_mtime_ns for path in before} == before
    with pytest.raises(BadInputError, match="another campaign"):
        worlds.carry_out(tmp_path / "c", batches=60, seed=4)


def test_batches_through_the_real_core_are_judged_by_one(tmp_path: Path) -> None:
    told = in_core.run(tmp_path, batches=6, seed=4)
    assert (told["batches"], told["mixed"], told["lost"], told["undecided"]) == (6, 0, 0, 0)
    assert told["holds"], told


def test_real_agents_live_through_a_day_of_cuts_and_crashes() -> None:
    size = fleet.Size(batches=150, cells=2, boxes_a_cell=2, days=1, update_every_us=10**14)
    told = fleet.run_one(size, fleet.Troubles(), seed=1)
    assert (told["mixed"], told["lost"], told["undecided"], told["not_whole"]) == (0, 0, 0, 0)
    assert told["holds"], told


def test_a_head_or_a_line_of_metadata_costs_less_than_a_twentieth() -> None:
    found = {each.what: each.percent for each in sizes.changes()}
    assert found["metadata"] < 5
    assert found["head"] < 5


def test_a_poll_for_nothing_new_costs_less_than_a_kilobyte(tmp_path: Path) -> None:
    told = polls(tmp_path, boxes=600, seconds=2.0)
    assert told["statuses"] == {"304": 20}
    assert told["bytes_there"] + told["bytes_back"] < 1000
    assert told["unanswered"] == 0


def test_the_command_says_what_it_measured_in_its_last_line() -> None:
    app = typer.Typer()
    app.command()(rollout)
    said = CliRunner().invoke(
        app,
        ["--part", "sizes", "--part", "gates", "--rollouts", "10", "--json"],
    )
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout.splitlines()[-1])
    assert told["mixed_batches"] == 0
    assert told["harm_stop_frames_p50"] > 0
    assert {"machine", "commit", "model_set", "false_abort_percent", "deltas"} <= told.keys()
