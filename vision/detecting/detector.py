"""A picture -> boxes with class and score, through a YOLO network exported to ONNX.

Its output is (1, 4 + classes, n): middle, width and height in pixels of the square, then one score
for each class. No code of Ultralytics is in it: the format is plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError
from contracts.geometry import Region
from vision.detecting.facts import STEM, DetectorFacts, read_facts
from vision.engine import CPU, Engine, load_engine, network_file

MOST_BOXES = 32
_GREY = 114
"""What the recipe's training puts around pictures that are not square."""


@dataclass(frozen=True, slots=True)
class Detector:
    """Safe to call from several threads at once."""

    engine: Engine
    facts: DetectorFacts
    variant: str = CPU

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1, variant: str = CPU) -> Detector:
        """Raises ArtefactRefusedError for files that do not belong together, UnavailableError for
        an engine that is not installed.
        """
        facts = read_facts(folder)
        path = folder / network_file(STEM, variant)
        engine = load_engine(path, variant=variant, threads=threads, keep_arena=True)
        made = cls(engine, facts, variant)
        square = np.zeros((1, 3, facts.side_px, facts.side_px), np.float32)
        shape = engine.run(square)[0].shape
        if len(shape) != 3 or shape[1] != 4 + len(facts.classes):  # noqa: PLR2004 -- as the module says
            raise ArtefactRefusedError(
                f"{path.name} answers {shape}, not boxes of {len(facts.classes)} classes",
                mend="Make the set again: models/recipes/yolo",
            )
        return made

    def find(self, image: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Boxes in pixels of the (h, w, 3) BGR picture, the surest first; scores 0..1."""
        height, width = image.shape[:2]
        square, scale, left, top = letterboxed(image, self.facts.side_px)
        (answer,) = self.engine.run(square)
        found = answer[0]
        scores = found[4:]
        kinds, best = scores.argmax(axis=0), scores.max(axis=0)
        sure = best >= self.facts.least
        corners = _corners(found[:4, sure].T)
        kept = surest(corners, best[sure], kinds[sure], self.facts.overlap)[:MOST_BOXES]
        at = (corners - np.array([left, top, left, top])) / scale
        at = np.clip(at, 0, np.array([width, height, width, height]))
        return tuple(
            _region(at[n], float(best[sure][n]), self.facts.classes[int(kinds[sure][n])])
            for n in kept
        )


def letterboxed(
    image: NDArray[np.uint8], side_px: int
) -> tuple[NDArray[np.float32], float, int, int]:
    """The picture in a grey square (1, 3, side, side) RGB 0..1, its scale, and its left and top."""
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    small = image if scale == 1 else cv2.resize(image, (wide, high))
    left, top = (side_px - wide) // 2, (side_px - high) // 2
    square = np.full((side_px, side_px, 3), _GREY, np.uint8)
    square[top : top + high, left : left + wide] = small
    planes = np.ascontiguousarray(square[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)
    planes /= np.float32(255)
    return planes, scale, left, top


def surest(
    corners: NDArray[np.float32],
    scores: NDArray[np.float32],
    kinds: NDArray[np.int64],
    overlap: float,
) -> list[int]:
    """Of boxes (n, 4) as corners, those that no surer one of their class covers; surest first.

    Greedy non-maximum suppression.
    """
    left, kept = np.argsort(-scores, kind="stable"), []
    while len(left):
        first, others = int(left[0]), left[1:]
        kept.append(first)
        same = kinds[others] == kinds[first]
        left = others[~(same & (shares(corners[first], corners[others]) > overlap))]
    return kept


def shares(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of (4,) with each of (n, 4), both as corners."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    found: NDArray[np.float32] = both / np.maximum(areas - both, 1e-9)
    return found


def _corners(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def _region(corners: NDArray[np.float32], score: float, kind: str) -> Region:
    x, y, right, bottom = (round(float(edge)) for edge in corners)
    return Region(x, y, max(1, right - x), max(1, bottom - y), round(score, 3), kind)
