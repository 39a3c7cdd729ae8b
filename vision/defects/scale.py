"""Two measures of strangeness in one unit, so that the stranger one decides.

A measure is shown as robust deviations from the typical good item: 0 is typical, 3 is rare among
good ones when their tails are ordinary. What counts as too much is not read off this unit but set
by rank (vision.defects.conformal).
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NORMAL = 1.4826
"""Median absolute deviation -> standard deviation of a normal distribution."""
_LEAST_SHARE = 0.02
_FEW = 5
_SHARE_OF_FEW = 0.1


@dataclass(frozen=True, slots=True)
class Scale:
    typical: float
    deviation: float

    def of(self, value: float) -> float:
        return (value - self.typical) / self.deviation

    def over(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled: NDArray[np.float32] = (values - np.float32(self.typical)) / np.float32(
            self.deviation
        )
        return scaled


def scale_of(values: Sequence[float]) -> Scale:
    """The scale of the good items' measures; a tenth of the typical one where they are few."""
    typical = statistics.median(values)
    if len(values) < _FEW:
        return Scale(typical, max(_SHARE_OF_FEW * typical, 1e-6))
    spread = statistics.median(abs(value - typical) for value in values)
    return Scale(typical, max(_NORMAL * spread, _LEAST_SHARE * typical, 1e-6))
