"""CTC steps become glyphs that keep their doubts."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vision.reading.ctc import Charset, collapse, greedy

ABC = Charset(("A", "B", "（", "(", " "))


def steps(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_repeats_are_one_letter_and_a_blank_between_makes_two() -> None:
    a, blank = (0.1, 0.9, 0, 0, 0), (0.98, 0.02, 0, 0, 0)
    charset = Charset(("A", "B", "C", "D"))
    assert greedy(collapse(steps(a, a, a), trace=0.15), charset)[0] == "A"
    assert greedy(collapse(steps(a, blank, a), trace=0.15), charset)[0] == "AA"


def test_a_weak_letter_under_the_blank_is_kept_as_a_doubt_but_not_shown() -> None:
    charset = Charset(("A", "B"))
    found = collapse(steps((0.7, 0.25, 0.05), (1.0, 0.0, 0.0)), trace=0.15)
    assert len(found) == 1
    assert greedy(found, charset)[0] == ""


def test_full_width_forms_count_as_their_ascii_letter() -> None:
    assert ABC.letters == ("A", "B", "(", " ")
    folded = np.array([[0.1, 0.0, 0.0, 0.5, 0.4, 0.0]], np.float32) @ ABC.fold_of(ABC)
    assert np.isclose(folded[0, 1 + ABC.index["("]], 0.9)


@settings(deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 30), st.just(5)),
        elements=st.floats(0.015625, 1, width=32),
    )
)
def test_glyphs_stay_probabilities_in_order(raw: np.ndarray) -> None:
    shares = raw / raw.sum(axis=1, keepdims=True)
    found = collapse(shares, trace=0.15)
    assert np.all(np.diff(found.at) > 0)
    assert np.allclose(found.letters.sum(axis=1), 1.0, atol=1e-5)
    assert len(found) <= len(shares)
