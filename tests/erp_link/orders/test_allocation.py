"""Laws of allocation: never more than is free, the rotation kept, every place answered."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import BadInputError
from contracts.stock import BatchKey, StockStatus
from erp_link.domain.allocation import Rotation, Standing, allocate, in_rotation
from erp_link.domain.leaving import LeaveFacts, may_this_leave

TODAY = date(2026, 11, 21)
DAYS = st.one_of(st.none(), st.integers(-5, 60))


@st.composite
def facts(draw: st.DrawFn, through: date | None) -> LeaveFacts:
    days = draw(DAYS)
    expiry = TODAY + timedelta(days=days) if days is not None else None
    return LeaveFacts(
        status=draw(st.sampled_from(list(StockStatus))),
        holds=draw(st.sampled_from([(), (), ("H-1",)])),
        expired_on=expiry if expiry is not None and expiry < TODAY else None,
        in_quarantine=draw(st.sampled_from([False, False, True])),
        expiry=expiry,
        usable_through=through,
    )


@st.composite
def houses(draw: st.DrawFn) -> list[Standing]:
    through = draw(st.one_of(st.none(), st.integers(0, 40)))
    until = TODAY + timedelta(days=through) if through is not None else None
    made: list[Standing] = []
    for number in range(draw(st.integers(0, 8))):
        quantity = draw(st.integers(1, 30))
        hours = draw(st.one_of(st.none(), st.integers(0, 100)))
        at = datetime(2026, 11, 1, tzinfo=UTC)
        made.append(
            Standing(
                batch_id=number % 4,
                batch=BatchKey("ACME", "1", f"L{number % 4}"),
                location=f"A-{number}",
                quantity=quantity,
                reserved=draw(st.integers(0, quantity)),
                facts=draw(facts(until)),
                received_at=at + timedelta(hours=hours) if hours is not None else None,
                moved=draw(st.sampled_from([False, False, False, True])),
            )
        )
    return made


def is_usable(place: Standing) -> bool:
    """It may leave, stands where the guards say, and is not picked for somebody else."""
    picked = place.facts.status is StockStatus.IN_TRANSIT
    return not (picked or place.moved or may_this_leave(place.facts))


@settings(max_examples=60)
@given(houses(), st.integers(1, 120), st.sampled_from(list(Rotation)))
def test_no_more_is_taken_than_is_free_and_asked(house, quantity, rotation) -> None:
    result = allocate(quantity, house, rotation)
    usable = [place for place in house if is_usable(place)]
    assert result.taken == min(quantity, sum(p.free for p in usable))
    assert result.taken + result.short == quantity
    by_place = {p.location: p for p in house}
    for choice in result.choices:
        place = by_place[choice.location]
        assert 0 <= choice.taken <= place.free
        assert not choice.taken or place in usable


@settings(max_examples=60)
@given(houses(), st.integers(1, 120), st.sampled_from(list(Rotation)))
def test_what_goes_first_is_used_up_first(house, quantity, rotation) -> None:
    result = allocate(quantity, house, rotation)
    taken = {choice.location: choice.taken for choice in result.choices}
    usable = [place for place in in_rotation(house, rotation) if is_usable(place)]
    for earlier, later in itertools.pairwise(usable):
        if rotation is Rotation.FEFO:
            assert (earlier.facts.expiry or date.max) <= (later.facts.expiry or date.max)
        if taken[later.location]:
            assert taken[earlier.location] == earlier.free


@settings(max_examples=60)
@given(houses(), st.integers(1, 120), st.sampled_from(list(Rotation)))
def test_every_place_has_its_answer(house, quantity, rotation) -> None:
    result = allocate(quantity, house, rotation)
    assert sorted(c.location for c in result.choices) == sorted(p.location for p in house)
    assert all(choice.reasons for choice in result.choices)
    for choice in result.choices:
        given_for = {reason.code for reason in choice.reasons}
        assert bool(given_for & {"taken_fefo", "taken_fifo", "taken_no_date"}) == (choice.taken > 0)


@settings(max_examples=60)
@given(houses(), st.integers(1, 120))
def test_the_order_in_which_places_are_told_does_not_matter(house, quantity) -> None:
    forth = allocate(quantity, house, Rotation.FEFO)
    assert forth == allocate(quantity, house[::-1], Rotation.FEFO)


def test_nothing_is_no_quantity() -> None:
    with pytest.raises(BadInputError):
        allocate(0, [], Rotation.FEFO)
