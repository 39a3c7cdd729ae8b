"""Which examples must go. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.learning.example import ExampleName

_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """None older than `days` (from when the carton was settled), `most_bytes` at most in all."""

    most_bytes: int
    days: int


@dataclass(frozen=True, slots=True)
class Stored:
    name: ExampleName
    size: int


def to_remove(stored: Iterable[Stored], limits: Limits, *, now_us: int) -> list[ExampleName]:
    """Those that are too old; then the oldest, until the rest fits."""
    gone: list[ExampleName] = []
    kept: list[Stored] = []
    for each in sorted(stored, key=lambda each: each.name.at_us):
        if now_us - each.name.at_us > limits.days * _DAY_US:
            gone.append(each.name)
        else:
            kept.append(each)
    total = sum(each.size for each in kept)
    for each in kept:
        if total <= limits.most_bytes:
            break
        gone.append(each.name)
        total -= each.size
    return gone
