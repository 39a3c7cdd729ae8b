"""Every line that can be drawn, by a small number: hot loops index lists, never hash names.

Numbers hold for the life of the process only. What is kept on disk says the SeriesKey.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
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

    def put(
        self,
        key: SeriesKey,
        unit: str,
        *,
        site: str = "",
        place: str = "",
        calibration: Calibration = _NOT_TOLD,
        template: str = "",
        precision: float = 0.0,
    ) -> int:
        """The number of a series, new at the end, with what is now known of it."""
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._series)
            self._series.append(
                Series(number, key, unit, site, place, calibration, template, precision)
            )
        else:
            self._series[number] = Series(
                number, key, unit, site, place, calibration, template, precision
            )
        return number

    def retire_all_but(self, kept: Collection[int]) -> None:
        """What is not `kept` is no longer in the book; its number stays taken."""
        for number, one in enumerate(self._series):
            if number not in kept and not one.retired:
                self._series[number] = replace(one, retired=True)
