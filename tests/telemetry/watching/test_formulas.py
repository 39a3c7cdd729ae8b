"""What users write: unknown names and wrong units are refused with their place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.watching.formulas.formula import Formula
from telemetry.watching.formulas.units import ExpressionError, unit_functions

GOOD = {
    "temperature > 8": {"temperature": 9.0},
    "temperature > -18": {"temperature": -17.5},
    "temperature > degF(46.4)": {"temperature": 8.01},
    "temperature > Cel(8) && !(door_open > 0.5)": {"temperature": 9.0, "door_open": 0.0},
    "humidity > pct_RH(60) || humidity < 20.0": {"humidity": 12.0},
    "(temperature > 8 ? humidity : 40.0) > 50": {"temperature": 9.0, "humidity": 55.0},
    "pressure > hPa(1013) && pressure < kPa(102)": {"pressure": 101_500.0},
    "number(temperature) * 1.8 + 32 > 46": {"temperature": 8.0},
    "power / 2.0 > W(100)": {"power": 201.0},
    "co2 - 400 > ppm(100)": {"co2": 501.0},
}
BAD = {
    "": "cannot|mismatched|expecting",
    "temprature > 8": "'temprature' is no quantity",
    "temperature": "gives a number",
    "8 > 7": "asks for no quantity",
    "temperature > humidity": "units differ: Cel > %RH",
    "temperature + temperature > 8": "cannot be added",
    "temperature * 2 > 8": "no multiple",
    "temperature > pct_RH(5)": "units differ",
    "temperature > Cel(temperature)": "has a unit already",
    "humidity * co2 > 5": "do not go together",
    "temperature > 8 and humidity > 3": "mismatched input 'and'",
    "temperature > 'warm'": "no use here",
    "[temperature].exists(x, x > 8)": "no use here",
    "size(temperature) > 8": r"size\(\) is not known",
    "temperature > 8 ||": "Syntax error",
    "temperature > 8u": "oddly|overload",
    "temperature > 0x10": "oddly",
    "timestamp('2026-01-01T00:00:00Z') > temperature": "not known|no use",
    "温度 > 8": "token recognition|Syntax error",
}  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_what_is_true_is_found_true(text):
    formula = Formula(text)
    assert formula.uses == tuple(sorted(GOOD[text]))
    assert formula(GOOD[text]) is True
    assert formula(dict.fromkeys(GOOD[text], -99.0)) is (text == "humidity > pct_RH(60) || humidity < 20.0")  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_be_is_refused_with_its_place(text):
    with pytest.raises(ExpressionError, match=BAD[text]) as error:
        Formula(text)
    assert 0 <= error.value.data["at"] <= len(text)
    assert error.value.mend


def test_the_place_of_an_unknown_name_is_marked():
    with pytest.raises(ExpressionError) as error:
        Formula("temperature > 8 && humidty > 60")
    assert error.value.data["at"] == 19
    assert "»humidty" in error.value.message


def test_every_unit_has_a_function_of_its_own():
    names = unit_functions()
    assert {"Cel", "K", "degF", "pct_RH", "m_per_s2", "ppm", "kPa"} <= set(names)
    assert all(name.isidentifier() for name in names)


@settings(max_examples=200)
@given(st.text(alphabet="temperature humidity ><=!&|?:()+-*/.,0123456789'[]{}\n", max_size=60))
def test_whatever_is_typed_is_an_expression_or_refused(text):
    try:
        formula = Formula(text)
    except ExpressionError:
        return
    assert isinstance(formula(dict.fromkeys(formula.uses, 1.0)), bool)
