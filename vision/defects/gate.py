"""Does the picture still look like the ones the product was enrolled from?

A changed camera, lamp or focus leaves the ranking of scores whole and breaks their threshold (15 %
darker: every good item over a 5 % threshold). So before a score counts, the whole picture must lie
where the good ones lay; else the answer is review, with what changed (I7). A hand in the view, an
empty belt, another product and a picture that is burnt out end here too: never a silent pass.

This looks at one picture. What single pictures differ too much to show, a run of them tells
(vision.defects.drift).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.inspection import Inspection
from contracts.reason import Reason
from vision.defects.drift import DriftFacts, Measures, measures_of
from vision.defects.looks import Look, scene_distance
from vision.defects.profile import Profile, ProfileFacts, Range


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture's measures, as in ProfileFacts."""

    width_px: int
    height_px: int
    brightness: float
    sharpness: float
    typical: float
    scene: float
    place: float | None
    """The strangest cell, where the score does not judge it already."""
    dark_share: float = 0.0
    bright_share: float = 0.0
    covered: float = 0.0
    """Share of the view under the largest strange area that reaches in from outside."""
    measures: Measures | None = None
    """What the drift watch takes; None for a picture of another size."""
    cells: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    """Look.scene, to say what else the picture may show."""


# How far beyond the enrolled range a picture may lie.
_LIGHT = 0.06
_SHARPNESS = 0.20
_FINENESS = 0.12
_TYPICAL, _TYPICAL_SLACK = 1.4, 0.03
# A defect changes a few of the sixteen cells (by about 0.02 in all), another product most of them
# (0.4 and more); where the good ones vary much, the ceiling still keeps strangers out.
_SCENE, _SCENE_SLACK, _SCENE_CEILING = 1.5, 0.06, 0.45
_SHIFT = 0.03
_PLACE = 1.3
_CLIPPED = 0.15
# Deviations beyond which a patch is no part of the goods, and how much of the view such patches
# must take to be a thing of its own: the worst breaks of cookies reach 5 %, a hand starts at 9 %.
_STRANGE = 4.0
_COVERED, _ALL_STRANGE = 0.07, 0.6


def see(
    look: Look,
    far: NDArray[np.float32],
    profile: Profile,
    *,
    width_px: int,
    height_px: int,
    place: float | None,
) -> Seen:
    """Measure one picture of `width_px` x `height_px`: `far` (rows, columns) are the distances of
    its patches to the profile's bank, `place` its strangest cell where the score leaves it out.
    """
    facts = profile.facts
    typical = float(np.median(far))
    own = (width_px, height_px) == (facts.width_px, facts.height_px)
    return Seen(
        width_px=width_px,
        height_px=height_px,
        brightness=look.brightness,
        sharpness=look.sharpness,
        typical=typical,
        scene=scene_distance(look.scene, profile.scenes),
        place=place,
        dark_share=look.dark_share,
        bright_share=look.bright_share,
        covered=_covered(facts.patch_scale.over(far)),
        measures=measures_of(look, typical, facts.drift.usual) if own and facts.drift else None,
        cells=look.scene,
    )


def gate(seen: Seen, facts: ProfileFacts) -> tuple[Reason, ...]:
    """Every way in which the picture differs from the enrolled ones; empty when it may be judged."""
    if (seen.width_px, seen.height_px) != (facts.width_px, facts.height_px):
        got, wanted = (
            f"{w} x {h}"
            for w, h in ((seen.width_px, seen.height_px), (facts.width_px, facts.height_px))
        )
        return (Reason("view_size", {"got": got, "wanted": wanted}),)
    drift = facts.drift
    found = [
        _clipped(seen, drift),
        _light(seen, facts, drift),
        _edges(seen, facts, drift),
        _shift(seen, drift),
        _goods(seen, facts),
    ]
    return tuple(reason for reason in found if reason)


