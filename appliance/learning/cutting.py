"""Cut a line out of a picture to keep it, and paint over what must not be kept.

A kept line is upright and `HEIGHT_PX` high with `MARGIN` line heights around it, so that a later
recogniser may cut it again in its own way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.learning.example import SeenLine
from appliance.learning.locate import Place
from contracts.geometry import Quad

HEIGHT_PX = 64
MARGIN = 0.15
"""In line heights, on each side."""
_MOST_WIDTH_PX = 2048
_PAINT_MARGIN = 0.3
_ROOM = 0.75
"""Of a character's pitch, from its middle to the end of a line."""

Image = NDArray[np.uint8]


def cut_line(image: Image, quad: Quad) -> Image:
    """The line in `quad` of `image` (h, w, 3) as (HEIGHT_PX, w, 3)."""
    corners = _grown(quad, MARGIN)
    along = float(np.linalg.norm(corners[1] - corners[0]))
    across = float(np.linalg.norm(corners[3] - corners[0]))
    width = int(np.clip(round(HEIGHT_PX * along / max(across, 1e-6)), 16, _MOST_WIDTH_PX))
    target = np.array([[0, 0], [width, 0], [0, HEIGHT_PX]], dtype=np.float32)
    matrix = cv2.getAffineTransform(corners[[0, 1, 3]].astype(np.float32) - 0.5, target - 0.5)
    crop = cv2.warpAffine(
        image,
        matrix,
        (width, HEIGHT_PX),
        flags=cv2.INTER_CUBIC if across < HEIGHT_PX else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(crop, dtype=np.uint8)


def line_box(crop: Image) -> NDArray[np.float64]:
    """The whole line in a kept crop, as a box (5,) of vision.reading.detector."""
    height, width = crop.shape[:2]
    line = height / (1 + 2 * MARGIN)
    return np.array([width / 2, height / 2, max(width - 2 * MARGIN * line, 1.0), line, 0.0])


def place_box(crop: Image, line: SeenLine, place: Place) -> NDArray[np.float64]:
    """Where `place` of `line` stands in its kept crop: a box (5,), cut between characters."""
    whole = line_box(crop)
    at = _centres(line)
    pitch = _pitch(at, len(line.text))
    left, right = at[place.start] - pitch * _ROOM, at[place.end - 1] + pitch * _ROOM
    if place.lead:
        left = at[place.start] - pitch * (place.lead + 0.5)
    elif place.start > 0:
        before = place.start - 1
        left = at[place.start] - _share(line.text[before]) * (at[place.start] - at[before])
    if place.trail:
        right = at[place.end - 1] + pitch * (place.trail + 0.5)
    elif place.end < len(at):
        right = at[place.end - 1] + _share(line.text[place.end]) * (
            at[place.end] - at[place.end - 1]
        )
    # A finder's box may be tight; the margin of the kept line is print, too.
    room = MARGIN * whole[3] / whole[2]
    left, right = max(left, -room), min(right, 1.0 + room)
    start = whole[0] - whole[2] / 2
    return np.array(
        [start + whole[2] * (left + right) / 2, whole[1], whole[2] * (right - left), whole[3], 0.0]
    )


def painted(image: Image, quads: Iterable[Quad]) -> Image:
    """A copy with the inside of every quad filled by its own mean colour: nothing can be read or
    restored there, unlike under a blur.
    """
    out = image.copy()
    for quad in quads:
        corners = np.round(_grown(quad, _PAINT_MARGIN)).astype(np.int32)
        mask = np.zeros(image.shape[:2], dtype=np.uint8)
        cv2.fillConvexPoly(mask, corners, 255)
        colour = cv2.mean(image, mask)[:3]
        cv2.fillConvexPoly(out, corners, colour)
    return out


def label_area(image: Image, quads: Sequence[Quad]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of all lines with a line height around them, inside the picture."""
    points = np.array([corner for quad in quads for corner in _grown(quad, 1.0)])
    height, width = image.shape[:2]
    low = np.clip(np.floor(points.min(axis=0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), 1, (width, height)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def png(image: Image) -> bytes:
    done, data = cv2.imencode(".png", image)
    assert done  # noqa: S101 -- OpenCV encodes every 8-bit picture
    return data.tobytes()


def from_png(data: bytes) -> Image:
    """Raises ValueError for bytes that are no picture."""
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("a kept crop is no picture")
    return np.asarray(image, dtype=np.uint8)


def _grown(quad: Quad, margin: float) -> NDArray[np.float64]:
    corners = np.array(quad, dtype=np.float64)
    along, across = corners[1] - corners[0], corners[3] - corners[0]
    height = float(np.linalg.norm(across))
    length = float(np.linalg.norm(along))
    right = along / max(length, 1e-6) * height * margin
    down = across * margin
    outward = np.array([-right - down, right - down, right + down, -right + down])
    return np.asarray(corners + outward, dtype=np.float64)


def _share(neighbour: str) -> float:
    """How much of the way to its neighbour belongs to a character: print is narrow beside a space."""
    if neighbour == " ":
        return 0.9
    return 0.5 if neighbour.isalnum() else 0.6


def _centres(line: SeenLine) -> list[float]:
    """The place of every character of the text along the line, 0..1."""
    shown = [glyph.at for glyph in line.glyphs if glyph.letters and glyph.letters[0][0]]
    if len(shown) == len(line.text):
        return shown
    return [(n + 0.5) / len(line.text) for n in range(len(line.text))]


def _pitch(at: Sequence[float], count: int) -> float:
    if len(at) < 2:  # noqa: PLR2004 -- a distance needs two
        return 1.0 / max(count, 1)
    return float(np.median(np.diff(at)))
