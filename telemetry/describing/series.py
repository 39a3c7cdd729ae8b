"""Every line that can be drawn, by a small number: hot loops index lists, never hash names.

Numbers hold for the life of the process only. What is kept on disk says the SeriesKey.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from contracts.telemetry import Calibration, SeriesKey

_NOT_TOLD: Final = Calibration()


@dataclass(frozen=True, slots=True)
class Series:
    """What is known of one line beside its values."""

    number: int
    key: SeriesKey
    unit: str
    """UCUM code as SenML writes it; the same for a quantity everywhere."""
    site: str = ""
    place: str = ""
    """Location or zone of the core that the sensor stands in; empty: not placed."""
    calibration: Calibration = _NOT_TOLD
    template: str = ""
    precision: float = 0.0
    """Smallest step that means something, in `unit`; 0: not told."""
    retired: bool = False
    """The book no longer names it: nothing is awaited of it."""


class SeriesBook:
    """Numbers and descriptions of all series met so far.

    A book made `after` another keeps its numbers, so that states indexed by number stay right when
    the catalogue is exchanged between two groups; descriptions are told anew.
    """

    def __init__(self, after: SeriesBook | None = None) -> None:
        self._series: list[Series] = list(after or ())
        self._numbers: dict[SeriesKey, int] = {one.key: one.number for one in self._series}

    def __len__(self) -> int:
        return len(self._series)

    def __getitem__(self, number: int) -> Series:
        return self._series[number]

    def __iter__(self) -> Iterator[Series]:
        return iter(self._series)

    def find(self, key: SeriesKey) -> int | None:
        """The number of a series, or None where no binding made it."""
        return self._numbers.get(key)

    def put(self, key: SeriesKey, unit: str, **known: object) -> int:
        """The number of a series, new at the end, with what is now known of it.

        `known`: site, place, calibration, template, precision of Series.
        """
        number = self._numbers.get(key, len(self._series))
        series = Series(number, key, unit, **known)  # type: ignore[arg-type]  # names of Series
        if number == len(self._series):
            self._series.append(series)
            self._numbers[key] = number
        else:
            self._series[number] = series
        return number

    def retire(self) -> None:
        """Nothing is known to be in use until it is put again."""
        self._series = [replace(one, retired=True) for one in self._series]
