"""What reading needs from outside: something that finds lines of text and reads them.

Our own pipeline (`lines.OwnLines`) is one; a foreign reader in a process of its own is another.
Whatever it is, weighing and deciding are the same, and one contract suite runs over all of them
(tests/vision/reading/test_line_readers.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vision.reading.recogniser import ReadLine


class LineReader(Protocol):
    """Finds and reads the lines of a frame. Safe to call from several threads at once."""

    @property
    def variant(self) -> str:
        """On what it runs, as a model set's manifest names it (I3)."""
        ...

    def lines(self, frame: NDArray[np.uint8]) -> tuple[ReadLine, ...]:
        """The lines of `frame` (h, w, 3) uint8 BGR, each with its box in frame pixels and with
        glyphs over the model set's charset. Empty where there is no text.

        Raises UnavailableError where the reader does not answer; nothing of the frame is kept.
        """
        ...

    def again(self, frame: NDArray[np.uint8], lines: Sequence[ReadLine]) -> tuple[ReadLine, ...]:
        """A second opinion, by another network, on those of `lines` that look like codes; asked
        where the first leaves doubts. Empty where there is none.
        """
        ...
