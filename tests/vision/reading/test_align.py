"""Announced values are found in what was read, wherever and however they stand."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.reading.readings import CHARSET, glyphs
from vision.reading.align import SEPARATOR, AlignSettings, Matcher, Trie, fit
from vision.reading.dates import Written
from vision.reading.trace import place

SETTINGS = AlignSettings()
MATCHER = Matcher(CHARSET, SETTINGS)


def odds(values: list[str], *lines: str) -> np.ndarray:
    stream = MATCHER.stream([glyphs(each) for each in lines])
    return fit(Trie.build(values, CHARSET), stream, SETTINGS)


def test_the_printed_value_fits_best_and_in_its_own_line() -> None:
    found = odds(["L342836", "L342837", "A98B61"], "EXP 2028-12-03", "LOT L342836")
    assert found.argmax() == np.ravel_multi_index((0, 1), found.shape)


def test_a_destroyed_character_costs_less_than_a_different_one() -> None:
    hidden, other = odds(["L342836"], "L34~836")[0, 0], odds(["L342836"], "L347836")[0, 0]
    whole = odds(["L342836"], "L342836")[0, 0]
    assert whole > hidden
    assert whole > other
    assert hidden > 0


def test_look_alikes_are_soft() -> None:
    alike, unlike = odds(["A50"], "A5O")[0, 0], odds(["A50"], "A57")[0, 0]
    assert alike > unlike


def test_marks_of_a_date_may_be_anything_or_nothing() -> None:
    form = f"2028{SEPARATOR}12{SEPARATOR}03"
    for printed in ("2028-12-03", "2028/12/03", "20281203", "2028年12月03"):
        assert odds([form], printed)[0, 0] > 20


def test_a_value_never_runs_over_the_end_of_a_line() -> None:
    split = odds(["123456"], "123", "456").max()
    assert split < odds(["123456"], "123456").max() - 5


def test_no_lines_and_no_values_are_no_trouble() -> None:
    assert odds(["A"]).shape == (1, 1)
    assert odds([], "A").shape == (0, 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text("0123AB", min_size=1, max_size=6), min_size=1, max_size=8),
    st.lists(st.text("0123AB ", min_size=1, max_size=10), min_size=1, max_size=3),
)
def test_all_at_once_says_what_one_by_one_says(values: list[str], lines: list[str]) -> None:
    together = odds(values, *lines)
    stream = MATCHER.stream([glyphs(each) for each in lines])
    for i, value in enumerate(values):
        form = Written(value, tuple(range(len(value))))
        for j in range(len(lines)):
            alone = place(form, stream, j, CHARSET, SETTINGS)
            assert np.isclose(together[i, j], alone.score, atol=2e-2)
            used = [c for c in alone.columns if c >= 0]
            assert used == sorted(set(used))
