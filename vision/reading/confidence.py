"""How likely is each answer? (I7)

With a list there are three: the best announced line, a carton that nobody announced, another
announced line. One multinomial logistic model over a few facts about the evidence shares the whole
probability among them (Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning", 4.4).
It is fitted by models/recipes/label_reader on frames with known truth; its numbers are part of the
model set, never of the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, prod

from vision.reading.fusion import FieldSupport, Fused
from vision.reading.plain import PlainReading

_NOT_PRINTED = -2.0


@dataclass(frozen=True, slots=True)
class Logistic:
    """`probability = 1 / (1 + exp(-(bias + sum weight * fact)))`."""

    bias: float
    weights: Mapping[str, float]

    def probability(self, facts: Mapping[str, float]) -> float:
        """`facts` must hold every name in `weights`."""
        return 1.0 / (1.0 + exp(-self.odds(facts)))

    def odds(self, facts: Mapping[str, float]) -> float:
        """The log odds, held within +-30."""
        total = self.bias + sum(weight * facts[name] for name, weight in self.weights.items())
        return max(-30.0, min(30.0, total))


@dataclass(frozen=True, slots=True)
class Shares:
    """Probabilities that sum to 1: the best announced line, none of the list, another line."""

    best: float
    off_list: float
    other: float


@dataclass(frozen=True, slots=True)
class Answers:
    """Log odds of the other two answers against the best announced line."""

    off_list: Logistic
    other: Logistic

    def shares(self, facts: Mapping[str, float]) -> Shares:
        """`facts` must hold every name that the models weigh."""
        off, other = exp(self.off_list.odds(facts)), exp(self.other.odds(facts))
        whole = 1 + off + other
        return Shares(1 / whole, off / whole, other / whole)


def facts_of(fused: Fused) -> dict[str, float]:
    """What the shares rest on; every fact is about -1..1."""
    batch, expiry, gtin = (fused.fields[name] for name in ("batch", "expiry", "gtin"))
    return {
        "margin": _clip(fused.margin, 0, 12) / 12,
        "batch_evidence": _clip(batch.evidence, 0, 20) / 20,
        "batch_edit": _clip(batch.edit, -10, 6) / 8,
        "batch_rival": _rival(batch),
        "batch_unseen": min(batch.support.unseen, 3) / 3 if not batch.from_symbol else 0.0,
        "expiry_evidence": _clip(expiry.evidence, 0, 20) / 20,
        "expiry_edit": _clip(expiry.edit, -10, 6) / 8,
        "expiry_rival": _rival(expiry),
        "expiry_unseen": min(expiry.support.unseen, 3) / 3 if not expiry.from_symbol else 0.0,
        "gtin_rival": _rival(gtin) if gtin.printed else _NOT_PRINTED / 6,
        "symbol": float(batch.from_symbol),
        "conflict": float(any(each.against_symbol for each in fused.fields.values())),
    }


def facts_of_plain(plain: PlainReading) -> dict[str, float]:
    """What the confidence of a reading without a list rests on."""
    fields = (plain.fields.gtin, plain.fields.batch, plain.fields.expiry)
    found = [field.confidence for field in fields if field is not None]
    return {
        "least": -log(1.0 - min(found, default=0.0) + 0.002) / 6,
        "all": -log(1.0 - prod(found) + 0.002) / 6 if found else 0.0,
        "missing": (3 - len(found)) / 3,
        "symbols": sum(field is not None and field.source == "symbol" for field in fields) / 3,
        "conflict": float(bool(plain.conflicts)),
    }


def _rival(field: FieldSupport) -> float:
    return _clip(field.worst, -6, 4) / 6


def _clip(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))
