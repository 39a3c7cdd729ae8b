"""May a set that was just switched to stay? Judged by what the edge says of itself. Pure (I7).

A lane goes back when the edge refused its set, died or hung while loading it, started again and
again since, raised on cartons, or was late on too many of them. It stays when enough cartons passed
for long enough. An edge that is switched off is neither: the lane waits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from contracts.reason import Reason
from ota.agent.handover import INSTALLATION, LOADED, Active, LaneActive, Running
from ota.agent.steps.state import Seen

_MOST_STARTS = 3
"""Of the edge during one probation, that soon were followed by another: its first start and one by a
person are none of the set's, and one that is switched off each night is well.
"""
_LEAST_CARTONS = 20
"""Before lateness says anything."""
_US = 1_000_000
_NONE: Mapping[str, float] = MappingProxyType({})

Watched = Mapping[str, Mapping[str, Seen]]


@dataclass(frozen=True, slots=True)
class Probation:
    """Times in seconds."""

    cartons: int = 50
    least_s: float = 600.0
    longest_s: float = 86_400.0
    """With fewer cartons than `cartons` it ends here, where nothing spoke against the set."""
    most_errors: int = 1
    most_late_share: float = 0.1
    """Beyond the share under the set before: a slow machine is no set's fault."""
    load_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Lanes that must go back, and why; `waiting`: those that are still on probation."""

    bad: Mapping[str, Reason] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()


def unsettled(active: Active, settled: int) -> dict[str, LaneActive]:
    """The lanes that are on probation: those that the edge loads, with a set that has something to go
    back to.
    """
    return {
        lane: each
        for lane, each in active.lanes.items()
        if lane in LOADED and each.change > settled and each.model_set != INSTALLATION
    }


def watch(
    watched: Watched,
    lanes: Mapping[str, LaneActive],
    running: Running | None,
    *,
    passed_s: float = math.inf,
) -> Watched:
    """What was seen of the lanes on probation, with the edge's newest word. `passed_s`: since the
    last look, on a clock that nobody sets: the edge's own may leap by days when it is set right,
    and nothing ran for longer because of that.
    """
    kept = {lane: dict(watched.get(lane, {})) for lane in lanes}
    if running is None:
        return kept
    for lane, wanted in lanes.items():
        now = running.lanes.get(lane)
        if now is None or now.model_set != wanted.model_set or running.change < wanted.change:
            if running.loading >= wanted.change:
                kept[lane].setdefault(running.boot, Seen())
            continue
        known_us = kept[lane].get(running.boot, Seen()).ran_us
        ran_us = max(running.at_us - now.since_us, known_us)
        if ran_us > known_us + passed_s * _US:
            ran_us = known_us + round(passed_s * _US)
        kept[lane][running.boot] = Seen(now.cartons, now.errors, now.late, ran_us)
    return kept


def judge(
    lanes: Mapping[str, LaneActive],
    watched: Watched,
    running: Running | None,
    policy: Probation,
    *,
    silent_s: float,
    waited_s: float,
    late_before: Mapping[str, float] = _NONE,
) -> Outcome:
    """`silent_s`: since the edge's last word, `waited_s`: since the switch was asked for, both on a
    clock that nobody sets. `late_before`: share of late cartons under the set before, by lane.
    """
    bad: dict[str, Reason] = {}
    waiting = set()
    for lane, wanted in lanes.items():
        seen = watched.get(lane, {})
        reason = _of_the_edge(
            wanted, seen, running, policy, silent_s=silent_s, waited_s=waited_s
        ) or _of_cartons(seen, policy, late_before.get(lane, 0.0))
        if reason is not None:
            bad[lane] = replace(reason, params={**reason.params, "lane": lane})
        elif not _enough(seen, policy):
            waiting.add(lane)
    return Outcome(bad, frozenset(waiting))


def _of_the_edge(
    wanted: LaneActive,
    seen: Mapping[str, Seen],
    running: Running | None,
    policy: Probation,
    *,
    silent_s: float,
    waited_s: float,
) -> Reason | None:
    if running is None:
        return None
    if running.change >= wanted.change and (refused := running.refused.get(wanted.model_set)):
        return Reason("ota_edge_refused", {"why": refused.code})
    patience = min(silent_s, waited_s)
    if running.loading >= wanted.change and patience > policy.load_s:
        return Reason("ota_edge_stuck", {"seconds": round(patience)})
    deaf = running.change < wanted.change and not running.loading
    if deaf and silent_s < policy.load_s < waited_s:
        return Reason("ota_edge_never_switched", {"seconds": round(waited_s)})
    short = sum(each.ran_us < policy.least_s * _US for each in seen.values())
    if short > _MOST_STARTS:
        return Reason("ota_edge_restarts", {"starts": short})
    return None


def _of_cartons(seen: Mapping[str, Seen], policy: Probation, before: float) -> Reason | None:
    cartons = sum(each.cartons for each in seen.values())
    errors = sum(each.errors for each in seen.values())
    late = sum(each.late for each in seen.values())
    if errors > policy.most_errors:
        return Reason("ota_probation_errors", {"errors": errors, "cartons": cartons})
    if cartons >= _LEAST_CARTONS and late > (before + policy.most_late_share) * cartons:
        return Reason("ota_probation_late", {"late": late, "cartons": cartons})
    return None


def _enough(seen: Mapping[str, Seen], policy: Probation) -> bool:
    cartons = sum(each.cartons for each in seen.values())
    ran_s = sum(each.ran_us for each in seen.values()) / _US
    return ran_s >= policy.longest_s or (cartons >= policy.cartons and ran_s >= policy.least_s)
