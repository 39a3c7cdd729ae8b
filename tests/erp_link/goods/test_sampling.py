"""Sampling plans as the master tables of MIL-STD-105E print them, arrows and all."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError
from erp_link.domain.sampling import (
    AQLS,
    Level,
    Outcome,
    Plan,
    SamplingRule,
    Severity,
    code_letter,
    judge,
    plan_for,
)
from erp_link.domain.switching import Inspected, standing

PRINTED = ("0.65", "1.0", "1.5", "2.5", "4.0", "6.5", "10", "15")
SIZES = dict(
    zip(
        "ABCDEFGHJKLMNPQ",
        (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250),
        strict=True,
    )
)
# Rejection numbers by row and AQL as printed; v: the first plan below, ^: the first plan above.
NORMAL = {
    "A": "v v v v v 1 v v",
    "B": "v v v v 1 ^ v 2",
    "C": "v v v 1 ^ v 2 3",
    "D": "v v 1 ^ v 2 3 4",
    "E": "v 1 ^ v 2 3 4 6",
    "F": "1 ^ v 2 3 4 6 8",
    "G": "^ v 2 3 4 6 8 11",
    "H": "v 2 3 4 6 8 11 15",
    "J": "2 3 4 6 8 11 15 22",
    "K": "3 4 6 8 11 15 22 ^",
    "L": "4 6 8 11 15 22 ^ ^",
    "M": "6 8 11 15 22 ^ ^ ^",
    "N": "8 11 15 22 ^ ^ ^ ^",
    "P": "11 15 22 ^ ^ ^ ^ ^",
    "Q": "15 22 ^ ^ ^ ^ ^ ^",
}
TIGHTENED = {
    "A": "v v v v v v v v",
    "B": "v v v v v 1 v v",
    "C": "v v v v 1 v v 2",
    "D": "v v v 1 v v 2 3",
    "E": "v v 1 v v 2 3 4",
    "F": "v 1 v v 2 3 4 6",
    "G": "1 v v 2 3 4 6 9",
    "H": "v v 2 3 4 6 9 13",
    "J": "v 2 3 4 6 9 13 19",
    "K": "2 3 4 6 9 13 19 ^",
    "L": "3 4 6 9 13 19 ^ ^",
}
LOT_OF = dict(
    zip(
        "ABCDEFGHJKLMNPQ",
        (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10**4, 35000, 150000, 500000, 10**6),
        strict=True,
    )
)


def printed(table: dict[str, str], letter: str, column: int) -> tuple[str, int]:
    """The row and rejection number that a reader of the table ends at."""
    rows = list(table)
    at = rows.index(letter)
    while (cell := table[rows[at]].split()[column]) in "v^":
        at += 1 if cell == "v" else -1
    return rows[at], int(cell)


@pytest.mark.parametrize(
    ("table", "severity"), [(NORMAL, Severity.NORMAL), (TIGHTENED, Severity.TIGHTENED)]
)
def test_plans_are_those_of_the_printed_tables(table: dict[str, str], severity: Severity) -> None:
    for letter in table:
        for column, aql in enumerate(PRINTED):
            lot = LOT_OF[letter]
            assert code_letter(lot, Level.II) == letter
            plan = plan_for(lot, SamplingRule(aql), severity)
            row, reject = printed(table, letter, column)
            assert (plan.letter, plan.reject, plan.accept) == (row, reject, reject - 1)
            assert plan.sample == min(SIZES[row], lot)


@pytest.mark.parametrize(
    ("lot", "level", "letter"),
    [(1, "II", "A"), (2, "III", "B"), (51, "I", "C"), (1200, "II", "J"), (10**7, "III", "R")],
)
def test_code_letters(lot: int, level: str, letter: str) -> None:
    assert code_letter(lot, Level(level)) == letter


def test_reduced_inspection_leaves_room_for_doubt() -> None:
    plan = plan_for(3200, SamplingRule("1.0"), Severity.REDUCED)
    assert (plan.letter, plan.sample, plan.accept, plan.reject) == ("K", 50, 1, 4)
    assert [judge(plan, bad) for bad in (1, 2, 3, 4)] == [
        Outcome.ACCEPTED,
        Outcome.ACCEPTED_IN_DOUBT,
        Outcome.ACCEPTED_IN_DOUBT,
        Outcome.REJECTED,
    ]


@given(
    st.integers(1, 2_000_000),
    st.sampled_from(AQLS),
    st.sampled_from(list(Level)),
    st.sampled_from([Severity.NORMAL, Severity.TIGHTENED, Severity.REDUCED]),
)
def test_every_lot_has_a_plan(lot: int, aql: str, level: Level, severity: Severity) -> None:
    plan = plan_for(lot, SamplingRule(aql, level), severity)
    assert 1 <= plan.sample <= lot
    assert 0 <= plan.accept < plan.reject
    assert plan.whole_lot == (plan.sample == lot)


@given(st.integers(2, 2_000_000), st.sampled_from(list(Level)))
def test_a_stricter_limit_never_allows_more_in_the_same_sample(lot: int, level: Level) -> None:
    plans = [plan_for(lot, SamplingRule(aql, level)) for aql in AQLS]
    for stricter, laxer in pairwise(plans):
        if stricter.sample == laxer.sample:
            assert stricter.accept <= laxer.accept


@pytest.mark.parametrize("aql", ["", "1", "2.0", "-1"])
def test_a_limit_that_no_table_has_is_refused(aql: str) -> None:
    with pytest.raises(BadInputError, match="AQL"):
        SamplingRule(aql)


RULE = SamplingRule("1.0")


def lots(*outcomes: str, plan: Plan | None = None) -> list[Inspected]:
    made = plan or plan_for(1000, RULE)
    results = {"a": Outcome.ACCEPTED, "d": Outcome.ACCEPTED_IN_DOUBT, "r": Outcome.REJECTED}
    return [
        Inspected(1000, made, 0, Outcome.ACCEPTED, resumed=True)
        if word == "go"
        else Inspected(1000, made, 9 if word == "r" else 0, results[word])
        for word in outcomes
    ]


@pytest.mark.parametrize(
    ("history", "severity"),
    [
        ("a a a a", Severity.NORMAL),
        ("r a a a r", Severity.TIGHTENED),
        ("r a a a a r", Severity.NORMAL),
        ("r r a a a a", Severity.TIGHTENED),
        ("r r a a a a a", Severity.NORMAL),
        ("r r r a r a r a r a r", Severity.DISCONTINUED),
        ("r r r r r r r a a a a a a", Severity.DISCONTINUED),
        ("r r r r r r r go", Severity.TIGHTENED),
        ("r r r r r r r go a a a a a", Severity.NORMAL),
        ("a a a a a a a a a a", Severity.REDUCED),
        ("a a a a a a a a a a a d", Severity.NORMAL),
        ("a a a a a a a a a a a r", Severity.NORMAL),
    ],
)
def test_switching(history: str, severity: Severity) -> None:
    assert standing(lots(*history.split()), RULE).severity is severity


def test_reduced_inspection_is_used_only_where_it_is_allowed() -> None:
    many = lots(*"aaaaaaaaaaaa")
    assert standing(many, RULE, reduced_allowed=False).severity is Severity.NORMAL


def test_fifteen_lots_without_room_for_a_bad_unit_lead_to_reduced() -> None:
    small = lots(*"a" * 14, plan=Plan("E", 13, 0, 1, Severity.NORMAL))
    assert standing(small, RULE).severity is Severity.NORMAL
    assert standing([*small, small[0]], RULE).severity is Severity.REDUCED
