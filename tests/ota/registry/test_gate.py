"""A set's figures beside those of the set it came from: what is worse by more than is allowed stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError
from ota.registry.gate import Bound, bounds_of, figure_of, findings, quality_of
from ota.registry.lanes import check_lane, check_part, lane_of
from ota.registry.records import SetRecord
from tests.support.model_sets import GATE, quality


def record(text: str, *, lane: str = "read", unproven: tuple[str, ...] = ()) -> SetRecord:
    return SetRecord(
        digest="sha256:" + "0" * 64,
        lane=lane,
        name="label_reader",
        version="1.0.0",
        kind="label-reader",
        licence="Apache-2.0",
        files=(),
        manifest_bytes=1,
        quality=text,
        unproven=unproven,
    )


def codes(text: str, base: str | None = None, **other) -> list[str]:
    before = None if base is None else record(base)
    return [each.code for each in findings(record(text, **other), before)]


def test_figures_within_their_bounds_pass() -> None:
    assert codes(quality(90.0, 0.2)) == []
    assert codes(quality(89.6, 0.25), quality(90.0, 0.2)) == []
    assert codes(quality(99.0, 0.0), quality(90.0, 0.2)) == []


def test_a_figure_that_lost_more_than_it_may_is_named_with_both_values() -> None:
    (found,) = findings(record(quality(89.0)), record(quality(90.0)))
    assert found.code == "set_figure_worse"
    assert found.params == {
        "figure": "measured.right_percent",
        "now": 89.0,
        "before": 90.0,
        "may_lose": 0.5,
    }
    assert codes(quality(90.0, 0.31), quality(90.0, 0.2)) == ["set_figure_worse"]


def test_a_limit_holds_without_a_set_before() -> None:
    assert codes(quality(79.9)) == ["set_figure_limit"]


def test_a_set_cannot_loosen_its_bounds_for_itself() -> None:
    loose = GATE.replace("may_lose = 0.5", "may_lose = 50").replace("limit = 80.0", "limit = 1")
    assert codes(quality(70.0, gate=loose), quality(90.0)) == [
        "set_figure_worse",
        "set_figure_limit",
    ]


def test_a_bound_that_is_left_out_still_counts_where_the_set_before_states_it() -> None:
    assert codes(quality(80.5, gate=""), quality(90.0)) == ["set_figure_worse"]


def test_what_was_not_measured_is_not_good() -> None:
    gone = quality().replace("right_percent = 90.0\n", "")
    assert codes(gone, quality()) == ["set_figure_missing"]
    assert codes(quality().replace("90.0", "nan"), quality()) == ["set_figure_missing"]
    assert codes(quality().replace("90.0", '"90"'), quality()) == ["set_figure_missing"]
    assert codes(quality().replace("90.0", "true"), quality()) == ["set_figure_missing"]


def test_a_set_measured_beside_the_one_before_need_not_measure_everything_else_again() -> None:
    own = "[paired]\nright = 97.0\n" + GATE.split("[[gate]]")[0]
    own += '[[gate]]\nfigure = "paired.right"\nbetter = "higher"\nlimit = 96.5\n'
    beside = f'compared_with = "{record(quality()).digest}"\n'
    assert codes(own, quality()) == ["set_figure_missing", "set_figure_missing"]
    assert codes(beside + own, quality()) == []
    assert codes(beside + own.replace("97.0", "96.0"), quality()) == ["set_figure_limit"]
    # What it did measure is held, and another set beside is no proof against this one.
    assert codes(beside + quality(80.5), quality()) == ["set_figure_worse"]
    assert codes('compared_with = "sha256:other"\n' + own, quality()) != []
    bare = beside + "[paired]\nright = 97.0\n"
    assert codes(bare, quality()) == ["set_figure_missing", "set_figure_missing"]


def test_without_record_or_bounds_nothing_is_published() -> None:
    assert codes("") == ["set_quality_missing"]
    assert codes("[measured]\nright = 1\n") == ["set_gate_missing"]
    assert codes("= =") == ["set_quality_unreadable"]
    assert codes('[[gate]]\nfigure = "x"\nbetter = "bigger"\n') == ["set_quality_unreadable"]


def test_rules_and_templates_have_no_figures_to_show() -> None:
    for lane in ("profiles", "rules", "templates"):
        assert codes("", lane=lane) == []


def test_an_engine_without_a_proof_stands_in_the_way() -> None:
    assert codes(quality(), unproven=("openvino-cpu",)) == ["set_engine_unproven"]


@pytest.mark.parametrize(
    "bound",
    [
        '{ figure = "x" }',
        '{ figure = 1, better = "lower" }',
        '{ figure = "x", better = "lower", may_lose = -1 }',
        '{ figure = "x", better = "lower", may_lose = true }',
        '{ figure = "x", better = "lower", limit = "1" }',
        '{ figure = "x", better = "lower", limit = inf }',
        '"x"',
    ],
)
def test_a_bound_that_cannot_be_held_is_refused(bound: str) -> None:
    with pytest.raises(BadInputError, match="gate"):
        bounds_of(quality_of(f"gate = [{bound}]"))


def test_a_figure_is_found_by_its_path() -> None:
    said = quality_of("[a.b]\nc = 3\n[a.list]\nd = [1]\n")
    assert figure_of(said, "a.b.c") == 3.0
    assert [figure_of(said, path) for path in ("a.b", "a.x.c", "a.b.c.d", "")] == [None] * 4


@given(
    now=st.floats(-1e6, 1e6), before=st.floats(-1e6, 1e6), loss=st.floats(0, 1e6), up=st.booleans()
)
def test_better_is_never_refused_and_worse_by_more_always(
    now: float, before: float, loss: float, *, up: bool
) -> None:
    better = "higher" if up else "lower"
    gate = f'[[gate]]\nfigure = "x"\nbetter = "{better}"\nmay_lose = {loss!r}\n'
    found = codes(f"x = {now!r}\n{gate}", f"x = {before!r}\n{gate}")
    worse = (before - now) if up else (now - before)
    assert found == (["set_figure_worse"] if worse > loss else [])


def test_bounds_read_as_they_stand() -> None:
    assert bounds_of(quality_of(GATE)) == (
        Bound("measured.right_percent", "higher", 0.5, 80.0),
        Bound("measured.wrong_percent", "lower", 0.1, None),
    )


def test_kinds_lanes_and_names_that_cannot_be_are_refused() -> None:
    assert lane_of("defect") == "inspect"
    with pytest.raises(BadInputError, match="No station uses"):
        lane_of("poem")
    with pytest.raises(BadInputError, match="not a lane"):
        check_lane("motorway")
    for part in ("", "..", "a/b", "a..b", "-a", "ä", "x" * 65):
        with pytest.raises(BadInputError, match="cannot stand in a path"):
            check_part(part, "name")
