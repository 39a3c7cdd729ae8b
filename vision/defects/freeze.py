"""When do defective cartons stand for their batch? k of n, with a stated error for each batch.

One defective carton is held; a batch is frozen only when good goods would hardly ever have given
as many. Two things must be unlikely, each by the stated error (I7):

* **On average over enrolments.** The threshold is the r-th largest of N good items' scores. Were
  the batch as good as they, the next carton would exceed it with probability
  (r + j) / (N + 1 + i) after j of i have: Pólya's urn, exact for exchangeable scores, and more
  careful than a fixed rate because a threshold that came out too low shows in the first cartons.
* **For this very profile.** With 98 % certainty at most a share s of good items lies beyond the
  threshold (`conformal.sure_below`); the cartons must be unlikely at any rate up to s.

Against each stands the same alternative, a defective share drawn evenly between s and 1. The
ratio of the two likelihoods is a test martingale (under rates up to s a supermartingale), so by
Ville's inequality it ever reaches 1 / error with probability at most `error`: one may look after
every carton, and stop or go on as one likes (Ville 1939; Shafer, Shen, Vereshchagin and Vovk, Test
martingales, Bayes factors and p-values, Statistical Science 2011; Ramdas et al., Game-theoretic
statistics and safe anytime-valid inference, 2023).

What is counted are cartons judged under one profile, in any order, each once. A carton in review
is not counted, nor is what was seen while the view may have drifted. A batch that is good but looks
new as a whole is not covered: the drift watch and the quality lead are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from vision.defects.conformal import rank, sure_below

ERROR = 0.01
_SHARES = 40
_SURE = 0.98
"""More than the 95 % that is promised of enrolments: a promise just kept is broken by chance."""


@dataclass(frozen=True, slots=True)
class FreezeRule:
    """`items` good ones set the threshold, which is their `rank`-th largest score; `error`: a good
    batch is frozen with at most this probability.
    """

    items: int
    rank: int
    error: float = ERROR

    def __post_init__(self) -> None:
        if not 1 <= self.rank <= self.items:
            raise ValueError(f"No rank {self.rank} among {self.items} items")
        if not 0 < self.error < 1:
            raise ValueError(f"An error is between 0 and 1, not {self.error}")

    @classmethod
    def of(
        cls, items: int, bound_percent: int | None, *, error: float = ERROR
    ) -> FreezeRule | None:
        """The rule of a profile with so many calibrating items (`len(facts.scores)`) and bound;
        None where there is no threshold, so nothing can be frozen.
        """
        at_rank = rank(items, bound_percent) if bound_percent else 0
        return cls(items, at_rank, error) if at_rank else None

    def evidence(self, seen: int, defective: int) -> float:
        """How many times likelier the cartons are in a defective batch than in a good one; the
        less favourable of the two comparisons. Raises ValueError for impossible counts.
        """
        if not 0 <= defective <= seen:
            raise ValueError(f"{defective} of {seen} cartons cannot be defective")
        return math.exp(min(_log_evidence(self.items, self.rank, seen, defective), 700.0))

    def freezes(self, seen: int, defective: int) -> bool:
        return self.evidence(seen, defective) >= 1 / self.error

    def needed(self, seen: int) -> int | None:
        """The least number of defective ones among `seen` that freezes; None: not even all."""
        return _needed(self, seen)


@dataclass(frozen=True, slots=True)
class Tally:
    """`defective` of `seen` cartons; `needed` of as many freeze (None: too few to say);
    `frozen_at`: the carton, counted from 1, at which the batch was to be frozen, or None. It stays
    frozen when good ones follow.
    """

    seen: int
    defective: int
    needed: int | None
    frozen_at: int | None

    @property
    def frozen(self) -> bool:
        return self.frozen_at is not None


def tally(defective: Iterable[bool], rule: FreezeRule) -> Tally:
    """Count a batch's judged cartons in the order they came; True for a defective one."""
    seen = bad = 0
    frozen_at: int | None = None
    for each in defective:
        seen += 1
        bad += each
        if frozen_at is None and each and rule.freezes(seen, bad):
            frozen_at = seen
    return Tally(seen, bad, rule.needed(seen), frozen_at)


@lru_cache(maxsize=4096)
def _needed(rule: FreezeRule, seen: int) -> int | None:
    # The evidence grows with every defective one, so the least number can be searched by halves.
    low, high = 1, seen + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if rule.freezes(seen, middle) else (middle + 1, high)
    return low if low <= seen else None


@lru_cache(maxsize=4096)
def _log_evidence(items: int, at_rank: int, seen: int, defective: int) -> float:
    passed = seen - defective
    most = _sure_below(items, at_rank)
    shares = [most + (1 - most) * (number + 0.5) / _SHARES for number in range(_SHARES)]
    logs = [defective * math.log(share) + passed * math.log1p(-share) for share in shares]
    peak = max(logs)
    alternative = peak + math.log(sum(math.exp(one - peak) for one in logs) / _SHARES)
    urn = _log_beta(at_rank + defective, items + 1 - at_rank + passed) - _log_beta(
        at_rank, items + 1 - at_rank
    )
    at_most = defective * math.log(most) + passed * math.log1p(-most)
    return alternative - max(urn, at_most)


@lru_cache(maxsize=256)
def _sure_below(items: int, at_rank: int) -> float:
    return sure_below(items, at_rank, sure=_SURE)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
