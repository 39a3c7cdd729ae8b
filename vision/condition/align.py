"""Find an enrolled side in a frame and bring it, straightened, over its reference.

By the carton's outline, in the turn that looks most like the reference; where that is not plainly
it, also by print that recurs (ORB features and a homography by RANSAC: Rublee et al. 2011, Fischler
and Bolles 1981). Then two small steps: a homography that raises the correlation (ECC: Evangelidis and Psarakis 2008) and
a soft flow of at most a few px for board that bends. Each step is kept only if it helps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.condition.appearance import MARGIN, SOLID_STEP, Bytes, detail_of
from vision.condition.outline import Outline, find_outline

_FRAME_PX, _REFERENCE_PX = 640, 384
_FRAME_POINTS, _REFERENCE_POINTS = 900, 400
_RATIO = 0.8
_RANSAC_PX = 4.0
_LEAST_INLIERS = 12
_LEAST_SPREAD = 0.12
"""Of the side's area within the hull of the features that agree."""
_LIKE_BY_PRINT, _LIKE_BY_OUTLINE = 0.35, 0.15
_PLAINLY = 0.6
"""As like its reference as this, and the print need not be searched."""
_SHAPES_AGREE = 1.25
_BUSY_BYTES, _BUSY_SHARE = 32, 0.03
_MOST_STEP = 0.06
"""Of the side, how far ECC may move a corner."""
_MOST_FLOW_PX = 4.0
_TOO_FINE = 2.0
_LEAST_SINE = 0.15
"""A side seen under less than about nine degrees is a sliver."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reference:
    """`points` (k, 2) in canvas px with ORB `descriptors` (k, 32); `detail` (h, w) of the anchor."""

    points: NDArray[np.float32]
    descriptors: Bytes
    detail: Bytes

    @property
    def busy(self) -> bool:
        """Whether there is print enough to tell this side from another one."""
        strong = np.abs(self.detail.astype(np.int16) - 128) > _BUSY_BYTES
        return float(strong.mean()) > _BUSY_SHARE


@dataclass(frozen=True, eq=False)
class View:
    """One frame, looked over once for all sides; features only when the outline is not enough."""

    frame: Bytes
    outline: Outline | None

    @cached_property
    def features(self) -> tuple[NDArray[np.float32], Bytes]:
        """Points (n, 2) in frame px and their descriptors (n, 32)."""
        scale = min(1.0, _FRAME_PX / max(self.frame.shape[:2]))
        small = cv2.resize(self.frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        points, descriptors = _features(np.asarray(small, np.uint8), _FRAME_POINTS)
        return (points + 0.5) / scale - 0.5, descriptors


@dataclass(frozen=True, slots=True)
class Placed:
    """`to_frame` (3, 3) takes canvas px to frame px. `side` (h, w, 3) is the straightened side,
    `solid` its silhouette or None. `likeness` -1..1 to the reference. `resolution` frame px for
    one canvas px where the side is seen worst. `by_outline`: found by its shape, not by its print.
    """

    to_frame: Matrix
    side: Bytes
    solid: Bytes | None
    likeness: float
    resolution: float
    by_outline: bool


def look_over(frame: Bytes) -> View:
    """The outline of a (h, w, 3) BGR frame, and its features should they be asked for."""
    return View(frame, find_outline(frame))


def reference_of(side: Bytes) -> Reference:
    """What later frames are brought over, from a straightened (h, w, 3) BGR side."""
    height, width = side.shape[:2]
    scale = _REFERENCE_PX / max(height, width)
    large = cv2.resize(side, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    points, descriptors = _features(np.asarray(large, np.uint8), _REFERENCE_POINTS)
    return Reference((points + 0.5) / scale - 0.5, descriptors, detail_of(_grey(side)))


def place(
    view: View, reference: Reference, *, corners: NDArray[np.float32] | None = None
) -> Placed | None:
    """Where the side lies in the view; None where it is not seen. `corners` (4, 2) in frame px,
    clockwise from the side's top left, are taken as they are but for a small correction.
    """
    height, width = reference.detail.shape
    if corners is not None:
        known = from_corners(corners, width, height)
        start = _likeness(view.frame, known, reference), known
        likeness, to_frame = _refined(view.frame, start, reference)
        return placed_at(view, to_frame, reference, likeness=likeness)
    best: tuple[float, Matrix, bool] | None = None
    if view.outline is not None:
        least = _LIKE_BY_OUTLINE if reference.busy else -1.0
        for turn in _turns(view.outline.corners, width, height):
            likeness = _likeness(view.frame, turn, reference)
            if likeness > (least if best is None else best[0]):
                best = likeness, turn, True
    if best is None or best[0] < _PLAINLY:
        found = _by_print(view, reference)
        likeness = -1.0 if found is None else _likeness(view.frame, found, reference)
        if found is not None and likeness > (_LIKE_BY_PRINT if best is None else best[0]):
            best = likeness, found, False
    if best is None:
        return None
    likeness, to_frame = _refined(view.frame, best[:2], reference)
    return placed_at(view, to_frame, reference, likeness=likeness, by_outline=best[2])


def placed_at(
    view: View,
    to_frame: Matrix,
    reference: Reference,
    *,
    likeness: float = 1.0,
    by_outline: bool = False,
) -> Placed:
    """The side straightened by a homography that is already known; bent board settled softly."""
    height, width = reference.detail.shape
    side = _settled(straightened(view.frame, to_frame, width, height), reference)
    return Placed(
        to_frame=to_frame,
        side=side,
        solid=_solid(view.outline, to_frame, width, height),
        likeness=likeness,
        resolution=min(_resolutions(to_frame, width, height)),
        by_outline=by_outline,
    )


def from_corners(corners: NDArray[np.float32], width: int, height: int) -> Matrix:
    """Canvas px -> frame px for the side's corners (4, 2), clockwise from its top left."""
    return np.asarray(cv2.getPerspectiveTransform(_canvas(width, height), corners), np.float64)


