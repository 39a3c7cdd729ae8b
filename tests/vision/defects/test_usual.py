"""How a picture lies against the usual one: moved, darker, or not comparable."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.vision.defects.conftest import bottle, tile
from vision.defects.usual import THUMB_PX, Usual, lie_of, usual_of


def thumb(image: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA).astype(np.float32)


@pytest.fixture(scope="module")
def usual() -> Usual:
    return usual_of([thumb(tile(seed)) for seed in range(12)])


def moved(image: np.ndarray, x: float, y: float) -> np.ndarray:
    size = image.shape[1::-1]
    return cv2.warpAffine(
        image, np.float32([[1, 0, x], [0, 1, y]]), size, borderMode=cv2.BORDER_REPLICATE
    )


@pytest.mark.parametrize(("x", "y"), [(8, 0), (-8, 0), (0, 8), (0, -8), (32, 16), (-20, 0)])
def test_a_move_of_the_camera_is_measured_over_a_few_goods(usual: Usual, x: int, y: int):
    """Each tile lies a little elsewhere itself, by up to 4 px, so a few are needed."""
    seen = []
    for seed in range(40, 48):
        before, after = (
            lie_of(thumb(image), usual) for image in (tile(seed), moved(tile(seed), x, y))
        )
        seen.append(((after.x - before.x) * 320, (after.y - before.y) * 320))
    across, down = np.median(seen, axis=0)
    for told, true in ((across, x), (down, y)):
        assert 0.4 * abs(true) - 0.1 <= told * np.sign(true or 1) <= 1.2 * abs(true) + 1.5


@pytest.mark.parametrize("gain", [0.7, 0.85, 1.15])
def test_another_light_is_measured_apart_from_the_place(usual: Usual, gain: float):
    before = lie_of(thumb(tile(41)), usual)
    after = lie_of(thumb(tile(41)) * gain, usual)
    assert after.light - before.light == pytest.approx(np.log(gain), abs=0.01)
    assert (after.x, after.y) == pytest.approx((before.x, before.y), abs=0.002)


def test_a_defect_hardly_moves_the_view(usual: Usual):
    image = tile(42)
    before = lie_of(thumb(image), usual)
    cv2.rectangle(image, (60, 60), (120, 140), (20, 20, 20), -1)
    after = lie_of(thumb(image), usual)
    assert (after.x, after.y) == pytest.approx((before.x, before.y), abs=0.004)
    assert after.light == pytest.approx(before.light, abs=0.03)


@pytest.mark.parametrize(
    "image",
    [bottle(1), np.zeros((320, 320, 3), np.uint8), np.full((320, 320, 3), 255, np.uint8)],
    ids=["another product", "black", "white"],
)
def test_what_has_nothing_in_common_still_gets_numbers(usual: Usual, image: np.ndarray):
    lie = lie_of(thumb(image), usual)
    assert np.isfinite([lie.x, lie.y, lie.light]).all()


def test_one_flat_picture_is_enough_to_begin_with():
    flat = np.full((THUMB_PX, THUMB_PX), 90, np.float32)
    assert lie_of(flat * 2, usual_of([flat])).light == pytest.approx(np.log(2), abs=0.02)
