"""Which message ids are repeats: never too few seconds, never too many, in bounded room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.coap.exchanges import EXCHANGE_LIFETIME_S, PAGE_BYTES, SENDER_BYTES, Exchanges, Full

steps = st.lists(
    st.tuples(
        st.integers(0, 3),  # sender
        st.sampled_from((0, 1, 255, 256, 65_535)),  # message id
        st.sampled_from((0, 1, 100, EXCHANGE_LIFETIME_S, 1000, 40_000)),  # seconds later
        st.booleans(),  # a sweep before
    ),
    max_size=60,
)


@given(steps)
def test_a_repeat_is_one_within_the_lifetime_and_not_after(
    steps: list[tuple[int, int, int, bool]],
) -> None:
    exchanges, told, now = Exchanges(), {}, 0
    swept = 0
    for who, message_id, later, sweep in steps:
        now += later
        # The endpoint sweeps every half minute; five hours are the promise that the law needs.
        if sweep or now - swept > 18_000:
            exchanges.sweep(now)
            swept = now
        sender = exchanges.sender(("host", who), now)
        known = told.get((who, message_id))
        repeat = known is not None and now - known <= EXCHANGE_LIFETIME_S
        assert exchanges.is_repeat(sender, message_id, now) == repeat
        if not repeat:
            exchanges.take(sender, message_id, now)
            told[who, message_id] = now


def test_every_second_of_a_day_keeps_the_law() -> None:
    exchanges = Exchanges()
    for now in (65_533, 65_534, 65_535, 65_536, 131_071):
        sender = exchanges.sender("one", now)
        exchanges.take(sender, 7, now)
        assert exchanges.is_repeat(sender, 7, now)
        assert exchanges.is_repeat(sender, 7, now + EXCHANGE_LIFETIME_S - 1)
        assert not exchanges.is_repeat(sender, 7, now + EXCHANGE_LIFETIME_S + 1)


def test_senders_without_room_are_refused_until_others_are_past_their_time() -> None:
    exchanges = Exchanges(most_bytes=2 * (SENDER_BYTES + PAGE_BYTES))
    for name in ("a", "b"):
        exchanges.take(exchanges.sender(name, 0), 1, 0)
    with pytest.raises(Full):
        exchanges.sender("c", 10)
    assert exchanges.is_repeat(exchanges.sender("a", 10), 1, 10)
    late = EXCHANGE_LIFETIME_S + 20
    exchanges.take(exchanges.sender("c", late), 1, late)
    assert exchanges.used_bytes <= exchanges.most_bytes


def test_what_was_not_stored_is_new_when_it_comes_again() -> None:
    exchanges = Exchanges()
    sender = exchanges.sender("a", 0)
    exchanges.take(sender, 9, 0)
    exchanges.forget(sender, 9)
    assert not exchanges.is_repeat(sender, 9, 1)
