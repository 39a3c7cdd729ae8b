"""The recipe's gate: are a set's figures good enough beside those of the set it came from? Pure (I7).

`quality.toml` states its bounds itself, in tables that name a figure by its path in the file:

    [[gate]]
    figure = "measured.held_out.right_percent.all"
    better = "higher"        # or "lower"
    may_lose = 0.5           # against the base set's same figure; 0 where it is not said
    limit = 80.0             # at least (higher) or at most (lower); optional

The bounds of the base set count as well as the set's own, so that no set loosens them for itself;
where both speak of a figure, each is held. A recipe that measured both sets on the same trials says
`compared_with = "<digest of the base>"` and bounds what it measured: that is better evidence than
figures of two days, so figures of the base that it did not measure again are not asked for.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.errors import BadInputError
from contracts.reason import Reason
from ota.registry.lanes import JUDGING
from ota.registry.records import SetRecord

HIGHER, LOWER = "higher", "lower"


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure must keep."""

    figure: str
    better: str
    may_lose: float = 0.0
    limit: float | None = None


def quality_of(text: str) -> Mapping[str, Any]:
    """A quality record. Raises BadInputError where it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(f"quality.toml is not TOML: {error}", mend="Mend it") from error


def bounds_of(quality: Mapping[str, Any]) -> tuple[Bound, ...]:
    """What a quality record states. Raises BadInputError naming the bound that cannot be held."""
    return tuple(_bound(each) for each in quality.get("gate", []))


def figure_of(quality: Mapping[str, Any], path: str) -> float | None:
    """A number by its dotted path; None where there is none."""
    at: Any = quality
    for part in path.split("."):
        at = at.get(part) if isinstance(at, Mapping) else None
    return _number(at)


def findings(record: SetRecord, base: SetRecord | None) -> tuple[Reason, ...]:
    """What its files show against publishing a set; `base` is the set that it came from."""
    found: list[Reason] = []
    if record.unproven:
        found.append(Reason("set_engine_unproven", {"engines": ", ".join(record.unproven)}))
    if record.lane in JUDGING:
        found += _quality(record, base)
    return tuple(found)


def _quality(record: SetRecord, base: SetRecord | None) -> Iterator[Reason]:
    if not record.quality.strip():
        yield Reason("set_quality_missing")
        return
    try:
        now = quality_of(record.quality)
        own = bounds_of(now)
        before = quality_of(base.quality) if base is not None else {}
        inherited = bounds_of(before)
    except BadInputError as error:
        yield Reason("set_quality_unreadable", {"why": error.message})
        return
    if not own and not inherited:
        yield Reason("set_gate_missing")
    if own and base is not None and now.get("compared_with") == base.digest:
        inherited = tuple(each for each in inherited if figure_of(now, each.figure) is not None)
    for bound in dict.fromkeys((*inherited, *own)):
        yield from _held(bound, now, before)


def _held(bound: Bound, now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Reason]:
    value, was = figure_of(now, bound.figure), figure_of(before, bound.figure)
    if value is None:
        yield Reason("set_figure_missing", {"figure": bound.figure})
        return
    sign = 1 if bound.better == HIGHER else -1
    if was is not None and sign * (was - value) > bound.may_lose:
        yield Reason(
            "set_figure_worse",
            {"figure": bound.figure, "now": value, "before": was, "may_lose": bound.may_lose},
        )
    if bound.limit is not None and sign * (bound.limit - value) > 0:
        yield Reason(
            "set_figure_limit", {"figure": bound.figure, "now": value, "limit": bound.limit}
        )


def _bound(facts: Any) -> Bound:
    mend = 'It needs figure = "...", better = "higher" or "lower", and numbers not below 0'
    match facts:
        case {"figure": str(figure), "better": "higher" | "lower" as better, **rest}:
            loss = _number(rest.get("may_lose", 0.0))
            limit = _number(rest.get("limit"))
        case _:
            raise BadInputError(f"[[gate]] {facts!r} states no bound", mend=mend)
    if loss is None or loss < 0 or (limit is None and "limit" in rest):
        raise BadInputError(f"[[gate]] of {figure} has no usable numbers", mend=mend)
    return Bound(figure, better, loss, limit)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
