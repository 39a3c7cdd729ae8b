"""Rates add up, bounds are honest, and every number's address finds the same cartons again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.readrates.intervals import Share
from appliance.readrates.rates import (
    Count,
    by_cause,
    by_day,
    by_facet,
    by_hour_of_day,
    timeline,
    total,
)
from appliance.readrates.window import FACETS, quarter_of, question_of
from contracts.errors import BadInputError
from erp_link.domain.reads import Cell, Facet
from erp_link.service.read_queries import QuarterTally, ReadTally

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)

CELLS = st.builds(
    lambda facet, accepted, cause, right: Cell(
        facet, accepted=accepted, audited=False, cause="" if accepted else cause, was_right=right
    ),
    st.builds(Facet, camera=st.sampled_from("ab"), carrier=st.sampled_from(["", "UPS"])),
    st.booleans(),
    st.sampled_from(["glare", "off_list"]),
    st.sampled_from([None, True, False]),
)
TALLIES = st.lists(st.builds(ReadTally, CELLS, st.integers(1, 500)), max_size=12)


@settings(deadline=None)
@given(TALLIES)
def test_every_table_adds_up_to_the_same_cartons(tallies: list[ReadTally]) -> None:
    whole = total(tallies)
    assert whole.read + whole.review == whole.cartons
    for facet in FACETS:
        assert sum((row.count for row in by_facet(tallies, facet)), Count()) == whole
    assert sum(row.count.cartons for row in by_cause(tallies)) == whole.review
    assert whole.misread <= whole.known <= whole.read
    assert whole.proposed_wrong <= whole.proposed <= whole.review


@pytest.mark.parametrize(
    ("hits", "cartons", "low", "high"),
    [(0, 12, 0.0, 0.2425), (12, 12, 0.7575, 1.0), (5, 10, 0.2366, 0.7634), (0, 0, 0.0, 1.0)],
)
def test_few_cartons_have_wide_bounds(hits: int, cartons: int, low: float, high: float) -> None:
    share = Share(hits, cartons)
    assert share.low == pytest.approx(low, abs=1e-4)
    assert share.high == pytest.approx(high, abs=1e-4)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_share_lies_between_its_bounds(hits: int, more: int) -> None:
    share = Share(hits, hits + more)
    assert 0.0 <= share.low <= share.high <= 1.0
    if share.value is not None:
        assert share.low <= share.value <= share.high


def at(quarter_of_day: str, zone: ZoneInfo, *, cartons: int = 10, read: int = 8) -> QuarterTally:
    moment = datetime.fromisoformat(quarter_of_day).replace(tzinfo=zone)
    return QuarterTally(quarter_of(moment), cartons, read, 1, 0)


def test_hours_are_those_of_the_sites_clock() -> None:
    delhi = ZoneInfo("Asia/Kolkata")
    rows = by_hour_of_day([at("2026-11-21T09:45", delhi), at("2026-11-20T09:15", delhi)], delhi)
    assert [(row.value, row.count.cartons) for row in rows] == [("09", 20)]


def test_days_are_newest_first() -> None:
    quarters = [at("2026-11-20T23:45", SHANGHAI), at("2026-11-21T00:00", SHANGHAI)]
    assert [row.value for row in by_day(quarters, SHANGHAI)] == ["2026-11-21", "2026-11-20"]


def test_the_hour_that_a_clock_repeats_is_two_bars_with_their_own_cartons() -> None:
    since = datetime(2026, 10, 25, tzinfo=BERLIN)
    until = datetime(2026, 10, 26, tzinfo=BERLIN)
    first = QuarterTally(quarter_of(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)), 3, 3, 0, 0)
    second = QuarterTally(quarter_of(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)), 5, 5, 0, 0)
    bars = timeline([first, second], BERLIN, since=since, until=until)
    assert len(bars) == 25
    assert [bar.count.cartons for bar in bars if bar.count.cartons] == [3, 5]
    assert [bar.since.hour for bar in bars if bar.count.cartons] == [2, 2]


def test_a_long_time_is_drawn_by_days_with_the_empty_ones() -> None:
    question = question_of({"days": "30"}, now=NOW, zone=SHANGHAI)
    bars = timeline(
        [at("2026-11-20T10:00", SHANGHAI)], SHANGHAI, since=question.since, until=question.until
    )
    assert len(bars) == 30
    assert [bar.since.date().isoformat() for bar in bars if bar.count.cartons] == ["2026-11-20"]
    assert bars[-1].until == question.until


def test_unasked_it_is_the_last_seven_days_of_the_site() -> None:
    question = question_of({}, now=NOW, zone=SHANGHAI)
    assert question.since == datetime(2026, 11, 15, tzinfo=SHANGHAI)
    assert question.until == datetime(2026, 11, 22, tzinfo=SHANGHAI)
    assert question.last_day.isoformat() == "2026-11-21"


QUESTIONS = st.fixed_dictionaries(
    {"from": st.just("2026-11-02"), "to": st.sampled_from(["2026-11-02", "2026-11-21"])},
    optional={
        "camera": st.sampled_from(["dock-1 label", "-", "a&b=c"]),
        "model_set": st.just("sha256:1"),
        "what": st.sampled_from(["review", "misread"]),
        "cause": st.just("glare"),
        "hour": st.sampled_from(["0", "23"]),
    },
)


@settings(deadline=None)
@given(QUESTIONS)
def test_an_address_asks_the_same_question_again(asked: dict[str, str]) -> None:
    question = question_of(asked, now=NOW, zone=SHANGHAI)
    narrowed = question.between(
        question.since + timedelta(hours=3), question.until - timedelta(hours=2)
    )
    for one in (question, narrowed, question.of("carrier", ""), question.of("hour", "09")):
        again = question_of(dict(parse_qsl(one.address())), now=NOW, zone=SHANGHAI)
        assert again.window() == one.window()
        assert again.what == one.what


def test_an_hour_of_the_day_is_asked_on_every_day() -> None:
    question = question_of({"days": "3", "hour": "9"}, now=NOW, zone=SHANGHAI)
    spans = question.window().spans
    assert len(spans) == 3
    assert all(last - first == 4 for first, last in spans)
    assert datetime.fromtimestamp(spans[0][0] * 900, SHANGHAI).hour == 9


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "yesterday"},
        {"from": "2026-11-21", "to": "2026-11-20"},
        {"from": "1990-01-01", "to": "2026-11-20"},
        {"to": "0001-01-01"},
        {"days": "0"},
        {"days": "1000000000000000000000"},
        {"hour": "24"},
        {"hour": "٣"},
        {"what": "everything"},
        {"cause": "gremlins"},
    ],
)
def test_a_question_that_cannot_be_read_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(BadInputError):
        question_of(asked, now=NOW, zone=SHANGHAI)
