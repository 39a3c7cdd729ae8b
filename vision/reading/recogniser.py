"""Read one line: crop, network, glyphs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.engine import Engine
from vision.reading.crops import normalise, rectify
from vision.reading.ctc import Charset, Glyphs, collapse, greedy


@dataclass(frozen=True, slots=True)
class RecogniserSettings:
    """Levels are grey values 0..255, the margin is in line heights, `trace` a probability."""

    margin: float = 0.05
    mean: float = 140.0
    spread: float = 30.0
    trace: float = 0.15


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One line as read; `box` (5,) as vision.reading.detector has them."""

    box: NDArray[np.float64]
    glyphs: Glyphs
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Recogniser:
    engine: Engine
    charset: Charset
    settings: RecogniserSettings

    def read(self, image: NDArray[np.uint8], box: NDArray[np.float64]) -> ReadLine:
        crop = rectify(image, box, margin=self.settings.margin)
        batch = normalise(crop, mean=self.settings.mean, spread=self.settings.spread)
        steps = self.engine.run(batch)[0][0] @ self.charset.fold
        glyphs = collapse(steps, trace=self.settings.trace)
        text, confidence = greedy(glyphs, self.charset)
        return ReadLine(box, glyphs, text, confidence)
