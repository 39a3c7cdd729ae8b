"""What somebody wants to happen: a candidate for a lane, in waves, with the gate of each (I3, I7)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from contracts.errors import BadInputError
from contracts.ota import LANES
from ota.gates.gate import GatePolicy

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HUNDRED = 100.0
_DAY_MINUTES = 24 * 60
SHADOWED = ("read", "inspect", "cracks", "detectors")
"""Lanes whose candidates can judge beside the running set."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Who comes in this wave: everybody who is named, of these cells or sites, and so many by
    chance that `percent` of the rollout's boxes are in this wave and those before it.

    `strata`: chance draws from each kind in proportion, a kind being the boxes with the same value
    of this label; `cell` and `site` may be named too. Empty: from all of them. `certify`: the wave
    ends only when its gate shows the candidate good on these very boxes; otherwise when they run.
    """

    percent: Annotated[float, msgspec.Meta(ge=0, le=100)] = 0.0
    cells: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    strata: str = ""
    by: Literal["box", "cell", "site"] = "box"
    """What chance draws: single boxes, or whole cells or sites, the one that crosses `percent` too."""
    certify: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """When boxes may begin to run something new, in the site's time. `days`: 0 is Monday. A window
    whose end is not after its start goes over midnight. Minutes count from midnight.
    """

    from_minute: Annotated[int, msgspec.Meta(ge=0, lt=1440)] = 0
    to_minute: Annotated[int, msgspec.Meta(ge=0, le=1440)] = _DAY_MINUTES
    days: tuple[Annotated[int, msgspec.Meta(ge=0, le=6)], ...] = (0, 1, 2, 3, 4, 5, 6)

    def holds(self, at: datetime) -> bool:
        """Whether `at`, in the site's zone, lies in it."""
        minute, day = at.hour * 60 + at.minute, at.weekday()
        if self.to_minute > self.from_minute:
            return day in self.days and self.from_minute <= minute < self.to_minute
        late = day in self.days and minute >= self.from_minute
        return late or ((day - 1) % 7 in self.days and minute < self.to_minute)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which boxes the rollout is about; empty: all. A box must fit every part that is not empty."""

    sites: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A rollout before it begins. It never changes afterwards.

    `shadow`: the candidate first judges beside the running set, and each wave is certified before a
    box of it runs the candidate. Without it, the gate looks at the boxes that run it already, where
    `watch` lets the set before it judge beside it.
    """

    lane: str
    candidate: str
    why: str = ""
    waves: tuple[Wave, ...] = (Wave(5.0), Wave(25.0), Wave(100.0))
    scope: Scope = field(default_factory=Scope)
    seed: int = 0
    """Of the choice by chance; 0: the rollout draws one and keeps it."""
    shadow: bool = True
    watch: bool = True
    decide: bool = False
    """Site acceptance: the first gate's figures stand, and a person decides whether any box runs it."""
    policy: GatePolicy = field(default_factory=GatePolicy)
    most_failed_percent: Annotated[float, msgspec.Meta(ge=0, le=100)] = 25.0
    """Above this share of a wave's boxes that refused it or went back by themselves: abort."""
    soak_s: Annotated[int, msgspec.Meta(ge=0)] = 600
    """So long a wave runs, after its last box began, before the next one."""
    not_before_us: int = 0
    """Microseconds since 1970, UTC."""
    windows: tuple[Window, ...] = ()
    """Empty: always."""
    zone: str = "UTC"
    """Of the windows; IANA."""

    def may_run(self, at: datetime) -> bool:
        """Whether boxes may begin to run the candidate at `at` (aware)."""
        local = at.astimezone(ZoneInfo(self.zone))
        return not self.windows or any(window.holds(local) for window in self.windows)

    def gate(self, number: int) -> GatePolicy:
        """The policy of the rollout's gate `number`, from 0. Each gate gets half of what is left of
        the chance of a false alarm (1 / `policy.abort_at` in all), the last two the same: so many
        looks at so many waves together stop a sound candidate no more often than one gate may.
        """
        share = 0.5 ** min(number + 1, max(self.gates - 1, 1)) if self.gates > 1 else 1.0
        return replace(self.policy, abort_at=self.policy.abort_at / share)

    @property
    def gates(self) -> int:
        """How many gates look for harm in this plan: shadow and running ones of each wave."""
        return len(self.waves) * (int(self.shadow) + 1)


def check_plan(plan: Plan) -> Plan:
    """`plan` itself. Raises BadInputError for one that cannot be carried out, saying why."""
    if plan.lane not in LANES:
        raise BadInputError(f"{plan.lane!r} is no lane", mend=f"Lanes are {', '.join(LANES)}")
    if not _DIGEST.fullmatch(plan.candidate):
        raise BadInputError(
            f"{plan.candidate[:80]!r} is no model set's digest",
            mend="Name a published set: tallyman ota sets lists them",
        )
    if not plan.waves:
        raise BadInputError("A rollout without a wave reaches nobody", mend="Name one wave or more")
    before = 0.0
    for number, wave in enumerate(plan.waves, start=1):
        if not (wave.percent or wave.cells or wave.sites or wave.boxes):
            raise BadInputError(
                f"Wave {number} names nobody", mend="Give it a percent, cells, sites or boxes"
            )
        if wave.percent and wave.percent <= before:
            raise BadInputError(
                f"Wave {number} reaches {wave.percent:g} %, an earlier one {before:g} % already",
                mend="Percentages count from the start and grow",
            )
        before = max(before, wave.percent)
    _check_gates(plan)
    try:
        ZoneInfo(plan.zone)
    except (KeyError, ValueError) as error:
        raise BadInputError(
            f"{plan.zone!r} is no time zone", mend="Use an IANA name such as Asia/Shanghai"
        ) from error
    return plan


def _check_gates(plan: Plan) -> None:
    """Whether its gates will have something to look at."""
    if plan.lane not in SHADOWED and (plan.shadow or any(w.certify for w in plan.waves)):
        raise BadInputError(
            f"Sets of lane {plan.lane} judge no frames, so that no gate can certify them",
            mend="Plan without shadow and with waves that are not certified",
        )
    if plan.decide and not (plan.shadow and plan.waves[0].certify):
        raise BadInputError(
            "Nothing would be shown before the decision to go live",
            mend="Let it run in shadow, and certify the first wave",
        )
    if not plan.shadow and not plan.watch and any(w.certify for w in plan.waves):
        raise BadInputError(
            "Nothing would judge beside the candidate, so that no gate can certify it",
            mend="Let it run in shadow, or be watched, or do not ask for certified waves",
        )
