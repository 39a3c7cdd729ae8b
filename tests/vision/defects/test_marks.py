"""A box around a crack -> the crack."""

from __future__ import annotations

import cv2
import numpy as np

from vision.defects.marks import mask_in_boxes


def test_of_a_box_the_dark_line_is_taken_and_nothing_outside_it():
    ground = np.random.default_rng(1).normal(150, 3, (200, 300)).astype(np.uint8)
    line = np.zeros(ground.shape, np.uint8)
    cv2.line(line, (60, 50), (140, 120), 1, 2)
    cv2.line(line, (200, 20), (280, 180), 1, 2)
    image = cv2.cvtColor(np.where(line == 1, np.uint8(60), ground), cv2.COLOR_GRAY2BGR)
    mask = mask_in_boxes(image, [(100 / 300, 85 / 200, 100 / 300, 90 / 200)])
    assert not mask[:, 160:].any()
    assert mask[line.astype(bool) & (np.arange(300) < 160)].mean() > 0.8
    assert mask.sum() < 2 * line[:, :160].sum()


def test_a_box_without_a_line_is_taken_whole_and_one_outside_the_picture_is_cut():
    image = np.full((100, 100, 3), 120, np.uint8)
    assert mask_in_boxes(image, [(0.5, 0.5, 0.2, 0.2)]).sum() == 400
    assert mask_in_boxes(image, [(1.0, 1.0, 0.2, 0.2)]).sum() == 100
    assert not mask_in_boxes(image, [(3.0, 3.0, 0.2, 0.2)]).any()
