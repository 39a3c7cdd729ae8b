"""The hold-out is frozen: it follows from the batch alone and only grows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.learning.example import ExampleName, Truth
from appliance.learning.split import (
    HOLD_OUT_SHARE,
    Ledger,
    is_held_out,
    read_ledger,
    write_ledger,
)
from contracts.errors import BadInputError

names = st.builds(
    ExampleName,
    st.integers(0, 10**15),
    st.just("0" * 8),
    st.integers(0, 2**64 - 1).map(lambda n: f"{n:016x}"),
    st.integers(0, 2**256 - 1).map(lambda n: f"{n:064x}"),
)


def batch(number: int, expiry: str = "2027-12-03") -> Truth:
    return Truth("09521100410014", f"L{number:05d}", expiry)


HELD_OUT = [2, 6, 22]


def test_these_batches_judge_for_ever():
    """Written down: another answer would teach what judged before."""
    assert [number for number in range(24) if is_held_out(batch(number))] == HELD_OUT


def test_about_a_quarter_of_the_batches_judge():
    held = sum(is_held_out(batch(number)) for number in range(4000))
    assert abs(held / 4000 - HOLD_OUT_SHARE) < 0.03


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20), st.dates(), st.dates())
def test_every_carton_of_a_batch_is_on_the_same_side(gtin, lot, one, other):
    sides = {is_held_out(Truth(gtin, lot, day.isoformat())) for day in (one, other)}
    assert len(sides) == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(names, max_size=12), st.lists(names, max_size=12))
def test_the_ledger_only_grows_and_says_what_it_holds(first, second):
    before = Ledger().with_more(first)
    after = before.with_more([*second, *first])
    assert after.lines[: len(before.lines)] == before.lines
    assert {line.sha256 for line in after.lines} == {n.sha256 for n in [*first, *second]}
    assert read_ledger(write_ledger(after)) == after
    assert after.with_more(second) == after
    assert (after.digest == before.digest) == (len(after.lines) == len(before.lines))


def test_a_ledger_that_was_changed_or_cut_is_refused():
    made = Ledger().with_more(ExampleName(n, "0" * 8, f"{n:016x}", f"{n:064x}") for n in range(5))
    rows = write_ledger(made).splitlines(keepends=True)
    assert read_ledger(b"".join(rows[:3])).digest != made.digest
    for spoiled in ([*rows[:2], *rows[3:]], [rows[1], rows[0]], [rows[0].replace(b"0", b"1", 3)]):
        with pytest.raises(BadInputError, match="does not continue"):
            read_ledger(b"".join(spoiled))