def straightened(frame: Bytes, to_frame: Matrix, width: int, height: int) -> Bytes:
    """(height, width, 3) of the frame under a homography from canvas to frame.

    A frame much finer than the canvas is halved first, so that nothing is skipped over.
    """
    matrix = to_frame
    if max(_resolutions(to_frame, width, height)) >= _TOO_FINE:
        frame = np.asarray(
            cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix = np.diag([0.5, 0.5, 1.0]) @ to_frame
    return _warped(frame, matrix, width, height, cv2.BORDER_REPLICATE)


def _warped(picture: Bytes, matrix: Matrix, width: int, height: int, border: int) -> Bytes:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpPerspective(picture, matrix, (width, height), flags=flags, borderMode=border),
        np.uint8,
    )


def _features(picture: Bytes, most: int) -> tuple[NDArray[np.float32], Bytes]:
    found, descriptors = cv2.ORB.create(nfeatures=most, fastThreshold=12).detectAndCompute(
        _grey(picture), None
    )
    if descriptors is None:
        return np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8)
    points = np.array([point.pt for point in found], np.float32)
    return points, np.asarray(descriptors, np.uint8)


def _grey(picture: Bytes) -> Bytes:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _by_print(view: View, reference: Reference) -> Matrix | None:
    points, descriptors = view.features
    if min(len(reference.points), len(points)) < _LEAST_INLIERS:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(reference.descriptors, descriptors, k=2)
    good = [
        a for a, b in (pair for pair in pairs if len(pair) > 1) if a.distance < _RATIO * b.distance
    ]
    if len(good) < _LEAST_INLIERS:
        return None
    canvas = reference.points[[match.queryIdx for match in good]]
    seen = points[[match.trainIdx for match in good]]
    cv2.setRNGSeed(0)
    reach = _RANSAC_PX * max(view.frame.shape[:2]) / _FRAME_PX
    found, inliers = cv2.findHomography(canvas, seen, cv2.RANSAC, reach)
    # The stubs hide that None comes back where nothing is found.
    if np.ndim(found) == 0 or int(np.sum(inliers)) < _LEAST_INLIERS:
        return None
    matrix = np.asarray(found, np.float64)
    height, width = reference.detail.shape
    hull = cv2.convexHull(canvas[np.ravel(inliers) > 0])
    if cv2.contourArea(hull) < _LEAST_SPREAD * width * height:
        return None
    return matrix if _sane(matrix, width, height) else None


def _sane(matrix: Matrix, width: int, height: int) -> bool:
    """Convex, not mirrored, not a sliver."""
    corners = _moved(matrix, _canvas(width, height))
    if not np.isfinite(corners).all() or not cv2.isContourConvex(corners.astype(np.float32)):
        return False
    if cv2.contourArea(corners.astype(np.float32), True) <= 0:
        return False
    finest, coarsest = (
        max(_resolutions(matrix, width, height)),
        min(_resolutions(matrix, width, height)),
    )
    return coarsest > _LEAST_SINE * finest


def _canvas(width: int, height: int) -> NDArray[np.float32]:
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - 0.5


