"""A candidate beside the running set, and one box beside the others, on this site's own frames (I7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from appliance.readrates.intervals import Share
from contracts.clock import Clock
from erp_link.service.judging.compared import (
    BoxWords,
    Compared,
    Disagreement,
    compared,
    disagreements,
    words_of_boxes,
)
from erp_link.service.store import Store

PASSED: Final = frozenset({"accept", "pass"})
"""A label that was read, goods that were passed."""
LEFT: Final = frozenset({"review", "unsure"})
"""Left to a person."""
WINDOW: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Side:
    """What one set said. `failed` said nothing; `elapsed_ms` is None where nobody told."""

    passed: Share
    left: Share
    rejected: Share
    failed: Share
    late: Share
    elapsed_ms: float | None = None


@dataclass(frozen=True, slots=True)
class BoxSide:
    """One box: how often both sets said the same, how often the candidate would have done harm."""

    device: str
    alike: Share
    harmful: Share


@dataclass(frozen=True, slots=True)
class Sides:
    """Running set and candidate on the same frames. `matrix`: (stood, said) -> frames."""

    frames: int
    running: Side
    candidate: Side
    alike: Share
    harmful: Share
    matrix: tuple[tuple[str, str, int], ...] = ()
    boxes: tuple[BoxSide, ...] = ()


@dataclass(frozen=True, slots=True)
class BoxFigures:
    """What a box said of goods lately."""

    device: str
    cartons: int
    passed: Share
    left: Share
    rejected: Share


def sides(rows: Iterable[Compared], candidate: str) -> Sides:
    """Of the frames that the candidate judged in shadow."""
    mine = [row for row in rows if row.model_set == candidate]
    frames = sum(row.frames for row in mine)
    whole = sum(row.elapsed_ms * row.frames for row in mine)
    matrix: Counter[tuple[str, str]] = Counter()
    for row in mine:
        matrix[row.stood, row.said] += row.frames
    return Sides(
        frames,
        _side(_said(matrix, 0), frames),
        _side(
            _said(matrix, 1),
            frames,
            failed=sum(row.failed for row in mine),
            late=sum(row.late for row in mine),
            elapsed_ms=whole / frames if frames else None,
        ),
        Share(sum(n for (stood, said), n in matrix.items() if stood == said), frames),
        Share(sum(row.harmful for row in mine), frames),
        tuple((stood, said, n) for (stood, said), n in sorted(matrix.items())),
        tuple(_box(device, mine) for device in sorted({row.device for row in mine})),
    )


def _said(matrix: Counter[tuple[str, str]], place: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for words, frames in matrix.items():
        found[words[place]] += frames
    return found


def _side(
    words: Counter[str],
    frames: int,
    *,
    failed: int = 0,
    late: int = 0,
    elapsed_ms: float | None = None,
) -> Side:
    passed = sum(n for word, n in words.items() if word in PASSED)
    left = sum(n for word, n in words.items() if word in LEFT)
    silent = words[""]
    return Side(
        Share(passed, frames),
        Share(left, frames),
        Share(frames - passed - left - silent, frames),
        Share(failed, frames),
        Share(late, frames),
        elapsed_ms,
    )


def _box(device: str, rows: Sequence[Compared]) -> BoxSide:
    mine = [row for row in rows if row.device == device]
    frames = sum(row.frames for row in mine)
    alike = sum(row.frames for row in mine if row.said == row.stood)
    return BoxSide(device, Share(alike, frames), Share(sum(row.harmful for row in mine), frames))


def figures(words: Iterable[BoxWords]) -> tuple[BoxFigures, ...]:
    """One row a box, by name."""
    by_box: dict[str, Counter[str]] = {}
    for each in words:
        by_box.setdefault(each.device, Counter())[each.decision] += each.cartons
    return tuple(_figures(device, by_box[device]) for device in sorted(by_box))


def _figures(device: str, words: Counter[str]) -> BoxFigures:
    total = words.total()
    passed = sum(n for word, n in words.items() if word in PASSED)
    left = sum(n for word, n in words.items() if word in LEFT)
    rest = Share(total - passed - left, total)
    return BoxFigures(device, total, Share(passed, total), Share(left, total), rest)


@dataclass(frozen=True, slots=True)
class AcceptanceConsole:
    """Meets appliance.web.ota.ports.Acceptance. `has_picture`: whether the hub holds its bytes."""

    core: Store
    clock: Clock
    has_picture: Callable[[str], bool] = field(default=lambda _: True)

    def sides(self, rollout: str, candidate: str) -> Sides:
        return sides(compared(self.core, rollout), candidate)

    def boxes(self) -> Sequence[BoxFigures]:
        return figures(words_of_boxes(self.core, self.clock.now() - WINDOW))

    def disagreements(
        self, rollout: str, *, device: str, said: str, stood: str, skip: int, most: int
    ) -> tuple[int, Sequence[tuple[Disagreement, str]]]:
        found, rows = disagreements(
            self.core, rollout, device=device, said=said, stood=stood, skip=skip, most=most
        )
        return found, [
            (row, next((sha for sha in row.pictures if self.has_picture(sha)), "")) for row in rows
        ]
