"""Another reader's text and score become glyphs that are no surer than it really is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.reading.readings import CHARSET
from vision.reading.ctc import UNREADABLE, greedy
from vision.reading.texts import TextSettings, glyphs_of

SETTINGS = TextSettings(trust=0.9, power=2.0)


@given(st.text(max_size=30), st.floats(-1, 2))
def test_whatever_it_says_is_a_row_of_probabilities(text: str, score: float) -> None:
    glyphs = glyphs_of(text, score, CHARSET, SETTINGS)
    assert glyphs.letters.shape == (len(text), 1 + len(CHARSET.letters))
    assert np.all(glyphs.letters >= 0)
    assert glyphs.hidden is not None
    assert np.allclose(glyphs.letters.sum(axis=1) + glyphs.hidden, 1, atol=1e-4)
    assert np.all(np.diff(glyphs.at) > 0)
    assert np.all((glyphs.at > 0) & (glyphs.at < 1))


def test_the_text_stays_and_a_perfect_score_is_still_doubted() -> None:
    text, sure = greedy(glyphs_of("LOT:A98B61", 1.0, CHARSET, SETTINGS), CHARSET)
    assert text == "LOT:A98B61"
    assert sure == pytest.approx(0.9)


def test_full_width_forms_are_folded_as_everywhere() -> None:
    text, _ = greedy(glyphs_of("批号：A1", 0.9, CHARSET, SETTINGS), CHARSET)
    assert text == "批号:A1"


def test_a_character_that_the_set_does_not_know_is_something_unknown() -> None:
    glyphs = glyphs_of("1☃2", 0.99, CHARSET, SETTINGS)
    assert glyphs.letters[1].max() < 0.01
    assert greedy(glyphs, CHARSET)[0] == f"1{UNREADABLE}2"