def _moved(matrix: Matrix, points: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(cv2.perspectiveTransform(points[None].astype(np.float64), matrix)[0])


def _resolutions(matrix: Matrix, width: int, height: int) -> list[float]:
    """Frame px for one canvas px in the worst and best direction at centre and corners."""
    found = []
    for x, y in ((0, 0), (width, 0), (width, height), (0, height), (width / 2, height / 2)):
        at = np.array([(x, y), (x + 1, y), (x, y + 1)], np.float32)
        here, right, down = _moved(matrix, at)
        found += [float(s) for s in np.linalg.svd(np.stack([right - here, down - here]))[1]]
    return found


def _turns(corners: NDArray[np.float32], width: int, height: int) -> Iterator[Matrix]:
    """The homographies that lay the canvas on the outline, in each turn that fits its shape."""
    edges = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    across, down = (edges[0] + edges[2]) / 2, (edges[1] + edges[3]) / 2
    for turn in range(4):
        wide, high = (across, down) if turn % 2 == 0 else (down, across)
        shape = (wide / max(high, 1.0)) / (width / height)
        if 1 / _SHAPES_AGREE < shape < _SHAPES_AGREE:
            yield from_corners(np.roll(corners, -turn, axis=0), width, height)


def _likeness(frame: Bytes, matrix: Matrix, reference: Reference) -> float:
    """Correlation of the straightened side's detail with the reference's, at half size."""
    height, width = reference.detail.shape
    half = matrix @ np.diag([2.0, 2.0, 1.0])
    seen = detail_of(_grey(_warped(frame, half, width // 2, height // 2, cv2.BORDER_REPLICATE)))
    return _correlation(seen, _half(reference.detail))


def _half(plane: Bytes) -> Bytes:
    height, width = plane.shape
    return np.asarray(
        cv2.resize(plane, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8
    )


def _correlation(one: Bytes, other: Bytes) -> float:
    soft = [cv2.GaussianBlur(part, (0, 0), 1.5) for part in (one, other)]
    return float(cv2.matchTemplate(soft[0], soft[1], cv2.TM_CCOEFF_NORMED)[0, 0])


def _refined(
    frame: Bytes, start: tuple[float, Matrix], reference: Reference
) -> tuple[float, Matrix]:
    """A homography near `start` under which the side looks more like its reference."""
    likeness, to_frame = start
    height, width = reference.detail.shape
    half = to_frame @ np.diag([2.0, 2.0, 1.0])
    seen = detail_of(_grey(_warped(frame, half, width // 2, height // 2, cv2.BORDER_REPLICATE)))
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 1e-4)
    try:
        _, moved = cv2.findTransformECC(
            _half(reference.detail), seen, np.eye(3, dtype=np.float32), cv2.MOTION_HOMOGRAPHY, stop
        )
    except cv2.error:  # it does not converge where there is hardly any print
        return start
    step = np.asarray(moved, np.float64)
    canvas = _canvas(width // 2, height // 2)
    if np.abs(_moved(step, canvas) - canvas).max() > _MOST_STEP * width / 2:
        return start
    better = half @ step @ np.diag([0.5, 0.5, 1.0])
    now = _likeness(frame, better, reference)
    return (now, better) if now > likeness else start


def _settled(side: Bytes, reference: Reference) -> Bytes:
    """The side after a soft flow of at most a few px towards its reference."""
    height, width = side.shape[:2]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST).calc(
        reference.detail, detail_of(_grey(side)), np.zeros((height, width, 2), np.float32)
    )
    small = cv2.resize(flow, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(np.clip(small, -_MOST_FLOW_PX, _MOST_FLOW_PX), (0, 0), 1.5)
    soft = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.asarray(
        cv2.remap(
            side,
            x + soft[:, :, 0],
            y + soft[:, :, 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def _solid(outline: Outline | None, to_frame: Matrix, width: int, height: int) -> Bytes | None:
    """The silhouette over the side and a margin around it, at a quarter of the canvas."""
    if outline is None:
        return None
    columns, rows = (round(length * (1 + 2 * MARGIN) / SOLID_STEP) for length in (width, height))
    to_canvas = np.array(
        [
            [SOLID_STEP, 0.0, -MARGIN * width],
            [0.0, SOLID_STEP, -MARGIN * height],
            [0.0, 0.0, 1.0],
        ]
    )
    to_mask = np.diag([outline.scale, outline.scale, 1.0]) @ to_frame @ to_canvas
    return _warped(outline.mask, to_mask, columns, rows, cv2.BORDER_CONSTANT)
