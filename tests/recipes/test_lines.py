"""The lines that the recogniser learns from: what is called readable must be there."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.gs1 import has_valid_check_digit
from models.recipes.label_reader.classes import (
    BLANK,
    LETTERS,
    UNREADABLE,
    encode,
    encode_seen,
    fold,
)
from models.recipes.label_reader.lines.dots import drops, five_by_seven, ink
from models.recipes.label_reader.lines.texts import batch, gtin, line
from models.recipes.label_reader.lines.wear import wear
from vision.reading.captions import CAPTIONS


def test_the_reader_knows_every_character_of_the_captions_it_weighs():
    unknown = {c for words in CAPTIONS.values() for word in words for c in fold(word)} - set(
        LETTERS
    )
    # Captions outside the classes are told by the rest of their characters.
    assert all(c not in unknown for c in "批号生产日期有效至保质LOTEXPMFG")


def test_small_letters_and_full_width_marks_are_folded():
    assert encode("Lot：a1") == encode("LOT:A1")


def test_the_classes_stay_few():
    assert len(LETTERS) + 1 <= 88
    assert len(set(LETTERS)) == len(LETTERS)


def test_what_cannot_be_seen_is_taught_as_unreadable():
    seen = (True, False, True, True)
    assert encode_seen("AB1 2", seen) == [*encode("A"), UNREADABLE, *encode("1 2")]


def test_a_space_beside_a_gap_is_not_taught():
    assert encode_seen("A 1", (False, True)) == [UNREADABLE, *encode("1")]


@given(st.integers(0, 10_000))
def test_every_line_can_be_taught(seed):
    text = line(random.Random(seed)).text  # noqa: S311 -- lines, no secrets
    assert text.strip()
    classes = encode(text)
    assert all(BLANK < c <= len(LETTERS) for c in classes)


@given(st.integers(0, 10_000))
def test_gtins_carry_their_check_digit_and_batches_fit_gs1(seed):
    rng = random.Random(seed)  # noqa: S311 -- numbers, no secrets
    assert has_valid_check_digit(gtin(rng))
    assert 1 <= len(batch(rng)) <= 20


@pytest.mark.parametrize("text", ["LOT: A32B17", "EXP 2029/01/29", "08809635706392", "#+*"])
def test_dot_print_has_ink_under_every_character(text):
    rng = np.random.default_rng(3)
    glyphs = five_by_seven(text, rng)
    assert glyphs is not None
    alpha, spans = ink(drops(glyphs, gap=1, cell=None, double=False, rng=rng), 40.0, rng)
    for character, (start, end) in zip(text, spans, strict=True):
        if character != " ":
            assert alpha[:, int(start) : round(end) + 1].sum() > 1


def test_a_head_that_lacks_a_character_says_so():
    assert five_by_seven("批号", np.random.default_rng(1)) is None


def test_wear_hides_about_what_it_was_asked_to():
    rng = np.random.default_rng(7)
    alpha = np.zeros((60, 400), dtype=np.float32)
    alpha[20:40] = 1.0
    colour = np.full(3, 200, dtype=np.float32)
    dark = np.full(3, 30, dtype=np.float32)
    shares = []
    for _ in range(20):
        picture = np.full((60, 400, 3), 200, dtype=np.float32)
        _, hidden = wear(picture, alpha, colour, dark, 0.3, (20.0, 40.0), rng)
        shares.append(float((alpha * hidden).sum() / alpha.sum()))
    assert 0.25 < np.median(shares) < 0.6
    untouched = np.full((60, 400, 3), 200, dtype=np.float32)
    _, nothing = wear(untouched, alpha, colour, dark, 0.0, (20.0, 40.0), rng)
    assert nothing.max() == 0
