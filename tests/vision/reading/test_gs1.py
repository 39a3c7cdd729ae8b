"""What symbols say about a carton, by GS1's rules."""

from __future__ import annotations

from datetime import date

import pytest

from vision.reading.symbols import Elements, elements_of

WHOLE = Elements("08804045943238", "2428-674", date(2028, 12, 3))


@pytest.mark.parametrize(
    ("kind", "text", "gs1"),
    [
        ("Code128", "0108804045943238172812031" + "02428-674", True),
        ("DataMatrix", "0108804045943238" + "102428-674\x1d17281203", True),
        ("QRCode", "(01)08804045943238(17)281203(10)2428-674", False),
        ("QRCode", "https://id.gs1.org/01/08804045943238/10/2428-674?17=281203", False),
    ],
)
def test_element_strings_in_every_carrier(kind: str, text: str, *, gs1: bool) -> None:
    assert elements_of(kind, text, gs1=gs1) == WHOLE


def test_month_only_expiry_is_the_last_day() -> None:
    assert elements_of("Code128", "17280200", gs1=True).expiry == date(2028, 2, 29)


@pytest.mark.parametrize(
    "text",
    [
        "0108804045943239172812031" + "02428-674",
        "01088040459432",
        "17281340",
        "",
        "(01)123",
        "\x1d\x1d",
    ],
)
def test_broken_element_strings_prove_nothing(text: str) -> None:
    assert elements_of("Code128", text, gs1=True).gtin is None


def test_retail_symbols_give_a_gtin_only_with_a_valid_check_digit() -> None:
    assert elements_of("EAN13", "6901234567892", gs1=False).gtin == "06901234567892"
    assert elements_of("EAN13", "6901234567893", gs1=False).gtin is None
    assert elements_of("ITF14", "08804045943238", gs1=False).gtin == "08804045943238"


def test_other_symbols_are_shown_but_prove_nothing() -> None:
    assert not elements_of("Code128", "1Z999AA10123456784", gs1=False)
