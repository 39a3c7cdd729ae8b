"""What every part of the bench shares: ranking, shortcuts, and intervals by physical item."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def auroc(good: Sequence[float], bad: Sequence[float]) -> float:
    """The chance that a bad one scores above a good one; ties count half."""
    if not good or not bad:
        return float("nan")
    order = np.sort(np.asarray(good))
    below = np.searchsorted(order, bad, side="left")
    not_above = np.searchsorted(order, bad, side="right")
    return float((below + not_above).mean() / (2 * len(order)))


def recall_at(good: Sequence[float], bad: Sequence[float], percent: float) -> float:
    """The share of bad ones above the score that `percent` of good ones exceed."""
    limit = float(np.quantile(np.asarray(good), 1 - percent / 100))
    return float((np.asarray(bad) > limit).mean())


def interval(
    good: Sequence[tuple[str, float]], bad: Sequence[tuple[str, float]], *, rounds: int = 400
) -> tuple[float, float]:
    """The 95 % interval of the AUROC when whole physical items are drawn again (bootstrap).

    Pictures of one item are not independent: drawing pictures would make it look too sure.
    """
    items = sorted({item for item, _ in (*good, *bad)})
    draw = np.random.default_rng(20261122)
    by_good = {item: [score for name, score in good if name == item] for item in items}
    by_bad = {item: [score for name, score in bad if name == item] for item in items}
    found = []
    for _ in range(rounds):
        chosen = [items[n] for n in draw.integers(len(items), size=len(items))]
        one = auroc(
            [score for item in chosen for score in by_good[item]],
            [score for item in chosen for score in by_bad[item]],
        )
        if one == one:  # noqa: PLR0124 -- not a number where a drawing has no bad item
            found.append(one)
    return (float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975)))


def shortcut(image: Picture, size: int) -> tuple[float, ...]:
    """What needs no seeing: mean colour, border colour, contrast, edges, bytes of the file."""
    edge = np.concatenate([image[:8].reshape(-1, 3), image[-8:].reshape(-1, 3)])
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return (
        *(float(value) for value in image.mean(axis=(0, 1))),
        *(float(value) for value in edge.mean(axis=0)),
        float(grey.std()),
        float(np.abs(cv2.Laplacian(grey, cv2.CV_16S)).mean()),
        float(size),
    )


def shortcut_score(enrolled: Sequence[tuple[float, ...]], seen: tuple[float, ...]) -> float:
    """The mean relative distance of the shortcut's measures to those of the enrolled pictures."""
    usual = np.mean(np.asarray(enrolled), axis=0)
    return float((np.abs(np.asarray(seen) - usual) / np.maximum(usual, 1.0)).mean())


def fails(model: float, baseline: float) -> bool:
    """Whether a set says little: its shortcut comes within 0.05 of the model."""
    return baseline > model - 0.05
