"""Which series stand together: of one device, else of one place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from telemetry.describing.series import Series


class Neighbours:
    """An index over the book. `latest_us` holds the time of the newest reading by number."""

    def __init__(self, book: Iterable[Series], latest_us: Sequence[int]) -> None:
        self._latest_us = latest_us
        self._of_device: dict[tuple[str, str], list[Series]] = {}
        self._of_place: dict[tuple[str, str], list[Series]] = {}
        self._around: dict[tuple[str, str], list[Series]] = {}
        for series in book:
            self.add(series)

    def add(self, series: Series) -> None:
        if series.retired:
            return
        quantity = series.key.quantity
        self._of_device.setdefault((series.key.device, quantity), []).append(series)
        self._around.setdefault(("device", series.key.device), []).append(series)
        if series.place:
            self._around.setdefault(("place", series.place), []).append(series)
            self._of_place.setdefault((series.place, quantity), []).append(series)

    def around(self, series: Series) -> list[Series]:
        """Every series of its device and of its place."""
        found = [*self._around.get(("device", series.key.device), ())]
        if series.place:
            found += self._around.get(("place", series.place), ())
        return found

    def of(self, series: Series, quantity: str) -> int | None:
        """The number of the series of `quantity` beside `series`, the one with the newest reading;
        None where there is none.
        """
        if quantity == series.key.quantity:
            return series.number
        near = self._of_device.get((series.key.device, quantity)) or self._of_place.get(
            (series.place, quantity)
        )
        if not near:
            return None
        return max(near, key=lambda one: (self._latest_us[one.number], one.key)).number
