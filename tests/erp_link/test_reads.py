"""What was read counts once, whatever the order in which a judgement and its answer arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, select

from contracts.clock import FixedClock
from contracts.events import KIND_OF, CartonJudged, CartonSettled, EventBody, JournalEntry
from contracts.geometry import Quad
from contracts.reading import FieldValue, LabelFields, LabelReading, ReadDecision, Symbol
from contracts.reason import Reason
from contracts.stock import Evidence
from contracts.verdict import Decision, Verdict
from erp_link.adapters import read_tables as r
from erp_link.adapters import tables as t
from erp_link.adapters.tables import metadata
from erp_link.domain.carriers import carrier_of
from erp_link.domain.reads import CAUSES, QUARTER_US, Answer
from erp_link.service.core import Core
from erp_link.service.read_queries import WHAT, ReadWindow
from erp_link.service.reads import project
from tests.erp_link.story import JUICE, LATER, WATER, Station

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
_TABLES = [t.asn, t.session, r.read_cell, r.carton_read]
EVER = ReadWindow(((0, 2**31 - 1),))
QUAD: Quad = ((0, 0), (1, 0), (1, 1), (0, 1))


def a_reading(
    *reasons: str,
    lot: str = WATER.lot,
    confidence: float = 0.97,
    symbols: tuple[str, ...] = (),
    sources: tuple[str, str, str] = ("symbol", "text", "text"),
) -> LabelReading:
    """Accepted, or left to a person for `reasons`."""
    gtin, batch, expiry = sources
    return LabelReading(
        frame="f",
        fields=LabelFields(
            FieldValue(WATER.gtin, 0.9, gtin),
            FieldValue(lot, 0.9, batch),
            FieldValue(LATER.isoformat(), 0.9, expiry),
        ),
        symbols=tuple(Symbol("Code128", text, QUAD) for text in symbols),
        asn_line=1,
        confidence=confidence,
        decision=ReadDecision.REVIEW if reasons else ReadDecision.ACCEPT,
        reasons=tuple(Reason(code) for code in reasons),
        model_set="sha256:reader",
        elapsed_ms=80,
    )


def judged(
    carton: str, reading: LabelReading | None, *verdict: str, session: str | None = None
) -> CartonJudged:
    decision = Decision.REVIEW if verdict else Decision.ACCEPT
    return CartonJudged(
        carton_id=carton,
        station="dock-1",
        session=session,
        opened_at=AT,
        opened_by="trigger",
        verdict=Verdict(decision, tuple(Reason(code) for code in verdict), batch=WATER),
        reading=reading,
        inspection=None,
        evidence=(Evidence("label", "ab" * 32, camera="label"),),
        model_sets={"read": "sha256:reader"},
        variant="cpu",
    )


def settled(carton: str, lot: str = WATER.lot, how: str = "candidate") -> CartonSettled:
    return CartonSettled(
        carton, "dock-1", None, "op", WATER.gtin, lot, LATER.isoformat(), 1, how
    )  # fmt: skip


def counts(core: Core, window: ReadWindow = EVER) -> dict[str, int]:
    """How many cartons each question of a window finds."""
    found = {}
    for what in WHAT:
        asked = replace(window, what=what)
        total, frames = core.read_frames(asked, most=500)
        tallies, quarters = core.read_tallies(asked)
        assert total == len(frames)
        assert total == sum(each.cartons for each in tallies)
        assert total == sum(each.cartons for each in quarters)
        found[what] = total
    assert found["read"] + found["review"] == found["all"]
    return found


def test_a_day_at_the_dock_is_counted(core: Core, station: Station) -> None:
    session = station.receives()
    station.sends(judged("C1", a_reading(), session=session))
    station.sends(judged("C2", a_reading("low_confidence"), "low_confidence", session=session))
    station.sends(judged("C3", None, "no_label_picture", session=session))
    # Its label was read; a person is asked because the goods were not seen.
    station.sends(judged("C4", a_reading(), "not_inspected", session=session))
    station.settles("C4", "candidate")
    station.sends(judged("C5", a_reading(lot=JUICE.lot), "audit", session=session))
    station.settles("C5", "keyed")
    station.sends(judged("C6", a_reading("off_list", "damaged"), "off_list", session=session))
    station.settles("C6", "refused")
    station.settles("C2", "keyed", JUICE)

    assert counts(core) == {
        "all": 6,
        "read": 3,
        "review": 3,
        "known": 2,
        "misread": 1,
        "audited": 1,
        "proposed": 1,
        "proposed_wrong": 1,
    }
    tallies, _ = core.read_tallies(EVER)
    causes = {each.cell.cause for each in tallies if not each.cell.accepted}
    assert causes == {"low_confidence", "no_picture", "off_list"}
    assert {each.cell.facet.supplier for each in tallies} == {"ACME"}
    assert {each.cell.facet.camera for each in tallies} == {"dock-1 label"}
    _, (misread,) = core.read_frames(replace(EVER, what="misread"), most=5)
    assert misread.carton_id == "C5"
    assert misread.answer.batch == JUICE.lot
    assert misread.truth == Answer(WATER.gtin, WATER.lot, LATER.isoformat())
    assert misread.pictures == ("ab" * 32,)
    scored = core.read_scored(0, most=10)
    assert [each.was_right for each in scored] == [False, True, False]
    assert sum(each.cartons for each in core.read_bands(0)) == 5


def test_a_repeated_entry_counts_once(core: Core, station: Station) -> None:
    station.receives()
    station.sends(judged("C1", a_reading("glare"), "glare"))
    station.settles("C1", "candidate")
    once = counts(core)
    for entry, body in station.log:
        assert core.apply(entry, body).duplicate
        core.read_again(entry, body)
    assert counts(core) == once


def test_a_window_holds_its_first_quarter_and_not_its_last(core: Core, station: Station) -> None:
    station.sends(judged("C1", a_reading()))
    quarter = station.log[-1][0].at_us // QUARTER_US
    assert core.read_frames(ReadWindow(((quarter, quarter + 1),)), most=1)[0] == 1
    assert core.read_frames(ReadWindow(((quarter - 1, quarter),)), most=1)[0] == 0
    assert core.read_frames(ReadWindow(()), most=1) == (0, [])
    both = ReadWindow(((quarter - 9, quarter - 5), (quarter, quarter + 1)))
    assert core.read_frames(both, most=1)[0] == 1


def test_rates_are_asked_by_facet_and_cause(core: Core, station: Station) -> None:
    station.sends(judged("C1", a_reading(symbols=("1Z999AA10123456784",))))
    station.sends(judged("C2", a_reading("blurred", sources=("asn", "text", "text")), "blurred"))
    station.sends(judged("C3", replace(a_reading("glare"), print_style="dot_matrix"), "glare"))

    def found(*facets: tuple[str, str], cause: str = "") -> list[str]:
        window = replace(EVER, facets=facets, cause=cause)
        return [frame.carton_id for frame in core.read_frames(window, most=9)[1]]

    assert found(("carrier", "UPS")) == ["C1"]
    assert found(("source", "list")) == ["C2"]
    assert found(("print_style", "dot_matrix")) == ["C3"]
    assert found(("carrier", ""), ("camera", "dock-1 label")) == ["C3", "C2"]
    assert found(cause="blurred") == ["C2"]
    assert {facet.carrier for facet in core.read_facets()} == {"UPS", ""}


def test_frames_come_newest_first_a_page_at_a_time(core: Core, station: Station) -> None:
    for number in range(5):
        station.sends(judged(f"C{number}", a_reading()))
    total, page = core.read_frames(EVER, most=2, skip=2)
    assert total == 5
    assert [frame.carton_id for frame in page] == ["C2", "C1"]


@pytest.mark.parametrize(
    ("reasons", "cause"),
    [
        (("glare", "off_list"), "off_list"),
        (("low_confidence", "damaged"), "damaged"),
        (("batch_unreadable", "expiry_unreadable"), "unreadable"),
        (("perhaps_off_list", "batch_partly_read"), "unreadable"),
        (("low_confidence", "perhaps_off_list"), "perhaps_off_list"),
        (("reader_uncalibrated",), "uncalibrated"),
        (("a_reason_of_next_year",), "other"),
        (("no_label",), "no_label"),
        (("two_labels", "blurred"), "two_labels"),
    ],
)
def test_a_review_has_the_cause_that_explains_most(
    core: Core, station: Station, reasons: tuple[str, ...], cause: str
) -> None:
    station.sends(judged("C1", a_reading(*reasons), *reasons))
    (tally,) = core.read_tallies(EVER)[0]
    assert tally.cell.cause == cause
    assert cause in CAUSES


@pytest.mark.parametrize(
    ("symbol", "carrier"),
    [
        ("1Z999AA10123456784", "UPS"),
        ("1Z999AA10123456785", ""),
        ("[)>\x1e01\x1d96841706672\x1d840\x1d001\x1d1Z12345677\x1dUPSN\x1d\x1e\x04", "UPS"),
        ("[)>\x1e01\x1d96841706672", ""),
        ("RR473124829CN", "Post CN"),
        ("RR473124828CN", ""),
        ("JJD000390007886247842", "DHL"),
        ("SF1234567890123", "SF Express"),
        ("00340123450000000017", ""),
        ("", ""),
    ],
)
def test_a_carrier_is_named_by_its_own_number_only(symbol: str, carrier: str) -> None:
    assert carrier_of([symbol]) == carrier


def test_two_carriers_on_one_carton_name_none() -> None:
    assert carrier_of(["1Z999AA10123456784", "RR473124829CN"]) == ""
    assert carrier_of(["1Z999AA10123456784", "06933132577789"]) == "UPS"


CARTONS = st.sampled_from(["C1", "C2", "C3"])
BODIES = st.one_of(
    st.builds(
        judged,
        CARTONS,
        st.one_of(
            st.none(),
            st.builds(a_reading, lot=st.sampled_from(["A", "B"])),
            st.builds(a_reading, st.sampled_from(["glare", "off_list"])),
        ),
    ),
    st.builds(settled, CARTONS, st.sampled_from(["A", "B"]), st.sampled_from(["keyed", "refused"])),
)


def entries(bodies: Sequence[EventBody]) -> list[tuple[JournalEntry, EventBody]]:
    """Two devices write by turns."""
    made = []
    for number, body in enumerate(bodies):
        at_us = int((AT + timedelta(seconds=7 * number)).timestamp() * 1e6)
        kind = KIND_OF[type(body)]
        entry = JournalEntry(f"edge-{number % 2}", number, "b", at_us, 0, kind, "{}", "", "", "")
        made.append((entry, body))
    return made


def rows_after(journal: Sequence[tuple[JournalEntry, EventBody]]) -> list[tuple[object, ...]]:
    """The projection that entries in this order leave, cells by what they say."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection, tables=_TABLES)
        for entry, body in journal:
            project(connection, entry, body)
        columns = [c for c in r.carton_read.c if c.name != "cell_id"]
        cells = [c for c in r.read_cell.c if c.name != "id"]
        found = connection.execute(
            select(*columns, *cells)
            .join(r.read_cell, r.read_cell.c.id == r.carton_read.c.cell_id, isouter=True)
            .order_by(r.carton_read.c.carton_id)
        ).all()
    engine.dispose()
    return [tuple(map(repr, row)) for row in found]


