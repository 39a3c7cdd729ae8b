"""A crack is seen where it is; a product's own weights see better; what is broken is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.model_sets import carried
from contracts.errors import ArtefactRefusedError, BadInputError
from vision.defects.cracks.learning import Cracked, learn_cracks
from vision.defects.cracks.network import PX_PER_PLACE, CrackNetwork, crack_score
from vision.defects.cracks.shape import NUMBERS


def plate(seed: int) -> np.ndarray:
    """A brushed plate with a groove that belongs to it."""
    draw = np.random.default_rng(seed)
    marks = cv2.GaussianBlur(draw.normal(0, 1, (160, 192)), (0, 0), sigmaX=14, sigmaY=0.7)
    grey = 120 + 8 * marks / marks.std() + draw.normal(0, 1, marks.shape)
    cv2.line(grey, (0, 60), (191, 60), 70, 3, cv2.LINE_8)
    return cv2.cvtColor(np.clip(grey, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)


def cracked(image: np.ndarray) -> np.ndarray:
    points = np.array([[70, 90], [82, 101], [88, 118], [103, 128]], np.int32)
    return cv2.polylines(image.copy(), [points], isClosed=False, color=(62, 62, 62), thickness=2)


def test_the_strongest_place_lies_on_the_crack(crack_network: CrackNetwork) -> None:
    heat = crack_network.see(cracked(plate(1)))
    y, x = np.unravel_index(int(heat[8:-8, 8:-8].argmax()), heat[8:-8, 8:-8].shape)
    assert 64 <= PX_PER_PLACE * (x + 8) <= 110
    assert 84 <= PX_PER_PLACE * (y + 8) <= 134


def test_a_crack_scores_above_its_sound_plate(crack_network: CrackNetwork) -> None:
    sound = [crack_score(crack_network.see(plate(seed))) for seed in range(2, 6)]
    broken = [crack_score(crack_network.see(cracked(plate(seed)))) for seed in range(2, 6)]
    assert all(b > s for b, s in zip(broken, sound, strict=True))


def test_learning_tells_a_groove_that_belongs_from_a_crack(crack_network: CrackNetwork) -> None:
    heard: list[float] = []
    own = learn_cracks(
        crack_network, [plate(seed) for seed in range(10, 14)], steps=40, progress=heard.append
    )
    assert own.shape == (NUMBERS,)
    assert own.dtype == np.float16
    assert heard == sorted(heard)
    assert heard[-1] == 1.0

    def apart(weights: np.ndarray | None) -> float:
        fresh = range(20, 26)
        good = [crack_score(crack_network.see(plate(seed), weights)) for seed in fresh]
        bad = [crack_score(crack_network.see(cracked(plate(seed)), weights)) for seed in fresh]
        return min(bad) - max(good)

    assert apart(own) > apart(None)


def test_really_cracked_parts_are_learned_from(crack_network: CrackNetwork) -> None:
    image = cracked(plate(30))
    mask = (image != plate(30)).any(axis=2)
    own = learn_cracks(crack_network, [plate(31)], cracked=[Cracked(image, mask)], steps=4)
    assert own.shape == (NUMBERS,)


def test_learning_ends_when_its_time_is_over_and_when_told_to(crack_network: CrackNetwork) -> None:
    steps: list[float] = []
    learn_cracks(crack_network, [plate(40)], seconds=1e-6, progress=steps.append)
    assert steps == [1.0]
    with pytest.raises(InterruptedError):
        learn_cracks(crack_network, [plate(40)], stop=lambda: True)


def test_without_a_good_picture_nothing_is_learned(crack_network: CrackNetwork) -> None:
    with pytest.raises(BadInputError, match="No good picture"):
        learn_cracks(crack_network, [])


def test_weights_of_another_network_are_refused(crack_network: CrackNetwork) -> None:
    with pytest.raises(ArtefactRefusedError, match="shape"):
        crack_network.see(plate(50), np.zeros(17, np.float16))


@pytest.mark.parametrize("broken", ["cracks.onnx", "places.json"])
def test_files_that_do_not_belong_together_are_refused(broken: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(carried("crack_network").folder, tmp_path / "set"))
    (folder / broken).write_bytes((folder / broken).read_bytes()[:40])
    with pytest.raises(ArtefactRefusedError):
        CrackNetwork.load(folder, model_set="sha256:0")


def test_a_score_does_not_count_the_outermost_rim() -> None:
    heat = np.full((80, 80), -5.0, np.float32)
    heat[:3] = 9.0
    assert crack_score(heat) == pytest.approx(-5.0)
