"""Who comes in which wave. Chance draws within strata: people pick the boxes that they trust, and
what is shown on those says little about the rest.
"""

from __future__ import annotations

import math
import random
import secrets
from collections.abc import Iterable, Sequence

from contracts.errors import BadInputError
from ota.rollout.boxes import Box, Fleet, Heard
from ota.rollout.events import STANDS_BY, Member
from ota.rollout.plan import Plan, Scope, Wave

_HUNDRED = 100
_MOST_TOLD = 10


def drawn() -> int:
    """A seed by chance, for a plan that names none."""
    return secrets.randbelow(2**31) + 1


def choose(plan: Plan, fleet: Fleet, *, seed: int) -> tuple[Member, ...]:
    """Every box that has ever reported and is let in, with its wave, sorted by name; the same `seed` over the
    same boxes draws the same waves. Boxes outside the plan stand by: those that share a cell with
    a wave must hold the candidate too before anybody there runs it.
    """
    known = {name: each for name, each in fleet.items() if each.known}
    boxes = {name: each.box for name, each in sorted(known.items()) if fits(plan.scope, each.box)}
    # Which boxes come first is no secret; it must only not be anybody's liking.
    chance = random.Random(seed)  # noqa: S311 -- a draw to be repeated from its seed, no key
    waves: dict[str, int] = {}
    for number, wave in enumerate(plan.waves):
        left = {name: box for name, box in boxes.items() if name not in waves}
        named = [name for name, box in left.items() if _named(wave, box)]
        waves.update(dict.fromkeys(named, number))
        short = math.ceil(len(boxes) * wave.percent / _HUNDRED) - len(waves)
        if short > 0:
            rest = [box for name, box in left.items() if name not in waves]
            waves.update(dict.fromkeys(_drawn(wave, rest, short, chance), number))
    return tuple(
        Member(
            name, each.box.cell, waves.get(name, STANDS_BY), before(plan, running_of(each, plan))
        )
        for name, each in sorted(known.items())
    )


def check_names(plan: Plan, fleet: Fleet) -> None:
    """Raises BadInputError for a cell, site or box that the plan names and nobody stands at or is:
    a slip of the keyboard would make an empty wave.
    """
    boxes = [each.box for each in fleet.values() if each.admitted]
    here = {
        "cell": {box.cell for box in boxes},
        "site": {box.site for box in boxes},
        "box": {box.device for box in boxes},
    }
    for number, wave in enumerate(plan.waves, start=1):
        for kind, names in (("cell", wave.cells), ("site", wave.sites), ("box", wave.boxes)):
            for name in names:
                if name not in here[kind]:
                    raise BadInputError(
                        f"Wave {number} names {kind} {name[:80]!r}, and no box is there",
                        mend=f"Name one of {_some(here[kind])}",
                    )


def _some(names: Iterable[str]) -> str:
    known = sorted(name for name in names if name)
    more = f" and {len(known) - _MOST_TOLD} more" if len(known) > _MOST_TOLD else ""
    return (", ".join(known[:_MOST_TOLD]) or "none yet: tallyman ota place") + more


def late(plan: Plan, heard: Heard) -> Member:
    """A box that came after the start: in the last wave where the plan reaches everybody."""
    box = heard.box
    everybody = plan.waves[-1].percent >= _HUNDRED
    named = any(_named(wave, box) for wave in plan.waves)
    wave = len(plan.waves) - 1 if (everybody or named) and fits(plan.scope, box) else STANDS_BY
    return Member(box.device, box.cell, wave, before(plan, running_of(heard, plan)))


def before(plan: Plan, running: str) -> str:
    """What a box goes back to: what it runs, unless that is the candidate itself."""
    return "" if running == plan.candidate else running


def fits(scope: Scope, box: Box) -> bool:
    """Whether a rollout is about this box."""
    return (
        (not scope.sites or box.site in scope.sites)
        and (not scope.cells or box.cell in scope.cells)
        and all(box.label(name) == value for name, value in scope.labels.items())
    )


def running_of(heard: Heard, plan: Plan) -> str:
    """What the box says that it runs in the plan's lane; empty where it says nothing."""
    return heard.report.running.get(plan.lane, "") if heard.report is not None else ""


def _named(wave: Wave, box: Box) -> bool:
    return box.device in wave.boxes or box.cell in wave.cells or box.site in wave.sites


def _drawn(wave: Wave, boxes: Sequence[Box], wanted: int, chance: random.Random) -> list[str]:
    """At least `wanted` of them where there are so many: in each stratum every unit gets a place
    at random along the same line, evenly spaced, so that whatever piece is cut off holds each
    stratum in its proportion and no unit has a better chance than another of its stratum.
    """
    units: dict[str, list[Box]] = {}
    for box in boxes:
        units.setdefault(box.device if wave.by == "box" else box.label(wave.by), []).append(box)
    strata: dict[str, list[list[Box]]] = {}
    for unit in units.values():
        kind = unit[0].label(wave.strata) if wave.strata else ""
        strata.setdefault(kind, []).append(unit)
    placed: list[tuple[float, list[Box]]] = []
    for _, members in sorted(strata.items()):
        chance.shuffle(members)
        shift = chance.random()
        placed += [((n + shift) / len(members), unit) for n, unit in enumerate(members)]
    placed.sort(key=lambda each: each[0])
    drawn: list[str] = []
    for _, unit in placed:
        if len(drawn) >= wanted:
            break
        drawn += [box.device for box in unit]
    return drawn
