"""Read one line: crop, network, glyphs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.engine import Engine
from vision.reading.crops import normalise, rectify
from vision.reading.ctc import Charset, Glyphs, characters, collapse


@dataclass(frozen=True, slots=True)
class RecogniserSettings:
    """Levels are grey values 0..255, the margin is in line heights, `trace` a probability.
    `guess`: the share of "unreadable" that goes to what the other head would say there.
    """

    margin: float = 0.05
    mean: float = 140.0
    spread: float = 30.0
    trace: float = 0.15
    guess: float = 0.5


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One line as read; `box` (5,) as vision.reading.detector has them. `sure` has a probability
    for each character of `text`, `confidence` is their mean.
    """

    box: NDArray[np.float64]
    glyphs: Glyphs
    text: str
    confidence: float
    sure: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Recogniser:
    """`charset` names the letters of the glyphs it gives, `own` the network's outputs."""

    engine: Engine
    charset: Charset
    own: Charset
    settings: RecogniserSettings
    fold: NDArray[np.float32]

    @classmethod
    def of(
        cls, engine: Engine, charset: Charset, own: Charset, settings: RecogniserSettings
    ) -> Recogniser:
        return cls(engine, charset, own, settings, charset.fold_of(own))

    def read(self, image: NDArray[np.uint8], box: NDArray[np.float64]) -> ReadLine:
        crop = rectify(image, box, margin=self.settings.margin)
        batch = normalise(crop, mean=self.settings.mean, spread=self.settings.spread)
        glyphs = self._glyphs(self.engine.run(batch))
        text, sure = characters(glyphs, self.charset)
        confidence = float(sure.mean()) if len(sure) else 0.0
        return ReadLine(box, glyphs, text, confidence, tuple(map(float, sure)))

    def _glyphs(self, outputs: tuple[NDArray[np.float32], ...]) -> Glyphs:
        """One head: characters. Two: the second admits what the first only guesses."""
        fold, trace = self.fold, self.settings.trace
        if not self.own.admits:
            return collapse(outputs[0][0] @ fold, trace=trace)
        said, admitted = outputs[0][0] @ fold, outputs[1][0]
        steps, hidden = admitted[:, :-1] @ fold, admitted[:, -1]
        share = self.settings.guess * hidden[:, None] * said[:, 1:]
        steps[:, 1:] += share
        return collapse(steps, trace=trace, hidden=hidden - share.sum(axis=1))
