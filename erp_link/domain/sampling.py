"""How many of a lot are looked at, and how many bad ones it may have (acceptance by attributes).

Method and tables: MIL-STD-105E (public), whose single sampling plans are those of ISO 2859-1 and
ANSI/ASQ Z1.4. Along a diagonal of the master tables (code letter plus AQL) the numbers are the same,
which is how they are kept here: `_NORMAL[d]` for d = place of the letter + place of the AQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contracts.errors import BadInputError

LETTERS = "ABCDEFGHJKLMNPQRS"
AQLS = (
    *("0.010", "0.015", "0.025", "0.040", "0.065", "0.10", "0.15", "0.25", "0.40", "0.65"),
    *("1.0", "1.5", "2.5", "4.0", "6.5", "10", "15", "25", "40", "65"),
    *("100", "150", "250", "400", "650", "1000"),
)
"""Acceptable quality limits: per cent nonconforming, above 10 nonconformities per 100 units."""
_SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000, 3150)
_REDUCED_SIZES = (2, 2, 2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800)


class Level(StrEnum):
    """General inspection levels; II unless a product says otherwise (MIL-STD-105E, 4.9.1)."""

    I = "I"  # noqa: E741 -- the standard's name
    II = "II"
    III = "III"


class Severity(StrEnum):
    """How hard lots are looked at. DISCONTINUED: none is accepted until a person says so."""

    NORMAL = "normal"
    TIGHTENED = "tightened"
    REDUCED = "reduced"
    DISCONTINUED = "discontinued"


# Table I: the largest lot for each row, and the code letters for levels I, II, III.
_TABLE_I: tuple[tuple[int | None, str], ...] = (
    (8, "AAB"),
    (15, "ABC"),
    (25, "BCD"),
    (50, "CDE"),
    (90, "CEF"),
    (150, "DFG"),
    (280, "EGH"),
    (500, "FHJ"),
    (1200, "GJK"),
    (3200, "HKL"),
    (10_000, "JLM"),
    (35_000, "KMN"),
    (150_000, "LNP"),
    (500_000, "MPQ"),
    (None, "NQR"),
)
_Numbers = Mapping[int, tuple[int, int]]
_NORMAL: _Numbers = {
    14: (0, 1), 17: (1, 2), 18: (2, 3), 19: (3, 4), 20: (5, 6), 21: (7, 8),
    22: (10, 11), 23: (14, 15), 24: (21, 22), 25: (30, 31), 26: (44, 45),
}  # fmt: skip
_TIGHTENED: _Numbers = {
    15: (0, 1), 18: (1, 2), 19: (2, 3), 20: (3, 4), 21: (5, 6), 22: (8, 9),
    23: (12, 13), 24: (18, 19), 25: (27, 28), 26: (41, 42),
}  # fmt: skip
_REDUCED: _Numbers = {
    14: (0, 1), 17: (0, 2), 18: (1, 3), 19: (1, 4), 20: (2, 5), 21: (3, 6),
    22: (5, 8), 23: (7, 10), 24: (10, 13), 25: (14, 17), 26: (21, 24),
}  # fmt: skip
_REDUCED_A: _Numbers = {
    14: (0, 1), 17: (1, 2), 18: (2, 3), 19: (3, 4), 20: (5, 6), 21: (7, 8),
    22: (10, 11), 23: (14, 15), 24: (21, 22), 25: (30, 31),
}  # fmt: skip
_REDUCED_B: _Numbers = {
    14: (0, 1), 17: (0, 2), 18: (1, 3), 19: (2, 4), 20: (3, 5), 21: (5, 6),
    22: (7, 8), 23: (10, 11), 24: (14, 15), 25: (21, 22), 26: (30, 31),
}  # fmt: skip
_NO_MORE_AFTER = 24
"""From code letter F on, plans for more than 21 (normal) in a sample use the letter above."""
_MANY_UP_TO = LETTERS.index("E")
_UP_AT = 15
"""The diagonal whose arrows point up; on those before it and the one after it they point down."""


@dataclass(frozen=True, slots=True)
class SamplingRule:
    """How a product's deliveries are sampled. Raises BadInputError for an AQL that no table has."""

    aql: str
    level: Level = Level.II

    def __post_init__(self) -> None:
        if self.aql not in AQLS:
            raise BadInputError(
                f"An AQL of {self.aql!r}", mend=f"Choose one of {', '.join(AQLS)}", aql=self.aql
            )


