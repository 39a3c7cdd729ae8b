"""Drift over runs of pictures: how surely it is told, and what it costs where nothing drifted.

Each split enrols some good photos and draws runs from the others: as they are, under one drift
from the first picture on, under one drift that begins after a run of good pictures, and runs of
broken goods without drift. The runs go through inspector, watch and freeze rule as at a station.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from appliance.bench.inspecting.remembered import DRIFTS, Picture, view
from contracts.inspection import InspectDecision
from vision.defects.drift import RUN, DriftWatch
from vision.defects.freeze import FreezeRule, tally
from vision.defects.inspector import DefectInspector, Inspected
from vision.defects.profile import Profile

ENROLLED = 22
RUNS = 10
LONG = 5 * RUN


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one run: the picture at which drift was told and the carton that froze the batch, both
    counted from 1; None: never.
    """

    told_at: int | None
    frozen_at: int | None


def drift_runs(
    inspector: DefectInspector,
    good: Sequence[Picture],
    bad: Sequence[Picture],
    *,
    splits: int = 10,
    enrolled: int = ENROLLED,
    seed: int = 0,
) -> dict[str, Any]:
    """Shares in percent over `splits` x RUNS runs of each kind. `good` and `bad` are uncut photos
    (h, w, 3), one an item.
    """
    random = np.random.default_rng(seed)
    found: dict[str, list[Outcome]] = {}
    reviewed: list[float] = []
    for _ in range(splits):
        order = random.permutation(len(good))
        profile = inspector.enrol([view(good[n]) for n in order[:enrolled]], product="goods")
        rest = [good[n] for n in order[enrolled:]]
        plain = _look(inspector, profile, [view(one) for one in rest])
        reviewed.append(
            float(np.mean([one.inspection.decision is InspectDecision.REVIEW for one in plain]))
        )
        broken = _look(inspector, profile, [view(one) for one in bad])
        kinds: dict[str, tuple[list[Inspected], list[Inspected], int]] = {
            "none": ([], plain, LONG),
            "broken goods": ([], broken, RUN),
        }
        for name, drift in DRIFTS.items():
            drifted = _look(inspector, profile, [drift(one) for one in rest])
            kinds[name] = ([], drifted, RUN)
            kinds[f"{name}, later"] = (plain, drifted, RUN)
        for name, (before, during, length) in kinds.items():
            found.setdefault(name, []).extend(
                _run(profile, _drawn(before, RUN, random), _drawn(during, length, random))
                for _ in range(RUNS)
            )
    return {
        "splits": splits,
        "runs_of_each": splits * RUNS,
        "enrolled": enrolled,
        "run_pictures": RUN,
        "undrifted_run_pictures": LONG,
        "single_pictures_in_review_percent": round(100 * float(np.mean(reviewed)), 1),
        "runs": {name: _summary(outcomes) for name, outcomes in found.items()},
    }


def _look(
    inspector: DefectInspector, profile: Profile, images: Sequence[Picture]
) -> list[Inspected]:
    return [inspector.inspect(image, profile, name="") for image in images]


def _drawn(
    pictures: Sequence[Inspected], length: int, random: np.random.Generator
) -> list[Inspected]:
    """So many pictures in random order; all of them before one comes again."""
    drawn: list[Inspected] = []
    while pictures and len(drawn) < length:
        drawn += [pictures[n] for n in random.permutation(len(pictures))]
    return drawn[:length]


def _run(profile: Profile, before: Sequence[Inspected], during: Sequence[Inspected]) -> Outcome:
    """The batch under the drift is another one than the batch before."""
    facts = profile.facts
    rule = FreezeRule.of(len(facts.scores), facts.bound_percent)
    if facts.drift is None or rule is None:
        raise ValueError("The profile can state no bound")
    watch = DriftWatch(facts.drift)
    for one in before:
        watch.settle(one.inspection, one.seen)
    if watch.suspended:
        watch = DriftWatch(facts.drift)
    told_at = frozen_at = None
    counted: list[bool] = []
    for number, one in enumerate(during, start=1):
        settled = watch.settle(one.inspection, one.seen)
        if told_at is None and watch.suspended:
            told_at = number
        if settled.decision is not InspectDecision.REVIEW:
            counted.append(settled.decision is InspectDecision.DEFECT)
        if frozen_at is None and watch.steady and tally(counted, rule).frozen:
            frozen_at = number
    return Outcome(told_at, frozen_at)


def _summary(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    told = [one.told_at for one in outcomes if one.told_at is not None]
    return {
        "told_percent": round(100 * len(told) / len(outcomes), 1),
        "told_at_median": float(np.median(told)) if told else None,
        "frozen_percent": round(
            100 * sum(one.frozen_at is not None for one in outcomes) / len(outcomes), 1
        ),
    }