def name_other(
    inspection: Inspection, seen: Seen, others: Mapping[str, NDArray[np.float32]]
) -> Inspection:
    """The same inspection, naming the product in view where the enrolled one is not.

    `others`: the `Profile.scenes` (n, 16, 152) of other products under the same backbone; those of
    the empty belt under an empty name.
    """
    stranger = next((one for one in inspection.reasons if one.code == "view_unfamiliar"), None)
    if stranger is None or seen.cells is None or not others:
        return inspection
    far = {name: scene_distance(seen.cells, scenes) for name, scenes in others.items()}
    name = min(far, key=far.__getitem__)
    if far[name] > min(_SCENE_CEILING, 0.5 * seen.scene):
        return inspection
    told = (
        Reason("view_other_product", {"seen": name, **stranger.params})
        if name
        else Reason("view_empty")
    )
    reasons = tuple(told if one is stranger else one for one in inspection.reasons)
    return replace(inspection, reasons=reasons)


def _goods(seen: Seen, facts: ProfileFacts) -> Reason | None:
    if _COVERED <= seen.covered < _ALL_STRANGE:
        return Reason("view_obstructed", {"percent": round(100 * seen.covered)})
    unfamiliar = (
        seen.scene > min(facts.scene.high * _SCENE + _SCENE_SLACK, _SCENE_CEILING)
        or seen.typical > facts.typical.high * _TYPICAL + _TYPICAL_SLACK
    )
    if unfamiliar:
        return Reason("view_unfamiliar", {"product": facts.product})
    # A shift or another lamp moves the places as well; the plainer word is the useful one.
    if seen.place is not None and seen.place > facts.place.high * _PLACE:
        return Reason("part_differs")
    return None


def _covered(strangeness: NDArray[np.float32]) -> float:
    beyond = (strangeness > _STRANGE).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(beyond, connectivity=8)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    areas = [int(stats[n, cv2.CC_STAT_AREA]) for n in set(rim.tolist()) - {0} if n < count]
    return max(areas, default=0) / strangeness.size


def _clipped(seen: Seen, drift: DriftFacts | None) -> Reason | None:
    if drift is None:
        return None
    if seen.bright_share > drift.bright_share + _CLIPPED:
        return Reason("view_overexposed", {"percent": round(100 * seen.bright_share)})
    if seen.dark_share > drift.dark_share + _CLIPPED:
        return Reason("view_underexposed", {"percent": round(100 * seen.dark_share)})
    return None


def _light(seen: Seen, facts: ProfileFacts, drift: DriftFacts | None) -> Reason | None:
    beyond = [_beyond(math.log(max(seen.brightness, 1.0)), _logs(facts.brightness), _LIGHT)]
    if drift and seen.measures:
        beyond.append(_beyond(seen.measures.light, _range(drift.light), _LIGHT))
        beyond.append(_beyond(seen.measures.highlight, _range(drift.highlight), _LIGHT))
    return _told(beyond, "view_darker", "view_brighter")


def _edges(seen: Seen, facts: ProfileFacts, drift: DriftFacts | None) -> Reason | None:
    beyond = [_beyond(math.log(max(seen.sharpness, 1e-4)), _logs(facts.sharpness), _SHARPNESS)]
    if drift and seen.measures:
        beyond.append(_beyond(seen.measures.fineness, _range(drift.fineness), _FINENESS))
    return _told(beyond, "view_blurred", "view_sharper")


def _shift(seen: Seen, drift: DriftFacts | None) -> Reason | None:
    if drift is None or seen.measures is None:
        return None
    x, y = seen.measures.x, seen.measures.y
    if not (_beyond(x, _range(drift.x), _SHIFT) or _beyond(y, _range(drift.y), _SHIFT)):
        return None
    return Reason(
        "view_shifted", {"x_px": round(x * seen.width_px), "y_px": round(y * seen.height_px)}
    )


def _told(beyond: list[float], less: str, more: str) -> Reason | None:
    """By the measure that lies farthest outside."""
    most = max(beyond, key=abs)
    if not most:
        return None
    return Reason(less if most < 0 else more, {"percent": round(100 * abs(math.expm1(most)))})


def _beyond(value: float, good: Range, slack: float) -> float:
    """How far outside the good ones' range a value lies; 0 within the slack."""
    outside = min(value - good.low, 0.0) or max(value - good.high, 0.0)
    return outside if abs(outside) > slack else 0.0


def _range(values: tuple[float, ...]) -> Range:
    return Range(min(values), max(values))


def _logs(good: Range) -> Range:
    return Range(math.log(max(good.low, 1e-4)), math.log(max(good.high, 1e-4)))
