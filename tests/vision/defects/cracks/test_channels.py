"""What the crack network is shown does not depend on the lamp."""

from __future__ import annotations

import numpy as np

from vision.defects.cracks.channels import (
    MOST_AREA_PX,
    STRIDE_PX,
    border,
    channels,
    grey_at_work,
    texture_sigma,
    working_size,
)


def rough(seed: int, height: int = 96, width: int = 128) -> np.ndarray:
    return np.random.default_rng(seed).normal(120, 6, (height, width)).astype(np.float32)


def test_half_the_light_shows_the_same_contrast() -> None:
    grey = rough(1)
    assert np.allclose(channels(grey), channels(grey * 0.5), atol=0.02)


def test_a_small_picture_stays_native_and_a_huge_one_is_shrunk() -> None:
    assert working_size(320, 240) == (320, 240)
    width, height = working_size(4000, 3000)
    assert width * height <= 1.05 * MOST_AREA_PX
    assert width % STRIDE_PX == height % STRIDE_PX == 0


def test_a_crop_told_about_its_picture_sees_what_the_picture_sees() -> None:
    grey = rough(2, 160, 160)
    whole = channels(grey)
    rim = border(160, 160)[20:140, 20:140]
    crop = channels(grey[20:140, 20:140], sigma=texture_sigma(grey), rim=rim)
    assert np.allclose(crop[:, 25:-25, 25:-25], whole[:, 45:-45, 45:-45], atol=0.05)


def test_a_flat_picture_is_no_division_by_zero() -> None:
    assert np.isfinite(channels(np.full((64, 64), 90, np.float32))).all()


def test_colour_and_grey_pictures_are_both_taken() -> None:
    colour = np.full((50, 70, 3), 80, np.uint8)
    assert grey_at_work(colour).shape == grey_at_work(colour[:, :, 0]).shape == (48, 64)
