"""Twenty real boxes and their hub: a set that is broken on purpose, and rightly signed, is stopped in its
first wave by what it shows; the fleet returns; no batch was judged by two (I3, I5).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from appliance.bench.rollout.plant.plant import Plant
from appliance.bench.rollout.plant.story import Story

pytestmark = [pytest.mark.data, pytest.mark.timeout(900)]


@pytest.fixture
def frames(tmp_path: Path, data_dir: Path) -> Path:
    """Real photos, small."""
    folder = tmp_path / "frames"
    folder.mkdir()
    photos = sorted(path for path in (data_dir / "defects").rglob("*") if path.suffix == ".jpg")
    for number, path in enumerate(photos[:: max(1, len(photos) // 24)][:24]):
        small = cv2.resize(cv2.imread(str(path)), (192, 192))
        cv2.imwrite(str(folder / f"{number:02d}.jpg"), small)
    return folder


def test_a_broken_set_is_stopped_in_its_first_wave_and_the_fleet_returns(
    tmp_path: Path, frames: Path
) -> None:
    plant = Plant(tmp_path / "plant", frames, boxes=20)
    story = Story(plant)
    story.prepare()
    with plant.running():
        story.begin()
        story.update()
        story.spoil(kill=("box-03", "hub", "box-06"))
        story.settle()
    told = story.add_up()

    assert told.why_stopped.startswith("ota_gate"), told.why_stopped
    assert 0 < len(told.ran_broken) <= len(told.first_wave) == 5
    assert set(told.ran_broken) <= set(told.first_wave)
    assert told.killed == ["box-03", "hub", "box-06"]
    assert told.left_under_broken == 0, "what the broken set had judged was judged again"
    assert (told.mixed_batches, told.waiting, told.findings) == (0, 0, [])
    assert told.cartons > 20

    config = ["--config", str(plant.folder / "hub.toml")]
    core = _tallyman("core", "verify", *config)
    assert core.returncode == 0, core.stdout + core.stderr
    sets = _tallyman("ota", "verify", *config)
    assert sets.returncode == 0, sets.stdout + sets.stderr
    for name in plant.names[:3]:
        journal = _tallyman("journal", "verify", str(plant.folder / name / "edge" / "journal.db"))
        assert journal.returncode == 0, journal.stdout + journal.stderr


def _tallyman(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
