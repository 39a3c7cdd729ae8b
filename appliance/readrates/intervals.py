"""A share with what its count allows one to say, so that 0 of 12 does not look like 0 % (I7)."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

_Z = 1.959963984540054
"""Two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `total`. Between `low` and `high` with 95 % (Wilson, J. Am. Stat. Assoc. 22, 1927);
    0 to 1 where nothing was counted.
    """

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        """In [0, 1]; None where nothing was counted."""
        return self.hits / self.total if self.total else None

    @property
    def low(self) -> float:
        return self._bounds()[0]

    @property
    def high(self) -> float:
        return self._bounds()[1]

    def _bounds(self) -> tuple[float, float]:
        if not self.total:
            return 0.0, 1.0
        n, p, zz = self.total, self.hits / self.total, _Z * _Z
        middle = (p + zz / (2 * n)) / (1 + zz / n)
        half = _Z / (1 + zz / n) * sqrt(p * (1 - p) / n + zz / (4 * n * n))
        low = 0.0 if self.hits == 0 else max(0.0, middle - half)
        high = 1.0 if self.hits == self.total else min(1.0, middle + half)
        return low, high
