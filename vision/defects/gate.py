"""Does the picture still look like the ones the product was enrolled from?

A changed camera, lamp or focus leaves the ranking of scores whole and breaks their threshold (15 %
darker: every good item over a 5 % threshold). So before a score counts, the whole picture must lie
where the good ones lay; else the answer is review, with what changed (I7). An empty belt or
another product ends here too: never a silent pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.reason import Reason
from vision.defects.drift import Measures
from vision.defects.profile import ProfileFacts, Range


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture's measures, as in ProfileFacts; `shift` in shares of width and height."""

    width_px: int
    height_px: int
    brightness: float
    sharpness: float
    typical: float
    scene: float
    shift: tuple[float, float]
    place: float | None
    """The strangest cell, where the score does not judge it already."""
    measures: Measures | None = None
    """What the drift watch takes; None for a picture of another size."""


# How far beyond the enrolled range a picture may lie.
_LIGHT = 0.06
_SHARPNESS = 0.20
_TYPICAL, _TYPICAL_SLACK = 1.4, 0.03
# A defect changes a few of the sixteen cells (by about 0.02 in all), another product most of them
# (0.4 and more); where the good ones vary much, the ceiling still keeps strangers out.
_SCENE, _SCENE_SLACK, _SCENE_CEILING = 1.5, 0.06, 0.45
_SHIFT = 0.04
_PLACE = 1.3


def gate(seen: Seen, facts: ProfileFacts) -> tuple[Reason, ...]:
    """Every way in which the picture differs from the enrolled ones; empty when it may be judged."""
    if (seen.width_px, seen.height_px) != (facts.width_px, facts.height_px):
        got, wanted = (
            f"{w} x {h}"
            for w, h in ((seen.width_px, seen.height_px), (facts.width_px, facts.height_px))
        )
        return (Reason("view_size", {"got": got, "wanted": wanted}),)
    found = [
        _light(seen.brightness, facts.brightness),
        _sharpness(seen.sharpness, facts.sharpness),
        _shift(seen, facts),
    ]
    # A shift or another lamp changes the scene as well; the plainer word is the useful one.
    unfamiliar = (
        seen.scene > min(facts.scene.high * _SCENE + _SCENE_SLACK, _SCENE_CEILING)
        or seen.typical > facts.typical.high * _TYPICAL + _TYPICAL_SLACK
    )
    if unfamiliar:
        found.append(Reason("view_unfamiliar", {"product": facts.product}))
    elif seen.place is not None and seen.place > facts.place.high * _PLACE:
        found.append(Reason("part_differs"))
    return tuple(reason for reason in found if reason)


def _light(brightness: float, good: Range) -> Reason | None:
    if brightness < good.low * (1 - _LIGHT):
        return Reason("view_darker", {"percent": _percent(brightness, good.low)})
    if brightness > good.high * (1 + _LIGHT):
        return Reason("view_brighter", {"percent": _percent(brightness, good.high)})
    return None


def _sharpness(sharpness: float, good: Range) -> Reason | None:
    if sharpness < good.low * (1 - _SHARPNESS):
        return Reason("view_blurred", {"percent": _percent(sharpness, good.low)})
    if sharpness > good.high / (1 - _SHARPNESS):
        return Reason("view_sharper", {"percent": _percent(sharpness, good.high)})
    return None


def _shift(seen: Seen, facts: ProfileFacts) -> Reason | None:
    (x, y), goods = seen.shift, (facts.shift_x, facts.shift_y)
    outside = any(
        value < good.low - _SHIFT or value > good.high + _SHIFT
        for value, good in zip((x, y), goods, strict=True)
    )
    if not outside:
        return None
    return Reason(
        "view_shifted",
        {"x_px": round(x * facts.width_px), "y_px": round(y * facts.height_px)},
    )


def _percent(value: float, usual: float) -> int:
    return round(abs(1 - value / max(usual, 1e-6)) * 100)
