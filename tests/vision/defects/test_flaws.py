"""What taught flaws have in common is found among patches that are merely strange."""

from __future__ import annotations

import numpy as np
import pytest

from vision.defects.flaws import (
    MOST_GOOD,
    NO_KIND,
    STRANGEST,
    Head,
    kept_items,
    learn_head,
    likeness,
    named_kinds,
    strangest,
)

WIDTH = 24
ITEMS = 20


def patches(seed: int, count: int) -> np.ndarray:
    """Good patches: they vary much in the first numbers and little in the others."""
    random = np.random.default_rng(seed)
    rows = 1.0 + random.normal(0, np.linspace(0.3, 0.02, WIDTH), (count, WIDTH))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def flawed(seed: int, *, towards: int = -1) -> np.ndarray:
    """Twelve patches, two of which lean a little where good patches hardly vary."""
    rows = patches(seed, STRANGEST)
    rows[5:7, towards] += 0.05
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / lengths).astype(np.float32)


def taught(count: int = 6, kinds: tuple[str, ...] = (), **more) -> Head:
    flaws = np.stack([flawed(700 + n, towards=-1 - n % max(1, len(kinds))) for n in range(count)])
    names = [kinds[n % len(kinds)] if kinds else "" for n in range(count)]
    facts, numbers = learn_head(
        flaws,
        names,
        bank=patches(1, 50 * ITEMS),
        owners=np.repeat(np.arange(ITEMS), 50),
        good=np.stack([patches(100 + n, STRANGEST) for n in range(ITEMS)]),
        **more,
    )
    return Head(facts, numbers, flaws, named_kinds(names))


def seen(rows: np.ndarray, head: Head):
    return likeness(rows, np.ones(len(rows), np.float32), (3, 4), head=head)


def test_a_flaw_like_the_taught_ones_goes_beyond_every_good_item():
    head = taught()
    assert head.facts.limit is not None
    assert seen(flawed(900), head).score > head.facts.limit
    good = [seen(patches(300 + n, STRANGEST), head).score for n in range(20)]
    assert sum(score > head.facts.limit for score in good) <= 3


def test_the_patches_that_are_flawed_are_pointed_at():
    head = taught()
    looked = seen(flawed(900), head)
    assert set(looked.at[looked.beyond(head.facts.limit or 0)]) <= {5, 6}


def test_what_the_others_taught_finds_each_one():
    assert taught(count=6).facts.caught >= 5
    assert taught(count=6).facts.ranks > 0.9
    assert taught(count=1).facts.caught == 0


def test_the_taught_picture_itself_is_known_again_and_no_good_item_is_taken_for_it():
    head = taught(count=1)
    assert likeness(flawed(700), np.full(STRANGEST, 0.1, np.float32), (3, 4), head=head).again
    assert 0 < head.facts.near <= 0.5


def test_a_taught_picture_is_known_even_where_a_good_item_has_the_same_patch():
    good = np.stack([patches(100 + n, STRANGEST) for n in range(ITEMS)])
    flaws = flawed(700)[None]
    good[2, 0] = flaws[0, 0]
    facts, numbers = learn_head(
        flaws, [""], bank=patches(1, 1000), owners=np.repeat(np.arange(ITEMS), 50), good=good
    )
    head = Head(facts, numbers, flaws, ())
    assert facts.near < 1e-3
    far = np.full(STRANGEST, 0.02, np.float32)
    assert likeness(flaws[0], far, (3, 4), head=head).again
    assert not likeness(good[2], far, (3, 4), head=head).again


def test_an_allowed_picture_moves_the_limit_beyond_itself():
    allowed = flawed(901)
    head = taught(allowed=[allowed])
    assert head.facts.limit is not None
    assert seen(allowed, head).score <= head.facts.limit + 1e-3


def test_a_flaw_is_called_what_the_taught_ones_of_its_sort_were_called():
    head = taught(count=8, kinds=("crack", "dent"))
    assert head.kinds == ("crack", "dent")
    for towards, kind in ((-1, "crack"), (-2, "dent")):
        looked = seen(flawed(950, towards=towards), head)
        assert looked.kinds[int(looked.deviations.argmax())] == kind


def test_without_classes_a_flaw_is_an_anomaly():
    assert set(seen(flawed(950), taught()).kinds) == {NO_KIND}


def test_few_good_items_give_no_limit():
    facts, _ = learn_head(
        flawed(1)[None],
        ["dent"],
        bank=patches(1, 100),
        owners=np.repeat(np.arange(2), 50),
        good=np.stack([patches(2, STRANGEST), patches(3, STRANGEST)]),
    )
    assert facts.limit is None
    assert facts.scores == ()


def test_good_items_are_scored_by_heads_that_did_not_learn_from_them():
    """An item of its own sort: a head that knew it would call it good. It sets no limit."""
    good = np.stack([patches(100 + n, STRANGEST) for n in range(ITEMS)])
    good[3] = flawed(55)
    flaws = np.stack([flawed(700 + n) for n in range(6)])
    facts, _ = learn_head(
        flaws,
        [""] * 6,
        bank=patches(1, 50 * ITEMS),
        owners=np.repeat(np.arange(ITEMS), 50),
        good=good,
    )
    assert facts.limit is not None
    assert max(facts.scores) == facts.scores[3] > facts.limit


def test_a_picture_stands_for_its_strangest_patches_none_beside_another():
    far = np.zeros((10, 10), np.float32)
    far[2, 2], far[2, 3], far[7, 7] = 0.9, 0.8, 0.5
    assert strangest(far.ravel(), (10, 10), most=2).tolist() == [22, 77]


@pytest.mark.parametrize("shape", [(1, 5), (4, 4), (32, 32)])
def test_there_are_always_as_many_as_asked_for(shape):
    count = shape[0] * shape[1]
    far = np.linspace(0, 1, count, dtype=np.float32)
    found = strangest(far, shape)
    assert len(set(found.tolist())) == len(found) == min(STRANGEST, count)


def test_items_are_drawn_evenly_where_they_are_many():
    assert kept_items(7).tolist() == list(range(7))
    drawn = kept_items(130)
    assert len(drawn) == MOST_GOOD
    assert (drawn[0], drawn[-1]) == (0, 129)
