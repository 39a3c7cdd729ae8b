"""From examples to lines that teach: a picture of just the value, and the text that is printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.learning.cutting import from_png, place_box
from appliance.learning.example import Example
from appliance.learning.locate import best_places
from vision.reading.crops import rectify

_MARGIN = 0.05
"""In line heights, as recognisers have it."""


@dataclass(frozen=True)
class TeachingLine:
    """`kept` is the line as the station kept it, `box` (5,) the value's place in it. `seen` tells
    for each character of `text` whether the reader made anything of it.
    """

    field: str
    text: str
    seen: tuple[bool, ...]
    kept: NDArray[np.uint8]
    box: NDArray[np.float64]
    index: int = 0
    """Of the line among the example's."""
    start: int = 0
    """The value's first character in the line as it was read."""

    def crop(self) -> NDArray[np.uint8]:
        """(48, w, 3) as the recogniser is given it."""
        return rectify(self.kept, self.box, margin=_MARGIN)


def teaching_lines(example: Example) -> Iterator[TeachingLine]:
    """Every place of a true field in the example's lines. A crop that is no picture teaches
    nothing.
    """
    lines = [kept.line for kept in example.lines]
    for index, places in best_places(example.truth, lines).items():
        try:
            kept = from_png(example.lines[index].crop)
        except ValueError:
            continue
        for place in places:
            box = place_box(kept, lines[index], place)
            yield TeachingLine(place.field, place.text, place.seen, kept, box, index, place.start)
