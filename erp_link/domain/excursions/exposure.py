"""One batch's own exposure: the minutes measured, cut to when the batch was there.

A minute counts as out of range where its worst reading was: what may have happened is counted as
happened (I7). Between two readings not farther apart than `BRIDGED_US` goods count as having had
the worse of both; a longer silence is unmeasured, and is counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from contracts.telemetry import TracePoint
from erp_link.domain.excursions.kinetics import ZERO_CELSIUS, mean_kinetic
from erp_link.domain.excursions.limits import Limits

MINUTE_US = 60_000_000
BRIDGED_US = 30 * MINUTE_US
"""Cold-chain loggers tell a reading every 5 to 30 minutes."""

Span = tuple[int, int]
"""From, until: microseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A while with one answer. `measured` False: nobody knows, the values are the nearest ones."""

    begun_us: int
    ended_us: int
    least: float
    most: float
    mean: float
    measured: bool


@dataclass(frozen=True, slots=True)
class Exposure:
    """What one batch went through. Times in seconds; values None where nothing was measured."""

    present_s: int
    outside_s: int
    """Out of range, as measured."""
    unmeasured_s: int
    least: float | None
    most: float | None
    kinetic: float | None
    """Over the limits' hours, in Celsius."""
    assumed_s: int = 0
    """Of those hours, what had no reading and counted as usual."""
    earlier_s: int = 0
    """Out of range in excursions that were over before this one began."""


def merged(points: Iterable[TracePoint]) -> list[TracePoint]:
    """One point a minute, oldest first: a minute that was told in two parts is put together."""
    known: dict[int, TracePoint] = {}
    for each in points:
        start = each.at_us - each.at_us % MINUTE_US
        before = known.get(start)
        if before is None:
            known[start] = TracePoint(start, each.least, each.most, each.mean, max(1, each.count))
            continue
        count = before.count + max(1, each.count)
        mean = (before.mean * before.count + each.mean * max(1, each.count)) / count
        known[start] = TracePoint(
            start, min(before.least, each.least), max(before.most, each.most), mean, count
        )
    return [known[start] for start in sorted(known)]


def worst_of(traces: Sequence[Sequence[TracePoint]], *, low: bool) -> list[TracePoint]:
    """What several sensors of one place tell, as goods there may have had it: of each minute the
    sensor that was farthest out, and the least and most of all. `traces` as of `merged`; `low`: it is
    too cold or too little there.
    """
    if len(traces) == 1:
        return list(traces[0])
    known: dict[int, TracePoint] = {}
    for each in (point for trace in traces for point in trace):
        before = known.get(each.at_us)
        if before is None:
            known[each.at_us] = each
            continue
        mean = min(before.mean, each.mean) if low else max(before.mean, each.mean)
        known[each.at_us] = TracePoint(
            each.at_us,
            min(before.least, each.least),
            max(before.most, each.most),
            mean,
            before.count + each.count,
        )
    return [known[start] for start in sorted(known)]


def stretches(points: Sequence[TracePoint], begun_us: int, ended_us: int) -> list[Stretch]:
    """The whole time from `begun_us` to `ended_us`, gaps bridged; `points` as of `merged`. None at
    all where nothing was ever measured.
    """
    found: list[Stretch] = []
    before: TracePoint | None = None
    for point in points:
        if before is None:
            found += _silent(point, point, begun_us, point.at_us)
        else:
            found += _silent(before, point, before.at_us + MINUTE_US, point.at_us)
        found.append(
            Stretch(point.at_us, point.at_us + MINUTE_US, point.least, point.most, point.mean, True)
        )
        before = point
    if before is not None:
        found += _silent(before, before, before.at_us + MINUTE_US, ended_us)
    return found


def exposure(
    told: Sequence[Stretch],
    present: Sequence[Span],
    limits: Limits,
    *,
    begun_us: int,
    ended_us: int,
    earlier_s: int = 0,
    throughout: bool = False,
) -> Exposure:
    """`present` are the times when the batch was there, within the excursion's own; `earlier_s` is
    as of `earlier`. `throughout`: all that was measured counts as out of range.
    """
    spans = [(max(a, begun_us), min(b, ended_us)) for a, b in present]
    spans = [(a, b) for a, b in spans if b > a]
    there = sum(b - a for a, b in spans)
    outside = known = 0
    least: float | None = None
    most: float | None = None
    warmth: list[tuple[float, float]] = []
    for part, time_us in _there(told, spans):
        if not part.measured:
            # It may have been as warm as the warmest reading beside it.
            warmth.append((part.most, time_us / 1_000_000))
            continue
        known += time_us
        least = part.least if least is None else min(least, part.least)
        most = part.most if most is None else max(most, part.most)
        warmth.append((part.mean, time_us / 1_000_000))
        if throughout or _is_outside(part, limits):
            outside += time_us
    kinetic, assumed = _kinetic(warmth, limits)
    return Exposure(
        present_s=there // 1_000_000,
        outside_s=outside // 1_000_000,
        unmeasured_s=(there - known) // 1_000_000,
        least=least,
        most=most,
        kinetic=kinetic,
        assumed_s=assumed,
        earlier_s=earlier_s,
    )


def earlier(excursions: Iterable[tuple[int, int, int]]) -> int:
    """Seconds out of range in other excursions of a batch: begun, ended (microseconds), seconds.

    Those that overlap are two sensors' word for one heat: the longer counts.
    """
    total = longest = 0
    until: int | None = None
    for begun, ended, outside in sorted(excursions):
        if until is None or begun >= until:
            total += longest
            longest, until = outside, ended
        else:
            longest, until = max(longest, outside), max(until, ended)
    return total + longest


def _silent(before: TracePoint, after: TracePoint, begun: int, ended: int) -> list[Stretch]:
    if ended <= begun:
        return []
    return [
        Stretch(
            begun,
            ended,
            min(before.least, after.least),
            max(before.most, after.most),
            (before.mean + after.mean) / 2,
            ended - begun <= BRIDGED_US,
        )
    ]


def _there(told: Sequence[Stretch], spans: Sequence[Span]) -> Iterator[tuple[Stretch, int]]:
    """Each stretch with the time that the batch was there for it; both are in order of time."""
    at = 0
    for begun, ended in spans:
        while at > 0 and told[at - 1].ended_us > begun:
            at -= 1
        while at < len(told) and told[at].begun_us < ended:
            shared = min(told[at].ended_us, ended) - max(told[at].begun_us, begun)
            if shared > 0:
                yield told[at], shared
            at += 1


def _is_outside(part: Stretch, limits: Limits) -> bool:
    too_high = limits.high is not None and part.most > limits.high
    return too_high or (limits.low is not None and part.least < limits.low)


def _kinetic(warmth: list[tuple[float, float]], limits: Limits) -> tuple[float | None, int]:
    """Over the limits' hours: the newest of what was measured, and what is usual for the rest."""
    if limits.kinetic is None or limits.usual is None or not warmth:
        return None, 0
    left = limits.kinetic_hours * 3600.0
    parts: list[tuple[float, float]] = []
    for celsius, seconds in reversed(warmth):
        if celsius <= -ZERO_CELSIUS:
            # A broken probe has measured nothing; that it said so counts as out of range.
            continue
        parts.append((celsius, min(seconds, left)))
        left -= parts[-1][1]
        if left <= 0:
            break
    parts.append((limits.usual, max(0.0, left)))
    kinetic = mean_kinetic(parts, activation_kj_mol=limits.activation_kj_mol)
    return kinetic, int(max(0.0, left))
