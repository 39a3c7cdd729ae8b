"""Has the view drifted since the product was enrolled? Told over a run of pictures.

A lamp that ages, a lens out of focus, a camera that was knocked: the ranking of scores survives,
their threshold does not, and good goods would be called defective. Single pictures differ too
much to show it where goods lie loosely. So the medians of the last few pictures are held against
those of the enrolled items (one value an item), in standard errors of both. Where a change is
certain, verdicts are suspended: a pass and a defect become a review that says what changed (I7),
and no batch may be frozen. Suspension ends with a new calibration or with a full run of pictures
that lie where the good ones lay.

The false alarms of the test are those of its rule of thumb, not of a theorem: their rate is
measured (`appliance.bench.inspecting.drift_runs`), and a changed view must also matter, not only
be certain.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from statistics import median
from typing import TYPE_CHECKING

from contracts.inspection import InspectDecision, Inspection
from contracts.reason import Reason
from vision.defects.usual import Usual, lie_of, usual_of

if TYPE_CHECKING:
    from vision.defects.gate import Seen
    from vision.defects.looks import Look

RUN = 20
"""So many pictures in range end a suspension."""
SETTLED = 5
"""So many pictures of a run must have been seen before a batch may be frozen."""
DRIFTED = "view_drifted"
"""The reason that a suspended verdict begins with."""
_WINDOWS = (5, 10, RUN)
_CERTAIN, _DOUBTFUL = 4.5, 3.0
"""Standard errors of the difference of two medians."""
_NORMAL, _OF_MEDIAN = 1.4826, 1.2533
_CHANGED = {"view_darker", "view_brighter", "view_blurred", "view_sharper", "view_shifted"}
_OTHER_THINGS = {"view_size", "view_unfamiliar", "view_other_product", "view_obstructed"}
_PLACE = ("x", "y")
"""Told from goods that lie loosely, a place strays far now and then: five pictures are too few."""
_RARE, _RARE_PLACE = 10, 5
"""One in so many good items lies beyond what is called common, on either side."""
_FOLDS = 5
_FEW = 5


@dataclass(frozen=True, slots=True)
class Measures:
    """What drift is told from. Light, highlight, sharpness, fineness and typical (the median
    patch distance) are logarithms, `x` and `y` shares of width and height.
    """

    light: float
    highlight: float
    sharpness: float
    fineness: float
    x: float
    y: float
    typical: float


_NAMES = tuple(field.name for field in fields(Measures))
_MATTERS = Measures(
    light=0.05, highlight=0.05, sharpness=0.12, fineness=0.06, x=0.006, y=0.006, typical=0.15
)
"""A smaller difference leaves the calibration good."""
_LEAST = Measures(
    light=0.01, highlight=0.01, sharpness=0.02, fineness=0.01, x=0.001, y=0.001, typical=0.02
)
"""A good item's deviation is taken as at least so much: a few equal pictures prove no rule."""


