"""Do stated bounds hold when the product is enrolled anew, again and again?

A profile's bound speaks of all enrolments together; a customer has one. So the goods are enrolled
hundreds of times from other items, and each time the share of good items called defective and the
share of good batches frozen are counted. On made scores the true rates are known; on photos the
scores are those of the patch bank, each photo an item, calibration and batch split at random (which
makes them exchangeable whatever cookie they show), the batch shown in many random orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.bench.inspecting.remembered import Picture, view
from vision.defects.backbone import CHANNELS, analysis_size
from vision.defects.bank import ROWS, distances, image_score, thin, variants, variants_for
from vision.defects.conformal import threshold
from vision.defects.freeze import FreezeRule
from vision.defects.inspector import DefectInspector

RECALIBRATIONS = 200
BATCHES = 200
CARTONS = 40
_ENOUGH = 0.95
_NEVER = 1 << 30
Scores = NDArray[np.float64]


def made_scores(
    *, items: int, bound_percent: int, tail: str = "lognormal", seed: int = 0
) -> dict[str, Any]:
    """RECALIBRATIONS enrolments of `items` drawn scores, each with BATCHES good batches of CARTONS.

    `tail` names a distribution of numpy's generator that takes `size` only.
    """
    random = np.random.default_rng(seed)
    rule = _rule(items, bound_percent)
    draw = getattr(random, tail)
    alarms, freezes = [], []
    for _ in range(RECALIBRATIONS):
        limit = _limit(draw(size=items), bound_percent)
        beyond = draw(size=(BATCHES, CARTONS)) > limit
        alarms.append(float(beyond.mean()))
        freezes.append(_frozen(beyond, rule))
    return _summary(alarms, freezes, items, bound_percent, rule)


def photo_scores(
    inspector: DefectInspector, good: Sequence[Picture], *, items: int = 22, seed: int = 0
) -> dict[str, Any]:
    """RECALIBRATIONS random splits of photos (h, w, 3) into `items` enrolled ones and one batch of
    the others, shown in BATCHES orders. The bound is 5 %.
    """
    random = np.random.default_rng(seed)
    nearest = _nearest(inspector, [view(image) for image in good], items)
    bound_percent = 5
    rule = _rule(items, bound_percent)
    alarms, freezes = [], []
    for _ in range(RECALIBRATIONS):
        order = random.permutation(len(good))
        enrolled, batch = order[:items], order[items:]
        scores = [
            image_score(nearest[one, enrolled[enrolled != one]].min(axis=0)) for one in enrolled
        ]
        limit = _limit(np.array(scores), bound_percent)
        beyond = np.array(
            [image_score(nearest[one, enrolled].min(axis=0)) > limit for one in batch]
        )
        alarms.append(float(beyond.mean()))
        freezes.append(_frozen(random.permuted(np.tile(beyond, (BATCHES, 1)), axis=1), rule))
    return _summary(alarms, freezes, items, bound_percent, rule)


def _nearest(
    inspector: DefectInspector, images: Sequence[Picture], items: int
) -> NDArray[np.float32]:
    """(n, n, patches): how far each patch of a photo is from what each photo gives to a bank of
    `items`; a bank's distances are the least over its members.
    """
    height, width = images[0].shape[:2]
    size = analysis_size(width, height)
    count, share = variants_for(items), max(1, ROWS // items)
    maps = [
        [
            inspector.backbone.patches(each, size).reshape(-1, CHANNELS)
            for each in variants(one, count)
        ]
        for one in images
    ]
    parts = [thin(np.concatenate(one), share) for one in maps]
    return np.stack([np.stack([distances(one[0], part) for part in parts]) for one in maps])


def _rule(items: int, bound_percent: int) -> FreezeRule:
    rule = FreezeRule.of(items, bound_percent)
    if rule is None:
        raise ValueError(f"{items} items state no bound of {bound_percent} %")
    return rule


def _limit(scores: Scores, bound_percent: int) -> float:
    limit = threshold(scores.tolist(), bound_percent)
    if limit is None:
        raise ValueError("Too few items for the bound")
    return limit


def _frozen(beyond: NDArray[np.bool_], rule: FreezeRule) -> float:
    """The share of batches (n, cartons) that are frozen at one of their cartons."""
    needed = np.array([rule.needed(seen) or _NEVER for seen in range(1, beyond.shape[1] + 1)])
    return float((np.cumsum(beyond, axis=1) >= needed).any(axis=1).mean())


def _summary(
    alarms: Sequence[float],
    freezes: Sequence[float],
    items: int,
    bound_percent: int,
    rule: FreezeRule,
) -> dict[str, Any]:
    within = float(np.mean(np.array(freezes) <= rule.error))
    return {
        "items": items,
        "recalibrations": len(freezes),
        "bound_percent": bound_percent,
        "false_alarms_mean_percent": round(100 * float(np.mean(alarms)), 2),
        "false_alarms_worst_percent": round(100 * max(alarms), 1),
        "freeze_error_percent": round(100 * rule.error, 2),
        "false_freezes_mean_percent": round(100 * float(np.mean(freezes)), 3),
        "false_freezes_worst_percent": round(100 * max(freezes), 2),
        "recalibrations_within_percent": round(100 * within, 1),
        "passed": within >= _ENOUGH and float(np.mean(freezes)) <= rule.error,
    }
