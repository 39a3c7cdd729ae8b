"""Where the carton lies in a frame: what is not belt, and the four straight lines around it.

The belt is what the frame's rim shows. Lines are fitted to the outline with a loss that ignores
what is far off, so that a crushed corner does not pull the carton's corners with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_WORK_PX = 320
_RIM_SHARE = 0.03
_LEAST_CONTRAST = 14.0
_MOST_OF_RIM = 0.35
"""More of the rim that is not belt, and the carton is cut off by the frame, or there is no belt."""
_LEAST_AREA, _MOST_AREA = 0.03, 0.92
_LEAST_FILL = 0.75
_EDGE_MIDDLE = 0.8
_LEAST_EDGE_POINTS = 5


@dataclass(frozen=True, slots=True)
class Outline:
    """`corners` (4, 2) in frame px, clockwise from the top left one; `mask` (h, w) u8, 255 where
    something lies on the belt, `scale` times as large as the frame.
    """

    corners: NDArray[np.float32]
    mask: NDArray[np.uint8]
    scale: float


def find_outline(frame: NDArray[np.uint8]) -> Outline | None:
    """The one large thing on the belt of a (h, w, 3) BGR frame; None without a plain one."""
    scale = min(1.0, _WORK_PX / max(frame.shape[:2]))
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mask = _not_belt(np.asarray(small, np.uint8))
    if mask is None:
        return None
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    largest = max(contours, key=cv2.contourArea)
    area = cv2.contourArea(largest)
    around = cv2.minAreaRect(largest)
    if not _LEAST_AREA < area / mask.size < _MOST_AREA:
        return None
    if area < _LEAST_FILL * around[1][0] * around[1][1]:
        return None
    only = np.zeros_like(mask)
    cv2.drawContours(only, [largest], -1, 255, -1)
    points = largest.reshape(-1, 2).astype(np.float32)
    corners = _corners(points, cv2.boxPoints(around).astype(np.float32))
    return Outline((corners + 0.5) / scale - 0.5, only, scale)


def _not_belt(small: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (5, 5), 0), cv2.COLOR_BGR2LAB).astype(np.float32)
    rim = max(2, round(_RIM_SHARE * min(lab.shape[:2])))
    edge = np.concatenate(
        [part.reshape(-1, 3) for part in (lab[:rim], lab[-rim:], lab[:, :rim], lab[:, -rim:])]
    )
    belt = np.median(edge, axis=0).astype(np.float32)
    weight = np.array([1.0, 2.0, 2.0], np.float32)
    far = np.sqrt((((lab - belt) * weight) ** 2).sum(axis=2))
    noise = float(np.median(np.sqrt((((edge - belt) * weight) ** 2).sum(axis=1))))
    shown = np.clip(far, 0, 255).astype(np.uint8)
    otsu, _ = cv2.threshold(shown, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    # Otsu parts dark print from bright board where both differ from the belt; half of it parts
    # the belt from either.
    limit = max(_LEAST_CONTRAST, 3.0 * noise, 0.5 * float(otsu))
    mask = (far > limit).astype(np.uint8) * 255
    on_rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if on_rim.mean() > 255 * _MOST_OF_RIM:
        return None
    kernel = np.ones((5, 5), np.uint8)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel), np.uint8)


def _corners(points: NDArray[np.float32], box: NDArray[np.float32]) -> NDArray[np.float32]:
    """The corners (4, 2) of lines fitted to the points (n, 2) near each edge of `box`."""
    lines = []
    for start, end in zip(box, np.roll(box, -1, axis=0), strict=True):
        along = end - start
        length = float(np.linalg.norm(along)) or 1.0
        unit = along / length
        offset = points - start
        share = offset @ unit / length
        aside = np.abs(offset @ np.array([-unit[1], unit[0]], np.float32))
        margin = (1 - _EDGE_MIDDLE) / 2
        near = points[(share > margin) & (share < 1 - margin) & (aside < 0.12 * length + 4)]
        if len(near) < _LEAST_EDGE_POINTS:
            return clockwise(box)
        x, y, px, py = (
            float(value) for value in cv2.fitLine(near, cv2.DIST_WELSCH, 0, 0.01, 0.01).ravel()
        )
        lines.append((px, py, x, y))
    found = [_cross(lines[n - 1], lines[n]) for n in range(4)]
    corners = [point for point in found if point is not None]
    largest = float(np.abs(box - box.mean(axis=0)).max())
    if len(corners) < len(box):
        return clockwise(box)
    fitted = clockwise(np.array(corners, np.float32))
    if np.abs(fitted - clockwise(box)).max() > largest:
        return clockwise(box)
    return fitted


def _cross(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> tuple[float, float] | None:
    x1, y1, dx1, dy1 = one
    x2, y2, dx2, dy2 = other
    turn = dx1 * dy2 - dy1 * dx2
    if abs(turn) < 0.1:  # noqa: PLR2004 -- sine of six degrees: hardly two edges of one corner
        return None
    step = ((x2 - x1) * dy2 - (y2 - y1) * dx2) / turn
    return x1 + step * dx1, y1 + step * dy1


def clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Corners (4, 2) in clockwise order as seen, beginning with the one nearest the top left."""
    centre = corners.mean(axis=0)
    angles = np.arctan2(corners[:, 1] - centre[1], corners[:, 0] - centre[0])
    ordered = corners[np.argsort(angles)]
    first = int(np.argmin(ordered.sum(axis=1)))
    return np.roll(ordered, -first, axis=0).astype(np.float32)