@dataclass(frozen=True, slots=True)
class DriftFacts:
    """What good pictures looked like: the usual view, each measure with one value an item, and
    the largest share of pixels at the dark and the bright end of the scale.
    """

    usual: Usual
    light: tuple[float, ...]
    highlight: tuple[float, ...]
    sharpness: tuple[float, ...]
    fineness: tuple[float, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    typical: tuple[float, ...]
    dark_share: float = 0.0
    bright_share: float = 0.0


@dataclass(frozen=True, slots=True)
class WatchState:
    """A watch's memory, for one that goes on after a restart. `reasons` while suspended."""

    recent: tuple[Measures, ...] = ()
    in_range: int = 0
    reasons: tuple[Reason, ...] = ()


def learn_drift(
    looks: Sequence[Look], typical: Sequence[float], *, items: Sequence[str]
) -> DriftFacts:
    """From the looks of good pictures, their median patch distances to the *other* items, and the
    item on each picture. An item's place and light are told from the view that others make
    usual, as those of a new item will be.
    """
    names = list(dict.fromkeys(items))
    first = {item: number for number, item in reversed(list(enumerate(items)))}
    folds = min(_FOLDS, len(names))
    usual = usual_of([looks[first[name]].thumb for name in names])
    found: dict[str, list[Measures]] = {name: [] for name in names}
    for fold in range(folds):
        others = [name for number, name in enumerate(names) if number % folds != fold]
        view = usual_of([looks[first[name]].thumb for name in others]) if others else usual
        for item, look, distance in zip(items, looks, typical, strict=True):
            if item not in others:
                found[item].append(measures_of(look, distance, view))
    each = [_middle(found[name]) for name in names]
    return DriftFacts(
        usual,
        **{name: tuple(round(getattr(one, name), 6) for one in each) for name in _NAMES},
        dark_share=max(look.dark_share for look in looks),
        bright_share=max(look.bright_share for look in looks),
    )


def measures_of(look: Look, typical: float, usual: Usual) -> Measures:
    """`typical` is the picture's median patch distance."""
    lie = lie_of(look.thumb, usual)
    return Measures(
        light=lie.light,
        highlight=math.log(max(look.highlight, 1.0)),
        sharpness=math.log(max(look.sharpness, 1e-4)),
        fineness=math.log(max(look.fineness, 1e-4)),
        x=lie.x,
        y=lie.y,
        typical=math.log(max(typical, 1e-4)),
    )


class DriftWatch:
    """Watches the pictures of one camera under one profile, in the order they were taken.

    Not safe for several threads: give each camera and profile a watch of its own. A profile that
    was recalibrated comes with a new watch.
    """

    def __init__(self, facts: DriftFacts, state: WatchState | None = None) -> None:
        state = state or WatchState()
        self._good = {name: tuple(getattr(facts, name)) for name in _NAMES}
        self._recent = deque(state.recent, maxlen=RUN)
        self._in_range = state.in_range
        self._reasons = state.reasons
        self._size = (0, 0)

    @property
    def state(self) -> WatchState:
        return WatchState(tuple(self._recent), self._in_range, self._reasons)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What changed, while verdicts are suspended; empty otherwise."""
        return self._reasons

    @property
    def suspended(self) -> bool:
        return bool(self._reasons)

    @property
    def steady(self) -> bool:
        """Whether a batch may be frozen now: enough pictures seen, and nothing looks like drift."""
        return not self._reasons and len(self._recent) >= SETTLED and not self._changed(_DOUBTFUL)

    def settle(self, inspection: Inspection, seen: Seen) -> Inspection:
        """The inspection as it stands in this run: unchanged, or a review while suspended."""
        codes = {reason.code for reason in inspection.reasons}
        # A hand or an empty belt says nothing of lamp and lens; a changed view says so as well.
        if codes & _CHANGED or not codes & _OTHER_THINGS:
            self._take(seen)
        if not self._reasons or inspection.decision is InspectDecision.REVIEW:
            return inspection
        return replace(
            inspection,
            decision=InspectDecision.REVIEW,
            reasons=(Reason(DRIFTED, {"pictures": RUN}), *self._reasons),
        )

    def _take(self, seen: Seen) -> None:
        measures = seen.measures
        if measures is None:
            return
        self._size = (seen.width_px, seen.height_px)
        self._recent.append(measures)
        if self._reasons:
            self._in_range = self._in_range + 1 if self._lies_in_range(measures) else 0
            if self._in_range >= RUN and not self._changed(_CERTAIN):
                self._reasons, self._in_range = (), 0
        else:
            self._reasons = self._told(self._changed(_CERTAIN))

    def _lies_in_range(self, measures: Measures) -> bool:
        return all(
            min(self._good[name]) - getattr(_MATTERS, name)
            <= getattr(measures, name)
            <= max(self._good[name]) + getattr(_MATTERS, name)
            for name in _NAMES
        )

    def _changed(self, level: float) -> dict[str, float]:
        """By how much each measure moved that moved for sure, over the longest run that shows it."""
        found: dict[str, float] = {}
        for name in _NAMES:
            values = [getattr(one, name) for one in self._recent]
            for length in _WINDOWS if name not in _PLACE else _WINDOWS[1:]:
                if len(values) >= length:
                    moved = _moved(self._good[name], values[-length:], name, level)
                    # Goods that look more usual than the enrolled ones are no harm.
                    if moved > 0 or (moved and name != "typical"):
                        found[name] = moved
        return found

    def _told(self, changed: dict[str, float]) -> tuple[Reason, ...]:
        width, height = self._size
        light = _stronger(changed, "light", "highlight")
        edges = _stronger(changed, "fineness", "sharpness")
        reasons = []
        if light:
            code = "view_darker" if light < 0 else "view_brighter"
            reasons.append(Reason(code, {"percent": _percent(light)}))
        if edges:
            code = "view_blurred" if edges < 0 else "view_sharper"
            reasons.append(Reason(code, {"percent": _percent(edges)}))
        if "x" in changed or "y" in changed:
            x, y = changed.get("x", 0.0), changed.get("y", 0.0)
            params: dict[str, str | int | float] = {
                "x_px": round(x * width),
                "y_px": round(y * height),
            }
            reasons.append(Reason("view_shifted", params))
        if "typical" in changed and not reasons:
            reasons.append(Reason("view_unlike", {"percent": _percent(changed["typical"])}))
        return tuple(reasons)


def _moved(good: Sequence[float], recent: Sequence[float], name: str, level: float) -> float:
    """The difference of the medians where it matters and is certain, else 0."""
    if len(good) < _FEW:
        return 0.0
    usual, now = median(good), median(recent)
    # Goods come in batches that are more alike than the enrolled ones: a run within what is
    # common among good ones is no drift.
    ranked, edge = sorted(good), len(good) // (_RARE_PLACE if name in _PLACE else _RARE)
    common = ranked[edge] <= now <= ranked[-1 - edge]
    if common or abs(now - usual) < getattr(_MATTERS, name):
        return 0.0
    deviation = _NORMAL * median(abs(value - usual) for value in good)
    deviation = max(deviation, getattr(_LEAST, name))
    error = _OF_MEDIAN * deviation * math.sqrt(1 / len(good) + 1 / len(recent))
    return now - usual if abs(now - usual) > level * error else 0.0


def _stronger(changed: dict[str, float], *names: str) -> float:
    return max((changed.get(name, 0.0) for name in names), key=abs)


def _percent(logarithm: float) -> int:
    return round(100 * abs(math.expm1(logarithm)))


def _middle(measures: Sequence[Measures]) -> Measures:
    """One value an item: the median of its pictures, each measure by itself."""
    return Measures(*(median(values) for values in zip(*map(astuple, measures), strict=True)))
