"""What is kept of a judgement: a picture that a person understands later."""

from __future__ import annotations

import numpy as np

from contracts.geometry import BoxMm, Region
from tests.vision.defects.conftest import scratched
from vision.defects.evidence import heatmap_jpeg, words_of
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


def test_a_thin_crack_seen_in_pieces_is_one_region_of_its_class_in_millimetres():
    patches = np.zeros((32, 32), np.float32)
    cracks = np.zeros((160, 160), np.float32)
    cracks[80, 20:60] = 6.0
    cracks[80, 64:100] = 8.0
    (region,) = regions(patches, 4.0, 640, 640, cracks=cracks, mm_per_px=0.25)
    assert (region.x_px, region.y_px, region.width_px, region.height_px) == (80, 320, 320, 4)
    assert region.kind == "crack"
    assert region.score == 8.0
    assert region.mm == BoxMm(20.0, 80.0, 80.0, 1.0)


def test_what_patches_find_stranger_than_cracks_is_an_anomaly():
    patches = np.zeros((32, 32), np.float32)
    patches[10:12, 10:12] = 9.0
    cracks = np.full((64, 64), -2.0, np.float32)
    cracks[50, 40:60] = 5.0
    first, second = regions(patches, 4.0, 256, 256, cracks=cracks)
    assert (first.kind, first.x_px, first.width_px, first.mm) == ("anomaly", 80, 16, None)
    assert (second.kind, second.y_px) == ("crack", 200)


def test_evidence_names_what_was_found_and_how_large_it_is():
    image = np.full((480, 640, 3), 128, np.uint8)
    cold = np.zeros((480, 640), np.float32)
    region = Region(300, 200, 80, 40, 7.0, kind="dent", mm=BoxMm(75.0, 50.0, 20.0, 10.0))
    assert words_of(region) == "dent 20.0 x 10.0 mm"
    at_the_rim = Region(600, 0, 40, 480, 6.0)
    shown = decode_frame(heatmap_jpeg(image, cold, regions=[region, at_the_rim]), name="x")
    change = np.abs(shown.astype(int) - 128).max(axis=2)
    assert change[200, 310:370].min() > 60
    assert change[215:225, 310:370].max() < 40
    assert change[170:198, 300:450].max() > 60
