"""One batch, one judge, in the books (I3): what a result is worth, and which goods wait for another.

A batch has generations, each with one judge. Goods that a machine looked at are free only by a pass
of the newest generation's judge, or by a person who has them in hand; a person is no model set, and
speaks for the generation of the day. Everything else is kept, may hold, and frees nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from contracts.errors import BadInputError
from contracts.inspection import InspectDecision
from contracts.judging import Pin, Standing, Watermark, judge_digest, parts_of, standing

FIRST = 1
"""Generations count from here; a batch that nobody pinned yet is in it."""


class ResultKind(StrEnum):
    """Who said something about a carton's goods, and on which occasion."""

    JUDGED = "judged"
    REJUDGED = "rejudged"
    PERSON = "person"
    """An operator who settled the carton, or quality with a usage decision."""


class TaskState(StrEnum):
    """How far the judging anew of a carton is."""

    ASKED = "asked"
    DONE = "done"
    PERSON = "person"
    """The frame or the set is gone, or the judge is in doubt: a person looks."""


@dataclass(frozen=True, slots=True)
class Result:
    """One word on a carton's goods, as far as its worth depends on it. `counts` is what it was worth
    to the pin of its own generation.
    """

    kind: ResultKind
    generation: int
    counts: bool
    decision: InspectDecision

    @property
    def frees(self) -> bool:
        return self.counts and self.decision is InspectDecision.PASS


def waits(results: Iterable[Result], generation: int) -> bool:
    """Whether goods wait for a result that counts, their batch being in `generation`. What no
    machine looked at waits for nobody.
    """
    known = list(results)
    if all(result.kind is ResultKind.PERSON for result in known):
        return False
    return not any(result.frees and result.generation == generation for result in known)


def worth(pin: Pin | None, mark: Watermark, named: str) -> Standing:
    """What a result is worth whose sets, by their own names, are the judge `named`: one that
    contradicts its watermark never counts.
    """
    found = standing(pin, mark)
    if found is Standing.COUNTS and named != mark.judge:
        return Standing.OTHER_JUDGE
    return found


def without_rings(bad: Mapping[str, str]) -> dict[str, str]:
    """What each bad set is replaced by in the end, where that one is bad too. Raises BadInputError
    where sets replace each other in a ring.
    """
    found: dict[str, str] = {}
    for first in bad:
        last = first
        for _ in bad:
            last = bad.get(last, last)
        if last in bad:
            raise BadInputError(
                f"{first} would be replaced by itself in the end",
                mend="Name a set that is not taken back, or none",
                model_set=first,
            )
        found[first] = last
    return found


def replaced(parts: Mapping[str, str], bad: Mapping[str, str]) -> dict[str, str]:
    """A judge's sets by use, bad ones replaced; a use whose set is replaced by none is left out."""
    named = {use: bad.get(digest, digest) for use, digest in parts.items()}
    return {use: digest for use, digest in named.items() if digest}


def mark_of(under: Watermark | None, model_sets: dict[str, str], profile: str) -> Watermark | None:
    """The watermark of a result. Older stations wrote none: who judged is worked out from the sets
    that the result names, as for a station that could not ask. None where it names nobody.
    """
    if under is not None:
        return under
    parts = parts_of(model_sets, profile)
    return Watermark(judge_digest(parts), FIRST, provisional=True) if parts else None