@settings(deadline=None, max_examples=60)
@given(st.lists(BODIES, max_size=6), st.randoms(use_true_random=False), st.integers(0, 3))
def test_any_order_and_any_repetition_give_the_same_rows(
    bodies: list[EventBody], chance: Random, again: int
) -> None:
    journal = entries(bodies)
    shuffled = [*journal, *journal[:again]]
    chance.shuffle(shuffled)
    assert rows_after(shuffled) == rows_after(journal)


def test_rates_are_filled_again_from_the_journals(tmp_path: Path, clock: FixedClock) -> None:
    first = Core(f"sqlite:///{tmp_path / 'first.db'}", clock=clock)
    second = Core(f"sqlite:///{tmp_path / 'second.db'}", clock=clock)
    station = Station(first, clock)
    station.sends(judged("C1", a_reading("damaged"), "damaged"))
    station.settles("C1", "candidate")
    for entry, body in reversed(station.log):
        second.read_again(entry, body)
    assert second.read_frames(EVER, most=9) == first.read_frames(EVER, most=9)
    assert second.device_head("edge-1") == (0, "")
    first.close()
    second.close()


def test_a_hundred_thousand_cartons_are_counted_from_the_index_alone(tmp_path: Path) -> None:
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=FixedClock(AT))
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "carton_read" in statement:
            asked.append(statement)

    event.listen(core.engine, "before_cursor_execute", note)
    narrow = ReadWindow(((1, 2),), (("camera", "dock-1 label"), ("carrier", "")), "review", "glare")
    core.read_tallies(EVER)
    core.read_tallies(narrow)
    plans = []
    with core.engine.connect() as connection:
        for statement in tuple(asked):
            values = (0,) * statement.count("?")
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.append(" ".join(str(step) for step in steps))
    core.close()
    assert len(plans) == 4
    for plan in plans:
        assert "carton_read USING COVERING INDEX ix_carton_read_counted (quarter>" in plan
