"""Where a side is not looked at: labels, which differ from carton to carton."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.geometry import Quad
from vision.condition.band import GRID_STEP, Changes

_LEAST_CARTONS = 6
_DIFFER_BYTES = 16.0
_DIFFER_SHARE = 0.25
_REACH = 5

Labels = tuple[Sequence[Quad], NDArray[np.float64]]
"""Label corners in frame px, with the homography from canvas to frame."""


def polygons(labels: Sequence[Labels], height: int, width: int) -> NDArray[np.bool_]:
    """(h/4, w/4), true where a label lies on any of the cartons."""
    covered = np.zeros((height // GRID_STEP, width // GRID_STEP), np.uint8)
    for quads, to_frame in labels:
        back = np.linalg.inv(to_frame)
        for quad in quads:
            corners = cv2.perspectiveTransform(np.array([quad], np.float64), back)[0]
            cv2.fillConvexPoly(covered, np.rint(corners / GRID_STEP).astype(np.int32), 1)
    return _grown(covered)


def restless(seen: Sequence[tuple[str, Changes]]) -> NDArray[np.bool_]:
    """(rows, columns), true where a quarter of the good cartons lie outside all the others.

    `seen`: carton and its leave-one-out changes. One spoilt carton masks nothing. Below six
    cartons nothing is masked: labels must then be named.
    """
    cartons = list(dict.fromkeys(name for name, _ in seen))
    rows, columns = seen[0][1].detail.shape
    if len(cartons) < _LEAST_CARTONS:
        return np.zeros((rows, columns), np.bool_)
    differing = np.zeros((rows, columns), np.float32)
    for carton in cartons:
        own = [found.detail > _DIFFER_BYTES for name, found in seen if name == carton]
        differing += np.any(own, axis=0)
    mask = (differing >= _DIFFER_SHARE * len(cartons)).astype(np.uint8)
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((_REACH, _REACH), np.uint8))
    contours, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros((rows, columns), np.uint8)
    for contour in contours:
        cv2.fillConvexPoly(whole, cv2.convexHull(contour), 1)
    return _grown(whole)


def _grown(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(mask, np.ones((_REACH, _REACH), np.uint8)), np.bool_)