@dataclass(frozen=True, slots=True)
class Plan:
    """Look at `sample` units: accept the lot with at most `accept` bad ones, reject it from
    `reject` on. Under reduced inspection there may be numbers between the two.
    """

    letter: str
    sample: int
    accept: int
    reject: int
    severity: Severity
    whole_lot: bool = False
    """The plan asks for as many as there are, or more: every unit is looked at."""


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    ACCEPTED_IN_DOUBT = "accepted_in_doubt"
    """Between the two numbers of reduced inspection: accepted, and the next lot is looked at
    normally again (MIL-STD-105E, 4.10.1.4 c)."""
    REJECTED = "rejected"


def code_letter(lot_size: int, level: Level) -> str:
    """The sample size code letter of table I. Raises BadInputError for an empty lot."""
    if lot_size < 1:
        raise BadInputError(f"A lot of {lot_size} units", mend="Give a lot of at least 1")
    for most, letters in _TABLE_I:
        if most is None or lot_size <= most:
            return letters[list(Level).index(level)]
    raise AssertionError("table I has a last row without an end")


def plan_for(lot_size: int, rule: SamplingRule, severity: Severity = Severity.NORMAL) -> Plan:
    """The single sampling plan for a lot, arrows followed. Raises BadInputError."""
    if severity is Severity.DISCONTINUED:
        raise BadInputError(
            "Sampling is discontinued for this supplier's product",
            mend="Look at every unit, or resume at tightened inspection with a reason",
        )
    start = LETTERS.index(code_letter(lot_size, rule.level))
    letter, (accept, reject) = _follow(start, AQLS.index(rule.aql), severity)
    sizes = _REDUCED_SIZES if severity is Severity.REDUCED else _SIZES
    sample = sizes[letter]
    whole = sample >= lot_size
    return Plan(LETTERS[letter], min(sample, lot_size), accept, reject, severity, whole)


def judge(plan: Plan, bad: int) -> Outcome:
    """What `bad` nonconforming units in the sample mean for the lot. Raises BadInputError."""
    if bad < 0:
        raise BadInputError(f"{bad} bad units", mend="Give a number from 0 on")
    if bad <= plan.accept:
        return Outcome.ACCEPTED
    return Outcome.REJECTED if bad >= plan.reject else Outcome.ACCEPTED_IN_DOUBT


def one_tighter(lot_size: int, rule: SamplingRule) -> Plan:
    """The normal plan for the next smaller AQL, which the switching score asks for."""
    at = max(0, AQLS.index(rule.aql) - 1)
    return plan_for(lot_size, SamplingRule(AQLS[at], rule.level))


def _follow(start: int, aql: int, severity: Severity) -> tuple[int, tuple[int, int]]:
    """Along the arrows of the master table to the plan that is used."""
    last = len(_SIZES) - 1 if severity is Severity.TIGHTENED else len(_REDUCED_SIZES) - 1
    letter, step = start, 0
    while (found := _numbers(letter, letter + aql, severity)) is None:
        wanted = _arrow(letter + aql, severity)
        # On the edge of a table an arrow can only point inwards, and none is followed back.
        if not 0 <= letter + wanted <= last:
            wanted = -wanted
        step = step or wanted
        letter += step
        if not 0 <= letter <= last:
            letter, step = start, -step
    return letter, found


def _numbers(letter: int, diagonal: int, severity: Severity) -> tuple[int, int] | None:
    if letter > _MANY_UP_TO and diagonal > _NO_MORE_AFTER:
        return None
    match severity:
        case Severity.TIGHTENED:
            # Two units tell too little for a tightened plan without a single bad one.
            return None if letter == 0 and diagonal == _UP_AT else _TIGHTENED.get(diagonal)
        case Severity.REDUCED:
            table = {0: _REDUCED_A, 1: _REDUCED_B}.get(letter, _REDUCED)
            return table.get(diagonal)
        case _:
            return _NORMAL.get(diagonal)


def _arrow(diagonal: int, severity: Severity) -> int:
    if diagonal >= _NO_MORE_AFTER:
        return -1
    if severity is not Severity.TIGHTENED and diagonal == _UP_AT:
        return -1
    return 1
