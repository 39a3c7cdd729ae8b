"""How hard the next lot is looked at, from how the last ones fared (switching rules).

Normal to tightened: two of five or fewer lots in a row were rejected. Tightened to normal: five in a
row were accepted; discontinued: five were rejected under it. Normal to reduced: a switching score of
30 (ISO 2859-1:1999, 9.3.3.2), where the product allows it; back at the first rejection or doubt. Only
original inspection counts, so lots that come again after sorting are no part of the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from erp_link.domain.sampling import Outcome, Plan, SamplingRule, Severity, one_tighter

_REDUCE_AT = 30
_LOOK_BACK = 5
_TOO_MANY = 2
_CLEAN_RUN = 5
_DISCONTINUE_AT = 5
_FEW = 1


@dataclass(frozen=True, slots=True)
class Inspected:
    """One lot of the history, oldest first: its size, the plan used, and how it ended. `resumed`
    is no lot but a person's word that inspection may go on, tightened.
    """

    lot_size: int
    plan: Plan | None
    bad: int
    outcome: Outcome
    resumed: bool = False


@dataclass(slots=True)
class Standing:
    """Where a supplier's product stands. `score` is the switching score under normal inspection."""

    severity: Severity = Severity.NORMAL
    score: int = 0
    run: int = 0
    """Lots accepted in a row under tightened inspection."""
    rejected: int = 0
    """Lots rejected under tightened inspection since it began."""
    recent: tuple[bool, ...] = ()
    """Whether the last lots under normal inspection were accepted."""


def standing(
    history: Sequence[Inspected], rule: SamplingRule, *, reduced_allowed: bool = True
) -> Standing:
    """Fold the history of a supplier's product."""
    now = Standing()
    for lot in history:
        now = _after(now, lot, rule)
        if now.severity is Severity.REDUCED and not reduced_allowed:
            now = Standing()
    return now


def _after(now: Standing, lot: Inspected, rule: SamplingRule) -> Standing:
    if lot.resumed:
        return Standing(Severity.TIGHTENED)
    accepted = lot.outcome is not Outcome.REJECTED
    match now.severity:
        case Severity.NORMAL:
            now.recent = (*now.recent, accepted)[-_LOOK_BACK:]
            now.score = _scored(now.score, lot, rule)
            if now.recent.count(False) >= _TOO_MANY:
                now = Standing(Severity.TIGHTENED)
            elif now.score >= _REDUCE_AT:
                now = Standing(Severity.REDUCED)
        case Severity.TIGHTENED:
            now.run = now.run + 1 if accepted else 0
            now.rejected += not accepted
            if now.rejected >= _DISCONTINUE_AT:
                now = Standing(Severity.DISCONTINUED)
            elif now.run >= _CLEAN_RUN:
                now = Standing()
        case Severity.REDUCED if lot.outcome is not Outcome.ACCEPTED:
            now = Standing()
        case Severity.REDUCED | Severity.DISCONTINUED:
            pass
    return now


def _scored(score: int, lot: Inspected, rule: SamplingRule) -> int:
    """Two points for an accepted lot where at most one bad unit is allowed, else three where it
    would have been accepted one AQL tighter too; any other lot begins again from nothing.
    """
    if lot.outcome is Outcome.REJECTED or lot.plan is None:
        return 0
    if lot.plan.accept <= _FEW:
        return score + 2
    return score + 3 if lot.bad <= one_tighter(lot.lot_size, rule).accept else 0
