"""What is kept of a judgement: a picture that a person understands later."""

from __future__ import annotations

import numpy as np

from tests.vision.defects.conftest import scratched
from vision.defects.evidence import heatmap_jpeg
from vision.defects.heat import MOST_REGIONS, heatmap, regions
from vision.frames import decode_frame


def test_evidence_is_a_jpeg_that_shows_the_goods_and_the_hot_place():
    image = scratched(1)
    heat = np.zeros((320, 320), np.float32)
    heat[200:260, 80:200] = 1.0
    shown = decode_frame(heatmap_jpeg(image, heat), name="evidence.jpg")
    assert shown.shape == image.shape
    change = np.abs(shown.astype(int) - image.astype(int)).mean(axis=2)
    assert change[:180].mean() < 8
    assert change[205:255, 85:195].mean() > 40


def test_evidence_of_a_large_frame_is_made_smaller():
    image = np.full((3000, 4000, 3), 128, np.uint8)
    shown = decode_frame(heatmap_jpeg(image, np.zeros((3000, 4000), np.float32)), name="x")
    assert shown.shape[0] * shown.shape[1] <= 1280 * 960 * 1.01


def test_half_heat_is_the_limit():
    strange = np.array([[3.0, 0.0], [0.0, 6.0]], np.float32)
    heat = heatmap(strange, 3.0, 2, 2)
    assert heat.tolist() == [[0.5, 0.0], [0.0, 1.0]]


def test_regions_are_in_pixels_of_the_frame_and_the_strangest_comes_first():
    strange = np.zeros((32, 64), np.float32)
    strange[2:4, 10:13] = 5.0
    strange[20, 40] = 9.0
    first, second = regions(strange, 4.0, width_px=1280, height_px=640)
    assert (first.x_px, first.y_px, first.width_px, first.height_px) == (800, 400, 20, 20)
    assert first.score == 9.0
    assert (second.x_px, second.y_px, second.width_px, second.height_px) == (200, 40, 60, 40)


def test_at_most_eight_regions_are_told():
    strange = np.zeros((32, 32), np.float32)
    strange[::4, ::4] = 5.0
    assert len(regions(strange, 1.0, width_px=320, height_px=320)) == MOST_REGIONS
