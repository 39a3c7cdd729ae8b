"""The quarantine as a page shows it: what was not understood, why, and its bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from telemetry.segments.files import Position, numbers_in
from telemetry.segments.groups import Quarantined
from telemetry.segments.reading import Damage, read_quarantine

SHOWN_BYTES = 256
_LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True)
class Aside:
    """One message set aside. `hex` holds its first bytes, `text` says them where they are text."""

    at_us: int
    address: str
    code: str
    detail: str
    size: int
    hex: str
    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Messages of one address that were set aside for one reason."""

    address: str
    code: str
    count: int
    newest: Aside


def newest_aside(folder: Path, limit: int, *, code: str = "") -> list[Aside]:
    """The newest messages of a quarantine's folder, newest first. Blocks."""
    items = [each for each in _items(folder) if not code or each[1].code == code]
    return [_shown(at_us, item) for at_us, item in reversed(items[-limit:])]


def by_address(folder: Path, *, code: str = "") -> list[Unknown]:
    """Addresses of the newest 20,000 messages set aside, those that came last first. Blocks."""
    counts: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], tuple[int, Quarantined]] = {}
    for at_us, item in _items(folder):
        if code and item.code != code:
            continue
        key = (item.address, item.code)
        counts[key] += 1
        last[key] = (at_us, item)
    newest = sorted(last.items(), key=lambda each: -each[1][0])
    return [Unknown(*key, counts[key], _shown(*found)) for key, found in newest]


def _items(folder: Path) -> list[tuple[int, Quarantined]]:
    """The newest of them, oldest first."""
    numbers = numbers_in(folder)
    items: list[tuple[int, Quarantined]] = []
    for number in reversed(numbers):
        items = [
            (at_us, item)
            for _, at_us, group in read_quarantine(
                folder, Position(number, 0), on_damage=_pass_over
            )
            for item in group
        ]
        if len(items) >= _LOOKED_AT:
            break
    return items[-_LOOKED_AT:]


def _pass_over(damage: Damage) -> None:
    """What a disk forgot of a quarantine is not worth stopping for; the ingest tells of it."""


def _shown(at_us: int, item: Quarantined) -> Aside:
    head = item.payload[:SHOWN_BYTES]
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = ""
    return Aside(
        at_us,
        item.address,
        item.code,
        item.detail,
        len(item.payload),
        head.hex(" "),
        text if text.isprintable() else "",
    )
