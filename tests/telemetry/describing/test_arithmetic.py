"""Formulas of templates: closed, checked, and exactly what the arithmetic says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.describing.arithmetic import FUNCTIONS, FormulaError, parse

NAMES = {"t": "p_t", "u": "p_u"}


def value(text, **given):
    return parse(text, {name: name for name in given}).value(given)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("(1 + 2) * 3", 9),
        ("-2 * -t", 10),
        ("10 - 3 - 2", 5),
        ("2 + 0x10", 18),
        ("1e3 + .5", 1000.5),
        ("t >> 1 & 1", 0),
        ("1 | 4 | 8", 13),
        ("3 << 2", 12),
        ("17 % 5", 2),
        ("if(t > 3, 1, 2)", 1),
        ("not t == 5", 0),
        ("t > 1 and t < 3 or t == 5", 1),
        ("bit(6, 1) + bit(6, 0)", 1),
        ("bits(0xF5, 4, 4)", 15),
        ("signed(255, 8)", -1),
        ("bcd(0x1234)", 1234),
        ("poly(t, 1, 2, 3)", 1 + 2 * 5 + 3 * 25),
        ("max(1, t, 3) + min(1, t)", 6),
        ("round(4.4750000000000005, 2)", 4.48),
        ("floor(ln(exp(2)) + sqrt(16))", 6),
    ],
)
def test_what_formulas_come_to(text, expected):
    assert value(text, t=5) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("t +", "missing"),
        ("(t", "not closed"),
        ("t t", "not expected"),
        ("temperature", "nothing here is called 'temperature'; known: t, u"),
        ("__import__('os')", "no part of a formula"),
        ("t.real", "no part of a formula"),
        ("exec(t)", "no function 'exec'"),
        ("max(t)", "takes 2 to 16"),
        ("t << u", "shift to the left"),
        ("1 << 64", "shift to the left"),
        ("1e999", "beyond what a number can hold"),
        ("t ** 2", "stands where"),
        ("(" * 200 + "t" + ")" * 200, "deeper"),
        ("t|1+" * 120 + "t", "too deep"),
        ("t+" * 1500 + "t", "characters"),
        ("", "missing"),
    ],
)
def test_what_is_no_formula_says_where(text, says):
    with pytest.raises(FormulaError, match=says.replace("(", r"\(")):
        parse(text, NAMES)


def test_a_value_that_does_not_exist_is_an_error_not_a_number():
    for text in (
        "1 / (t - 5)",
        "sqrt(0 - t)",
        "ln(t - 5)",
        "pow(10, 400)",
        "pow(0 - t, 0.5)",
        "bits(t, 0, 1e9)",
        "signed(t, 1e18)",
        "bit(t, 0 - 1)",
        "round(5, -999999999)",
        "round(t, 1e9)",
    ):
        with pytest.raises(FormulaError, match="has no value"):
            value(text, t=5)


@given(st.text(max_size=60) | st.text("t+-*/%&|<>()., 0123456789xeandorif", max_size=60))
def test_any_text_is_a_formula_or_refused(text):
    try:
        found = parse(text, NAMES)
    except FormulaError:
        return
    assert found.names <= {"p_t", "p_u"}


def _trees():
    leaf = st.integers(0, 50).map(lambda n: (str(n), float(n))) | st.just(("t", 7.0))

    def joined(inner):
        signs = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
        return st.builds(
            lambda a, s, b: (f"({a[0]} {s} {b[0]})", signs[s](a[1], b[1])),
            inner, st.sampled_from(sorted(signs)), inner,
        )  # fmt: skip

    return st.recursive(leaf, joined, max_leaves=12)


@given(_trees())
def test_arithmetic_is_that_of_python(tree):
    text, expected = tree
    assert value(text, t=7) == expected


def test_every_function_is_tried_somewhere():
    for name, (work, fewest, _) in FUNCTIONS.items():
        assert math.isfinite(work(*[2.0] * fewest)), name
