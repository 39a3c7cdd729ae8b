"""Readings in memory between two flushes: columns, not objects, a microsecond or less each.

The same decode as at the endpoint goes over the same bytes, so the same readings come out. What
does not decode any more (its template was taken back meanwhile) is left over with its reason, and
read again when the templates change: acknowledged bytes never get lost here (I2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from telemetry.describing.binding import Binding, Refused
from telemetry.describing.catalogue import Catalogue
from telemetry.history.levels import DAY_US

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_FAILED: Final = "decoder_failed"
_MOST_PLANS: Final = 50_000
MOST_ABROAD: Final = 1e300
"""Beyond this a float is no measurement; sums of it would not be numbers."""


class Columns(NamedTuple):
    """Readings side by side: `series` are lines of the manifest, (n,) each."""

    series: npt.NDArray[np.int32]
    at_us: Ints
    received_us: Ints
    value: Floats

    def taken(self, which: npt.NDArray[Any]) -> Columns:
        return Columns(*(column[which] for column in self))

    def sorted(self) -> Columns:
        """By series, then time; what came first stays first."""
        return self.taken(np.lexsort((self.at_us, self.series)))

    def by_day(self) -> Iterator[tuple[int, Columns]]:
        """One UTC day of measuring after the other."""
        days = self.at_us // DAY_US
        if len(days) and days.min() == days.max():
            yield int(days[0]), self
            return
        for day in np.unique(days):
            yield int(day), self.taken(days == day)


EMPTY: Final = Columns(
    np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64)
)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """One message that no template of today reads."""

    received_us: int
    address: str
    payload: bytes
    code: str
    detail: str


class Buffer:
    """Takes messages in; `drain` hands over what came since."""

    def __init__(self, line_of: Callable[[Catalogue, int, int], int]) -> None:
        """line_of: the manifest's number of a series by the catalogue's, and when it was used."""
        self._line_of = line_of
        self._plans: dict[str, tuple[Binding, tuple[int, ...]]] = {}
        self._version = ""
        self._clear()

    def _clear(self) -> None:
        self._series: list[int] = []
        self._values: list[float | None] = []
        self._at: list[int] = []
        self._received: list[int] = []
        self._widths: list[int] = []
        self._left: list[LeftOver] = []

    def take(
        self, catalogue: Catalogue, messages: Iterable[tuple[str, bytes]], received_us: int
    ) -> None:
        """Decode messages that came in together."""
        if catalogue.version != self._version:
            self._version = catalogue.version
            self._plans.clear()
        plans = self._plans
        series, values = self._series.extend, self._values.extend
        times, came, widths = self._at.append, self._received.append, self._widths.append
        for address, payload in messages:
            try:
                binding, lines = plans.get(address) or self._plan(catalogue, address, received_us)
                if binding.several is not None:
                    self._several(catalogue, address, payload, received_us)
                    continue
                at_us, _, measured = binding.decode(payload)
                if at_us is None:
                    at_us = received_us
                elif not -binding.behind_us <= at_us - received_us <= binding.ahead_us:
                    at_us = binding.time_of(at_us, received_us)
                if len(measured) != len(lines):
                    # A template with open channels: it met one more, or this message has fewer.
                    lines = self._plan(catalogue, address, received_us)[1][: len(measured)]
                series(lines)
                values(measured)
                times(at_us)
                came(received_us)
                widths(len(lines))
            except Refused as refused:
                self._left.append(
                    LeftOver(received_us, address, payload, refused.code, refused.detail)
                )
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                # A decoder that fails otherwise than it promises keeps nobody else's out.
                detail = f"{type(error).__name__}: {error}"
                self._left.append(LeftOver(received_us, address, payload, _FAILED, detail))

    def _plan(
        self, catalogue: Catalogue, address: str, received_us: int
    ) -> tuple[Binding, tuple[int, ...]]:
        """How an address is decoded, and into which lines; again where its template opened more."""
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        binding = catalogue.bind(address)
        lines = tuple(self._line_of(catalogue, number, received_us) for number in binding.series)
        plan = self._plans[address] = (binding, lines)
        return plan

    def _several(
        self, catalogue: Catalogue, address: str, payload: bytes, received_us: int
    ) -> None:
        binding, lines = self._plans[address]
        measured = binding.measured(payload)
        times = binding.times_of(measured, received_us)
        if len(binding.series) > len(lines):
            _, lines = self._plan(catalogue, address, received_us)
        for at_us, (_, _, values) in zip(times, measured, strict=True):
            self._series.extend(lines[: len(values)])
            self._values.extend(values)
            self._at.append(at_us)
            self._received.append(received_us)
            self._widths.append(len(values))

    def drain(self) -> tuple[Columns, list[LeftOver]]:
        """What was taken in since the last call, in order of arrival; values that are absent, and
        those that are not numbers, are not readings.
        """
        columns = EMPTY
        if self._values:
            widths = np.array(self._widths, np.int64)
            # None becomes NaN.
            value = np.array(self._values, np.float64)
            columns = Columns(
                np.array(self._series, np.int32),
                np.repeat(np.array(self._at, np.int64), widths),
                np.repeat(np.array(self._received, np.int64), widths),
                value,
            )
            sound = np.abs(value) <= MOST_ABROAD
            if not sound.all():
                columns = columns.taken(sound)
        left = self._left
        self._clear()
        return columns, left


def joined(chunks: Sequence[Columns]) -> Columns:
    """One after the other."""
    if not chunks:
        return EMPTY
    return Columns(*(np.concatenate(column) for column in zip(*chunks, strict=True)))


def newest(columns: Columns) -> Columns:
    """The last reading in time of each series; of equal times the one that came last. (m,)"""
    if not len(columns.series):
        return columns
    ordered = columns.sorted()
    ends = np.append(ordered.series[1:] != ordered.series[:-1], True)
    return ordered.taken(ends)
