"""Whose sets look at a carton's goods at a station: the pin's, provisionally its own, or nobody's."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.judging import Pin, RejudgeTask, Watermark, judge_digest
from contracts.stock import BatchKey
from ota.judging.station import PinBook, Way, decide, rejudge

WATER, JUICE = BatchKey("ACME", "069", "L1"), BatchKey("ACME", "088", "L2")
OLD, NEW = {"inspect": "sha256:old"}, {"inspect": "sha256:new"}
EVERYTHING = frozenset(digest for parts in (OLD, NEW) for digest in parts.values())


def pinned(batch: BatchKey, parts: dict[str, str], generation: int = 1) -> Pin:
    return Pin(batch, generation, judge_digest(parts), parts)


def test_a_known_pin_binds_whatever_runs_here_now() -> None:
    book = PinBook()
    book.learn([pinned(WATER, OLD, 2)])
    course = decide(WATER, book, NEW, EVERYTHING.__contains__, may_ask=True)
    assert (course.way, course.parts) == (Way.PINNED, OLD)
    assert course.under == Watermark(judge_digest(OLD), 2)


def test_a_station_without_the_pinned_set_says_review_and_which_set_is_gone() -> None:
    book = PinBook()
    book.learn([pinned(WATER, OLD)])
    course = decide(WATER, book, NEW, frozenset(NEW.values()).__contains__, may_ask=True)
    assert (course.way, course.parts) == (Way.REVIEW, {})
    assert [r.params for r in course.reasons] == [{"use": "inspect", "set": "old"}]


def test_a_new_batch_is_asked_about_and_begun_provisionally_where_nobody_answers() -> None:
    book = PinBook()
    assert decide(WATER, book, NEW, EVERYTHING.__contains__, may_ask=True).way is Way.ASK
    course = decide(WATER, book, NEW, EVERYTHING.__contains__, may_ask=False)
    assert course.way is Way.PROVISIONAL
    assert course.under == Watermark(judge_digest(NEW), provisional=True)


def test_a_batch_begun_offline_keeps_its_sets_through_an_update() -> None:
    book = PinBook()
    book.begin(WATER, {**OLD, "read": "sha256:reader"})
    book.begin(WATER, NEW)
    course = decide(WATER, book, NEW, EVERYTHING.__contains__, may_ask=False)
    assert course.parts == OLD
    assert decide(JUICE, book, NEW, EVERYTHING.__contains__, may_ask=False).parts == NEW


def test_what_the_hub_says_ends_what_was_begun_here() -> None:
    book = PinBook()
    book.begin(WATER, OLD)
    assert book.learn([pinned(WATER, NEW)])
    assert not book.learn([pinned(WATER, NEW)])
    assert decide(WATER, book, OLD, EVERYTHING.__contains__, may_ask=False).parts == NEW
    book.begin(WATER, OLD)
    assert book.begun == {}


def test_a_label_nobody_could_read_belongs_to_no_pin() -> None:
    book = PinBook()
    book.learn([pinned(WATER, OLD)])
    course = decide(None, book, NEW, EVERYTHING.__contains__, may_ask=True)
    assert course.way is Way.PROVISIONAL
    assert course.under == Watermark(judge_digest(NEW), provisional=True)
    assert decide(None, book, {}, EVERYTHING.__contains__, may_ask=True).under is None


def test_the_same_frame_is_judged_again_by_exactly_the_pins_sets() -> None:
    task = RejudgeTask("C1", "dock-1", pinned(WATER, NEW, 2), "ab" * 32)
    course = rejudge(task, EVERYTHING.__contains__, frame_kept=True)
    assert (course.way, course.parts) == (Way.PINNED, NEW)
    assert course.under == Watermark(judge_digest(NEW), 2)
    for course in (
        rejudge(task, frozenset(OLD.values()).__contains__, frame_kept=True),
        rejudge(task, EVERYTHING.__contains__, frame_kept=False),
    ):
        assert (course.way, course.under) == (Way.REVIEW, Watermark(judge_digest(NEW), 2))
        assert course.reasons


pins = st.builds(
    pinned, st.sampled_from([WATER, JUICE]), st.sampled_from([OLD, NEW]), st.integers(1, 4)
)


@given(st.lists(pins, max_size=8), st.randoms(use_true_random=False))
def test_pins_may_come_in_any_order_and_the_latest_generation_stays(told: list[Pin], rng) -> None:
    first = {(pin.batch, pin.generation): pin for pin in reversed(told)}
    shuffled = list(first.values())
    rng.shuffle(shuffled)
    book = PinBook()
    for pin in shuffled:
        book.learn([pin])
    for batch in (WATER, JUICE):
        newest = max(
            (p for p in shuffled if p.batch == batch), key=lambda p: p.generation, default=None
        )
        assert book.told.get(batch) == newest


@given(st.lists(pins, max_size=4))
def test_a_book_survives_a_restart(told: list[Pin]) -> None:
    book = PinBook()
    book.begin(JUICE, OLD)
    book.learn(told)
    again = PinBook.from_bytes(book.to_bytes())
    assert again == book
    assert again.sets() == book.sets()
    again.forget([WATER, JUICE])
    assert again == PinBook()


def test_something_else_is_no_book() -> None:
    with pytest.raises(msgspec.MsgspecError):
        PinBook.from_bytes(b'{"told": 3}')
