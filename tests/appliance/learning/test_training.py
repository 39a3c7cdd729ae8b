"""Runs of the real recipe at a hub: one at a time, once, and a candidate that nothing activates."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest

from appliance.learning.cutting import png
from appliance.learning.dataset import Dataset
from appliance.learning.example import Example, KeptLine, Truth, us_of
from appliance.learning.health import learning_item
from appliance.learning.retention import Limits
from appliance.learning.schedule import Every, Schedule, Wait
from appliance.learning.split import is_held_out, read_ledger
from appliance.learning.training import Environment, Training
from appliance.model_sets import READER, carried
from appliance.paths import models_root
from contracts.clock import FixedClock
from contracts.errors import AlreadyRunningError, UnavailableError
from ota.model_set import open_model_set
from tests.appliance.learning import training_env
from tests.appliance.learning.cartons import NOW, example, line

ROOT = Path(__file__).resolve().parents[3]
RECIPE = models_root() / "recipes" / "label_reader"
SUNDAY = NOW.replace(day=22, hour=2)


def drawn(number: int) -> Example:
    """A carton whose batch stands in a kept line as clean print."""
    truth = Truth("09521100410014", f"B{1000 + number}", "2027-12-03")
    font, margin = cv2.FONT_HERSHEY_SIMPLEX, 8
    (width, _), _ = cv2.getTextSize(truth.batch, font, 1.5, 3)
    crop = np.full((64, width + 2 * margin, 3), 230, np.uint8)
    cv2.putText(crop, truth.batch, (margin, 48), font, 1.5, (10, 10, 10), 3)
    kept = KeptLine(line(truth.batch), ("batch",), png(crop))
    return replace(example(f"c-{number}", truth=truth, at=NOW), lines=(kept,))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(tmp_path / "learning", Limits(1 << 30, 90))


@pytest.fixture
def training(dataset: Dataset, clock: FixedClock, tmp_path: Path):
    def make(python: Path | None, *, least_new: int = 1) -> Training:
        kit = tmp_path / "kit"
        kit.mkdir(exist_ok=True)
        missing = "" if python else "no training environment (learning.python is empty)"
        environment = Environment(python or Path(), RECIPE, kit, missing)
        return Training(
            dataset,
            environment=lambda: environment,
            schedule=Schedule(Every.WEEKLY, 2, least_new, ZoneInfo("UTC")),
            current=lambda: carried(READER).folder,
            minutes=1,
            clock=clock,
        )

    return make


def fill(dataset: Dataset, count: int) -> None:
    for number in range(count):
        dataset.add(drawn(number), now_us=us_of(NOW))


@pytest.mark.timeout(300)
async def test_what_operators_settled_becomes_a_candidate_with_its_verdict(
    dataset, training, tmp_path
):
    fill(dataset, 40)
    seen = tmp_path / "seen.jsonl"
    current = carried(READER)
    python = training_env.learns_nothing(tmp_path / "python", model_set=current.folder, seen=seen)
    state = await training(python).run_now()
    assert state.outcome == "candidate", state.detail
    assert state.learnt_until_us == us_of(NOW)

    taught = [json.loads(row)["text"] for row in seen.read_text().splitlines()]
    held = [n for n in range(40) if is_held_out(drawn(n).truth)]
    assert sorted(taught) == [f"B{1000 + n}" for n in range(40) if n not in held]
    (place,) = (dataset.folder / "candidates").iterdir()
    candidate = open_model_set(place / "set")
    verdict = json.loads((place / "verdict.json").read_text())
    assert verdict["candidate"] == candidate.digest != current.digest
    assert candidate.version != current.version
    ledger = read_ledger((dataset.folder / "holdout.jsonl").read_bytes())
    assert verdict["hold_out"] == {
        "digest": ledger.digest, "examples": len(held), "lines": len(held),
    }  # fmt: skip
    figures = verdict["measured"]["hold_out"]
    assert figures["current"]["right"] == figures["candidate"]["right"] == len(held)
    assert verdict["publishable"] is False
    assert [reason["code"] for reason in verdict["reasons"]] == ["candidate_too_few"] * 2
    assert carried(READER).digest == current.digest, "nothing was activated"
    assert not list(dataset.folder.glob("runs/*/lines")), "no copies of examples are left"


@pytest.mark.timeout(300)
async def test_too_little_is_nothing_and_a_failure_is_told(dataset, training, tmp_path):
    fill(dataset, 3)
    failing = training(training_env.fails(tmp_path / "python"))
    state = await failing.run_now()
    assert (state.outcome, state.learnt_until_us) == ("nothing", us_of(NOW))
    fill(dataset, 40)
    state = await failing.run_now()
    assert state.outcome == "failed"
    assert "train.py ended with 3" in state.detail
    assert not (dataset.folder / "candidates").exists()


async def test_a_year_of_refused_candidates_does_not_fill_the_disk(dataset, training, tmp_path):
    fill(dataset, 3)
    hub = training(training_env.fails(tmp_path / "python"))
    for week in range(12):
        place = hub.candidates / f"1.1.{20 - week}-202601{week + 1:02d}T020000-ab"
        place.mkdir(parents=True)
        (place / "verdict.json").write_text(json.dumps({"publishable": week == 0, "reasons": []}))
    await hub.run_now()
    weeks = sorted(int(path.name.partition("-")[2][6:8]) - 1 for path in hub.candidates.iterdir())
    assert weeks == [0, *range(4, 12)], "what may be published, and the newest of the others"


async def test_it_runs_on_its_sunday_and_not_before(dataset, training, clock, tmp_path):
    fill(dataset, 2)
    hub = training(training_env.fails(tmp_path / "python"))
    assert not await hub.look()
    clock.at = SUNDAY - timedelta(minutes=1)
    assert not await hub.look()
    clock.at = SUNDAY
    assert await hub.look()
    assert not await hub.look(), "once"
    again = training(training_env.fails(tmp_path / "python"))
    assert not await again.look(), "nor after a restart"
    clock.at = SUNDAY + timedelta(days=7)
    assert not await again.look()
    assert again.waits() is Wait.NOT_YET, "nothing new came since"


async def test_without_a_training_environment_examples_are_kept_and_it_says_so(
    dataset, training, clock
):
    fill(dataset, 2)
    hub = training(None)
    await hub.look()
    clock.at = SUNDAY
    assert hub.waits() is Wait.NO_ENVIRONMENT
    assert not await hub.look()
    with pytest.raises(UnavailableError, match="no training environment"):
        await hub.run_now()
    assert dataset.held().examples == 2
    row = learning_item(hub, dataset, clock)
    assert (row.state, row.value) == ("ok", "2")
    assert "2 new" in row.detail
    assert "no training environment" in row.detail


@pytest.mark.timeout(300)
async def test_a_hub_that_is_killed_takes_the_run_with_it_and_tries_once_more(
    dataset, training, clock, tmp_path, until
):
    fill(dataset, 40)
    pid = tmp_path / "pid"
    python = training_env.never_ends(tmp_path / "python", pid=pid)
    program = Path(__file__).with_name("hub_process.py")
    hub = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program), str(tmp_path), str(python)),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        await until(lambda: pid.exists() and pid.read_text().strip(), "training has begun")
        with pytest.raises(AlreadyRunningError):
            await training(python).run_now()
    finally:
        hub.kill()
        await hub.wait()
    await until(lambda: not is_alive(int(pid.read_text())), "training ended with its hub")
    again = training(python)
    assert again.state().running
    again.settle_interrupted()
    assert (again.state().running, again.state().outcome) == ("", "interrupted")
    clock.at = SUNDAY
    assert again.waits() is Wait.NONE


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
