"""How many of the lines that matter does the finder find whole?

A critical line (batch, expiry, GTIN, human-readable line) is found whole where one box, grown by
the margin its crop gets anyway, satisfies all of this, along and across the box's own axes:

- it covers at least 96 % of the length of the line's true quad (a lost half character still reads;
  a lost character does not);
- at both ends of the line it covers at least 75 % of the quad's height, so that the crop neither
  cuts the letters nor drifts off a turned line;
- it holds the middle of no text above or below the line, since a crop of two rows reads as neither
  (text beside it in the same row is no loss), is at most three quad heights high (quads are tight:
  capitals alone; print waves on wrinkled labels), and lies at most 24 degrees off the line's
  direction (mod 180: which way up is the reader's question).

A box that is too long costs time, not the line, and is not punished. Quads are of the print before
it was damaged: what is under a tear counts, since the finder should look there too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadInputError

CRITICAL = ("batch", "expiry", "gtin", "hri")
_DAMAGE_BANDS = ((0.0, "0"), (0.2, "10-20"), (1.0, "30-40"))


@dataclass(frozen=True, slots=True)
class CriticalLine:
    """One line of the truth: `quad` (4, 2) clockwise from its top left, frame pixels."""

    name: str
    quad: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FrameLines:
    """The critical lines of one frame; `damage` 0..1 as in truth.json; `texts` are the quads
    (n, 4, 2) of all its text, the critical lines' own included.
    """

    file: str
    kind: str
    damage: float
    lines: tuple[CriticalLine, ...]
    texts: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WholeRule:
    """When a line counts as found whole; see the module's text. Margin in box heights."""

    margin: float = 0.05
    least_length: float = 0.96
    least_height: float = 0.75
    most_height: float = 3.0
    most_turn_rad: float = 0.42


DEFAULT_RULE = WholeRule()


def read_lines(folder: Path) -> tuple[FrameLines, ...]:
    """The critical lines of every frame of `folder`'s truth.json, frames without any left out.

    Raises BadInputError where the file is absent or not of that shape.
    """
    path = folder / "truth.json"
    try:
        whole: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        frames = [_frame(each) for each in whole["frames"]]
    except FileNotFoundError:
        raise BadInputError(
            f"{path} does not exist", mend="Name a folder with truth.json and frames"
        ) from None
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"{path} is not a truth file: {error}", mend="See appliance/bench/label_truth.py"
        ) from error
    return tuple(each for each in frames if each.lines)


def _frame(raw: Mapping[str, Any]) -> FrameLines:
    texts = [
        CriticalLine(item["name"], np.array(item["quad"], dtype=np.float64).reshape(4, 2))
        for item in raw.get("items", ())
        if item["kind"] == "text"
    ]
    return FrameLines(
        raw["file"],
        raw.get("kind", "label"),
        float(raw.get("damage", 0.0)),
        tuple(each for each in texts if each.name in CRITICAL),
        np.array([each.quad for each in texts]).reshape(-1, 4, 2),
    )


def found_whole(
    quad: NDArray[np.float64],
    texts: NDArray[np.float64],
    boxes: NDArray[np.float64],
    rule: WholeRule = DEFAULT_RULE,
) -> NDArray[np.bool_]:
    """Which of `boxes` (n, 5), as vision.reading.detector gives them, hold the line in `quad`
    and none of `texts` (m, 4, 2) above or below it.
    """
    u, v = _seen_from(boxes, quad)
    half_length = boxes[:, 2] / 2 + rule.margin * boxes[:, 3]
    half_height = boxes[:, 3] * (0.5 + rule.margin)
    # The quad's left and right edge along the box: corners 0 and 3, corners 1 and 2.
    ends = np.sort(np.stack([u[:, [0, 3]].mean(axis=1), u[:, [1, 2]].mean(axis=1)], axis=1), axis=1)
    covered = np.minimum(ends[:, 1], half_length) - np.maximum(ends[:, 0], -half_length)
    length = np.maximum(ends[:, 1] - ends[:, 0], 1e-6)
    whole = covered >= rule.least_length * length
    for pair in ([0, 3], [1, 2]):
        edge = np.sort(v[:, pair], axis=1)
        inside = np.minimum(edge[:, 1], half_height) - np.maximum(edge[:, 0], -half_height)
        whole &= inside >= rule.least_height * (edge[:, 1] - edge[:, 0])
    tall = (np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2
    along = (quad[1] + quad[2] - quad[0] - quad[3]) / 2
    turn = np.abs((boxes[:, 4] - np.arctan2(along[1], along[0]) + np.pi / 2) % np.pi - np.pi / 2)
    whole &= (boxes[:, 3] <= rule.most_height * tall) & (turn <= rule.most_turn_rad)
    for other in texts:
        if np.array_equal(other, quad):
            continue
        u, v = _seen_from(boxes, other)
        beside = (u.min(axis=1) > ends[:, 1]) | (u.max(axis=1) < ends[:, 0])
        whole &= beside | (np.abs(v.mean(axis=1)) > half_height)
    found: NDArray[np.bool_] = whole
    return found


def _seen_from(
    boxes: NDArray[np.float64], points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where `points` (k, 2) lie along and across each of `boxes`, from its centre: two (n, k)."""
    c, s = np.cos(boxes[:, 4])[:, None], np.sin(boxes[:, 4])[:, None]
    x = points[None, :, 0] - boxes[:, 0, None]
    y = points[None, :, 1] - boxes[:, 1, None]
    return x * c + y * s, y * c - x * s


def count_found(frame: FrameLines, boxes: NDArray[np.float64]) -> tuple[int, int]:
    """Critical lines of `frame` found whole among `boxes` (n, 5), and how many there are."""
    found = sum(bool(found_whole(each.quad, frame.texts, boxes).any()) for each in frame.lines)
    return found, len(frame.lines)


def table(counts: Iterable[tuple[FrameLines, tuple[int, int]]]) -> dict[str, dict[str, float]]:
    """Percent of critical lines found whole by kind and damage: {kind: {"0": .., "10-20": ..}}."""
    sums: dict[str, dict[str, list[int]]] = {}
    for frame, (found, there) in counts:
        for kind in (frame.kind, "all"):
            for band in (damage_band(frame.damage), "all"):
                pair = sums.setdefault(kind, {}).setdefault(band, [0, 0])
                pair[0] += found
                pair[1] += there
    order: Sequence[str] = [*(name for _, name in _DAMAGE_BANDS), "all"]
    return {
        kind: {
            band: round(100 * sums[kind][band][0] / sums[kind][band][1], 1)
            for band in order
            if band in sums[kind]
        }
        for kind in sorted(sums)
    }


def damage_band(damage: float) -> str:
    """The bands of notes/labels.md: undamaged, 10-20 %, 30-40 %."""
    return next(name for most, name in _DAMAGE_BANDS if damage <= most + 1e-9)
