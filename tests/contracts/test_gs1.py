"""A number on a label is believed only with its check digit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError
from contracts.gs1 import check_digit, has_valid_check_digit, is_lot, normalise_gtin


def test_the_check_digit_of_a_known_gtin() -> None:
    assert check_digit("629104150021") == "3"  # the example of the GS1 General Specifications


@given(st.text("0123456789", min_size=7, max_size=17))
def test_one_mistyped_digit_is_always_caught(digits: str) -> None:
    number = digits + check_digit(digits)
    assert has_valid_check_digit(number)
    wrong = str((int(number[0]) + 1) % 10) + number[1:]
    assert not has_valid_check_digit(wrong)


def test_short_gtins_become_fourteen_digits() -> None:
    assert normalise_gtin("6291041500213") == "06291041500213"


@pytest.mark.parametrize(
    "bad", ["", "123", "629104150021X", "6291041500214", "６２９１０４１５００２１３"]
)
def test_a_bad_gtin_says_how_to_mend_it(bad: str) -> None:
    with pytest.raises(BadInputError) as caught:
        normalise_gtin(bad)
    assert caught.value.mend


def test_lots_use_the_82_characters_and_at_most_twenty() -> None:
    assert is_lot("2428-674")
    assert not is_lot("批号1")
    assert not is_lot("A" * 21)
