"""`tallyman learn` on a data folder: what is there, as files, and erased for good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.config import Config, SiteConfig
from appliance.layout import Layout
from appliance.learning.example import us_of
from appliance.learning.folders import edge_dataset, hub_dataset
from contracts.clock import SystemClock
from tests.appliance.learning.cartons import example


def learn(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance", "learn", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"TALLYMAN_SITE_DATA": str(folder)},
    )


@pytest.fixture
def site(tmp_path: Path) -> Config:
    """Hub and edge on one machine, two cartons at the hub and one still at the edge."""
    config = Config(site=SiteConfig(data=str(tmp_path / "var")))
    layout = Layout(config.data)
    layout.hub.mkdir(parents=True)
    layout.edge.mkdir()
    now = SystemClock().now()
    for dataset, cartons in ((hub_dataset(config), "ab"), (edge_dataset(config), "c")):
        for carton in cartons:
            dataset.add(example(f"c-{carton}", at=now), now_us=us_of(now))
    return config


def test_status_says_what_is_here_and_what_is_waited_for(site):
    said = json.loads(learn(site.data, "status", "--json").stdout)
    assert (said["hub"]["examples"], said["edge"]["examples"], said["new"]) == (2, 1, 2)
    assert said["keep"] == "crops"
    assert said["environment"].startswith("no training environment")
    assert said["lines"] == {"waiting": 0, "answered": {}}
    assert said["candidates"] == []


def test_a_run_without_an_environment_says_what_is_missing(site):
    done = learn(site.data, "run")
    assert done.returncode == 2
    assert "no training environment" in done.stderr
    assert "learning.python" in done.stderr


def test_a_carton_is_written_out_and_erased_wherever_it_lies(site, tmp_path):
    out = tmp_path / "out"
    assert learn(site.data, "export", str(out)).stdout.startswith("3 examples")
    assert len(list(out.rglob("example.json"))) == 3
    assert learn(site.data, "export", str(out)).returncode == 2, "never over what is there"
    assert learn(site.data, "erase", "--carton", "c-c").stdout == "hub\t0 erased\nedge\t1 erased\n"
    assert learn(site.data, "erase", "--from", "2026-01-01").stdout == (
        "hub\t2 erased\nedge\t0 erased\n"
    )
    assert edge_dataset(site).held().examples + hub_dataset(site).held().examples == 0


def test_an_erasure_must_say_of_what(site):
    for arguments in ([], ["--carton", "c-a", "--from", "2026-01-01"]):
        done = learn(site.data, "erase", *arguments)
        assert done.returncode == 2
        assert "--carton" in done.stderr
    assert hub_dataset(site).held().examples == 2


def test_a_folder_that_is_none_of_ours_is_said_so(tmp_path):
    done = learn(tmp_path, "status")
    assert done.returncode == 2
    assert "no data folder" in done.stderr
