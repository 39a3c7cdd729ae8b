"""The picture kept as evidence: the frame, its heatmap over it, and what was found in boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.geometry import Region

_MOST_AREA_PX = 1280 * 960
_QUALITY = 85
_COLD = 0.25
"""Below half of the limit nothing is tinted: evidence shows the goods, not the colours."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FRAME, _INK, _PAPER = (60, 60, 255), (255, 255, 255), (30, 30, 30)
_LETTERS_OF_SIDE = 1 / 1100
_MARGIN_PX = 3


def heatmap_jpeg(
    image: NDArray[np.uint8], heatmap: NDArray[np.float32], *, regions: Sequence[Region] = ()
) -> bytes:
    """JPEG bytes of (h, w, 3) BGR with (h, w) in 0..1 over it; at most about 1280 x 960 px.

    Each of `regions`, in pixels of the frame, gets a box with its class, and its size where the
    camera's scale is known. The words are codes, the same in every language.
    """
    scale = min(1.0, math.sqrt(_MOST_AREA_PX / heatmap.size))
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(
            np.uint8
        )
    height, width = image.shape[:2]
    heat = cv2.resize(heatmap, (width, height), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    weight = np.clip((heat - _COLD) / (1 - _COLD), 0.0, 0.75)[:, :, None]
    mixed = (image * (1 - weight) + colours * weight).astype(np.uint8)
    # The strangest come first: drawn last, its words stay readable.
    for region in reversed(regions):
        _draw(mixed, region, scale)
    done, jpeg = cv2.imencode(".jpg", mixed, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise RuntimeError("OpenCV could not write a JPEG")
    return bytes(jpeg)


def words_of(region: Region) -> str:
    """What stands at a box: `crack`, or `crack 12.4 x 0.8 mm`."""
    if region.mm is None:
        return region.kind
    return f"{region.kind} {region.mm.width:.1f} x {region.mm.height:.1f} mm"


def _draw(picture: NDArray[np.uint8], region: Region, scale: float) -> None:
    height, width = picture.shape[:2]
    letters = max(0.4, max(height, width) * _LETTERS_OF_SIDE)
    line = max(1, round(letters * 2))
    left, top = round(region.x_px * scale), round(region.y_px * scale)
    right = round((region.x_px + region.width_px) * scale)
    bottom = round((region.y_px + region.height_px) * scale)
    cv2.rectangle(picture, (left, top), (right, bottom), _FRAME, line)
    words = words_of(region)
    (wide, high), below = cv2.getTextSize(words, _FONT, letters, 1)
    tall = high + below + 2 * _MARGIN_PX
    # Above the box, else below it, and never beyond the picture.
    y = top - tall if top >= tall else min(bottom, height - tall)
    x = max(0, min(left, width - wide - 2 * _MARGIN_PX))
    cv2.rectangle(picture, (x, y), (x + wide + 2 * _MARGIN_PX, y + tall), _PAPER, -1)
    cv2.putText(
        picture,
        words,
        (x + _MARGIN_PX, y + _MARGIN_PX + high),
        _FONT,
        letters,
        _INK,
        1,
        cv2.LINE_AA,
    )
