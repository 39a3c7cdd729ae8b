"""A picture with its codes framed and named, to look at: on a screen that only has pictures."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.shelf.types import CodeState, ReadCode, ShelfReading

# BGR, as the pages' verdict colours: green, violet, blue, amber (never colour alone: words stand beside).
_COLOURS = {
    CodeState.CONFIRMED: (80, 160, 40),
    CodeState.OFF_LIST: (190, 70, 150),
    CodeState.READ: (190, 120, 30),
    CodeState.UNREAD: (0, 140, 230),
}
_FONT, _SCALE, _THICK = cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1


def overlay(
    frame: NDArray[np.uint8],
    reading: ShelfReading,
    names: Mapping[str, str] | None = None,
) -> NDArray[np.uint8]:
    """A copy (h, w, 3) BGR of `frame` with each code framed in its state's colour and named;
    `names` by the product's 14 digits. Letters outside ASCII are shown as `?`: names in Chinese
    belong on the page, whose fonts have them.
    """
    grey = frame.ndim == 2  # noqa: PLR2004 -- no colours
    copy = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR) if grey else frame.copy()
    drawn = np.asarray(copy, dtype=np.uint8)
    for each in (*reading.codes, *reading.unread):
        colour = _COLOURS[each.state]
        corners = np.array(each.quad, dtype=np.float64).round().astype(np.int32)
        cv2.polylines(drawn, [corners], isClosed=True, color=colour, thickness=2)
        _tag(drawn, corners, _words(each, names or {}), colour)
    return drawn


def _words(each: ReadCode, names: Mapping[str, str]) -> str:
    match each.state:
        case CodeState.CONFIRMED:
            return names.get(each.product, each.product)
        case CodeState.OFF_LIST:
            return f"not on the list: {each.text}"
        case CodeState.READ:
            return each.text
        case CodeState.UNREAD if each.candidates:
            first = each.candidates[0]
            return f"perhaps {names.get(first.gtin, first.gtin)}?"
        case _:
            return "not read"


def _tag(
    drawn: NDArray[np.uint8], corners: NDArray[np.int32], words: str, colour: tuple[int, int, int]
) -> None:
    """Words on a bar above the code, or below it where there is no room."""
    text = words.encode("ascii", "replace").decode("ascii")[:40]
    (w, h), base = cv2.getTextSize(text, _FONT, _SCALE, _THICK)
    x = int(np.clip(corners[:, 0].min(), 0, max(0, drawn.shape[1] - w - 6)))
    top = int(corners[:, 1].min()) - h - base - 6
    y = top if top >= 0 else int(corners[:, 1].max()) + 4
    cv2.rectangle(drawn, (x, y), (x + w + 6, y + h + base + 4), colour, -1)
    cv2.putText(
        drawn, text, (x + 3, y + h + 2), _FONT, _SCALE, (255, 255, 255), _THICK, cv2.LINE_AA
    )
