"""`tallyman bench read` on a folder of frames, as a person runs it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from appliance.bench.reading.photos import shipping_cartons
from tests.appliance.bench.frames import write_set

KEYS = {
    "bench", "machine", "commit", "model_set", "set", "frames", "threads", "p50_ms", "p95_ms",
    "cpu_p50_ms", "cpu_p95_ms", "stages", "rss_mb", "groups", "without_list", "goals",
}  # fmt: skip


def bench(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance", "bench", "read", "--no-peers", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames") / "delivery"
    folder.mkdir()
    write_set(folder, cartons=5)
    return folder


def test_the_last_line_holds_every_figure_and_the_tables_stand_before_it(frames: Path):
    done = bench("--set", frames)
    assert done.returncode == 0, done.stderr
    *tables, last = done.stdout.splitlines()
    result = json.loads(last)
    assert set(result) == KEYS | {"with_list"}
    assert result["set"] == "delivery"
    assert result["groups"]["off_list"] == 1
    listed = result["with_list"]
    assert listed["right_percent"]["on_list_label_damage_0"] == 100.0
    assert listed["off_list"]["accepted"] == 0
    assert listed["wrong"] == 0
    assert sum(each["frames"] for each in listed["reliability"]) == 5
    said = "\n".join(tables)
    for title in ("Right, with the list", "Misreads by damage", "A wrong field given out", "Goals"):
        assert title in said


def test_a_folder_without_a_list_is_measured_plainly(tmp_path: Path):
    write_set(tmp_path, cartons=2, listed=False)
    done = bench("--set", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert "with_list" not in result
    assert result["without_list"]["right_percent"]["all"] == 100.0


def test_speed_and_memory_are_taken_in_processes_of_their_own_and_recorded(
    frames: Path, tmp_path: Path
):
    record = tmp_path / "quality.toml"
    options = ("--cold-start", "--workers", 2, "--soak", 4, "--record", record)
    done = bench("--set", frames, "--limit", 2, "--json", *options)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["workers"]["frames_per_s"] > 0
    assert result["cold_start"]["worst_s"] >= result["cold_start"]["median_s"] > 0
    assert [each["frames"] for each in result["soak"]] == [0, 2, 4]
    assert all(each["rss_mb"] > 20 for each in result["soak"])
    recorded = tomllib.loads(record.read_text())["measured"]["delivery"]
    assert recorded["model_set"] == result["model_set"]
    assert recorded["workers"] == result["workers"]


def test_a_folder_without_truth_is_refused_with_one_line(tmp_path: Path):
    done = bench("--set", tmp_path)
    assert done.returncode == 2
    assert "truth.json" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.data
def test_real_shipping_labels_are_never_read_worse_than_by_zxings_defaults(data_dir: Path):
    found = shipping_cartons(data_dir / "labels" / "shipping_ups")
    assert (found["photos"], found["codes"]) == (3, 9)
    assert found["ours"]["right"] >= found["zxing_default"]["right"] > 0
    assert found["ours"]["wrong"] == found["ours"]["none"] == 0
