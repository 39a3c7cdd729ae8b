"""A network that is cut, slow, loses answers and says things twice, drawn by a seed.

A request is lost on its way there (nothing happened), or on its way back (it happened, and nobody
was told): a box may not tell one from the other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from contracts.errors import UnavailableError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Weather:
    """Chances of each single exchange. Cuts come on top of it."""

    lost_there: float = 0.01
    lost_back: float = 0.01
    twice: float = 0.01


class Network:
    """Between each box and the hub. `cuts`: by box, moments without any network, in order of time
    and apart from each other, from and to in microseconds; `hub_down` for all of them.
    """

    def __init__(self, weather: Weather, draw: Random) -> None:
        self._weather = weather
        self._draw = draw
        self._cuts: dict[str, tuple[list[int], list[int]]] = {}
        self.exchanges = 0
        self.failed = 0

    def cut(self, box: str, moments: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(moments)
        self._cuts[box] = ([each[0] for each in ordered], [each[1] for each in ordered])

    def reaches(self, box: str, now_us: int) -> bool:
        """Whether the box has a network at all."""
        begins, ends = self._cuts.get(box, ([], []))
        last = bisect_right(begins, now_us) - 1
        return last < 0 or now_us >= ends[last]

    def ask(self, box: str, now_us: int, question: Callable[[], T]) -> T:
        """One question and its answer. Raises UnavailableError where either was lost."""
        self.exchanges += 1
        weather = self._weather
        if not self.reaches(box, now_us) or self._draw.random() < weather.lost_there:
            raise self._gone(box)
        if self._draw.random() < weather.twice:
            question()
        answer = question()
        if self._draw.random() < weather.lost_back:
            raise self._gone(box)
        return answer

    def _gone(self, box: str) -> UnavailableError:
        self.failed += 1
        return UnavailableError(f"{box} does not reach the hub", mend="Ask again later")


def drawn_cuts(
    draw: Random, *, begin_us: int, end_us: int, mean_gap_us: int, mean_cut_us: int
) -> list[tuple[int, int]]:
    """Cuts at random moments, of random lengths, apart from each other."""
    cuts: list[tuple[int, int]] = []
    at = begin_us
    while True:
        at += 1 + int(draw.expovariate(1 / mean_gap_us))
        if at >= end_us:
            return cuts
        until = min(end_us, at + 1 + int(draw.expovariate(1 / mean_cut_us)))
        cuts.append((at, until))
        at = until
