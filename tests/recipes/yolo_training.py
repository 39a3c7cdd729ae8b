"""A detector trained for real for a moment: `make test-yolo` names the environment that can."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.errors import ArtefactRefusedError
from ota.model_set import MANIFEST, open_model_set
from ota.publishing import check_publishable
from vision.detecting.detector import Detector

ROOT = Path(__file__).resolve().parents[2]
PYTHON = os.environ["TALLYMAN_YOLO_PYTHON"]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Twelve plates, half of them with a white blot."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    (folder / "classes.txt").write_text("blot\n")
    for part in range(12):
        random = np.random.default_rng(part)
        plate = random.normal(90, 6, (64, 64, 3)).clip(0, 255).astype(np.uint8)
        label = ""
        if part % 2:
            x, y = (int(v) for v in random.integers(16, 48, 2))
            cv2.circle(plate, (x, y), 8, (250, 250, 250), -1)
            label = f"0 {x / 64} {y / 64} 0.25 0.25\n"
        cv2.imwrite(str(folder / f"plate{part}.png"), plate)
        (folder / f"plate{part}.txt").write_text(label)
    return folder


@pytest.mark.timeout(900)
def test_a_labelled_folder_becomes_a_set_that_is_not_free_to_publish(labelled, tmp_path):
    out = tmp_path / "set"
    command = [sys.executable, "models/recipes/yolo/make.py", str(labelled), str(out)]
    more = ["--python", PYTHON, "--epochs", "1", "--side-px", "64", "--batch", "4"]
    done = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    made = open_model_set(out)
    assert json.loads((out / MANIFEST).read_text())["licence"] == "AGPL-3.0"
    with pytest.raises(ArtefactRefusedError, match=r"AGPL-3\.0"):
        check_publishable(made)
    detector = Detector.load(out)
    assert len(detector.facts.bad_scores) == 2
    assert detector.facts.limit is None
    assert isinstance(detector.find(np.zeros((64, 64, 3), np.uint8)), tuple)
