"""What the list of boxes says of each: its condition, drift, who runs what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.web.ota.board import (
    SHOWS,
    Condition,
    condition,
    counts,
    drifts,
    fits,
    shares,
    urgency,
)
from appliance.web.ota.rows import BoxRow, LaneRow
from contracts.ota import BoxStep
from tests.support.pages import NOW

OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "1" * 64


def box(running: str = OLD, desired: str = OLD, **more: object) -> BoxRow:
    row = BoxRow("box-1", lanes=(LaneRow("read", running, desired),), heard_at=NOW, online=True)
    return replace(row, **more)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (box(), Condition.AS_DESIRED),
        (box(desired=NEW), Condition.DRIFTS),
        (box(desired=NEW, step=BoxStep.FETCHING), Condition.UPDATING),
        (box(desired=NEW, step=BoxStep.FETCHING, online=False), Condition.DRIFTS),
        (box(desired=NEW, step=BoxStep.FAILED), Condition.FAILED),
        (box(step=BoxStep.RETURNED), Condition.RETURNED),
        (box(step=BoxStep.PROBATION), Condition.UPDATING),
        (box(online=False), Condition.OFFLINE),
        (box(heard_at=None, online=False, lanes=()), Condition.NEW),
        (box(desired=NEW, standing="quarantined"), Condition.QUARANTINED),
        (box(desired=NEW, standing="revoked"), Condition.LOCKED_OUT),
    ],
)
def test_a_box_has_the_worst_word_that_is_true_of_it(row: BoxRow, word: Condition) -> None:
    assert condition(row) is word


def test_nobody_drifts_from_what_nobody_asked_for() -> None:
    assert not drifts(box(running=OLD, desired=""))
    assert not drifts(replace(box(), lanes=(LaneRow("read", OLD, "", coming=NEW),)))


def test_what_needs_a_look_stands_first_and_the_rest_by_cell_and_name() -> None:
    rows = [
        box(device="b-2", cell="line-2"),
        box(device="b-1", cell="line-2"),
        box(device="b-9", cell="dock-1", online=False),
        box(device="b-3", cell="dock-1", desired=NEW),
        box(device="b-4", cell="dock-1", step=BoxStep.FAILED),
        box(device="b-5", cell="dock-1", step=BoxStep.PROBATION),
    ]
    ordered = [row.device for row in sorted(rows, key=urgency)]
    assert ordered == ["b-4", "b-3", "b-9", "b-5", "b-1", "b-2"]


def test_who_runs_what_leaves_out_who_is_locked_out() -> None:
    rows = [box(), box(), box(running=NEW, desired=OLD), box(running=NEW, standing="revoked")]
    (lane,) = shares(rows)
    assert [(each.digest, each.boxes) for each in lane.shares] == [(OLD, 2), (NEW, 1)]
    assert (lane.boxes, lane.drifting) == (3, 1)


@given(
    st.lists(
        st.builds(
            box,
            running=st.sampled_from([OLD, NEW, ""]),
            desired=st.sampled_from([OLD, NEW, ""]),
            step=st.sampled_from(list(BoxStep)),
            online=st.booleans(),
            standing=st.sampled_from(["active", "quarantined", "revoked"]),
            heard_at=st.sampled_from([NOW, None]),
        ),
        max_size=12,
    )
)
def test_every_box_is_in_the_list_of_all_and_shares_fill_their_bar(rows: list[BoxRow]) -> None:
    found = counts(rows)
    assert found["all"] == len(rows)
    assert all(found[shown] == sum(fits(row, shown) for row in rows) for shown in SHOWS)
    for lane in shares(rows):
        assert sum(each.boxes for each in lane.shares) == lane.boxes
        assert sum(each.width for each in lane.shares) == pytest.approx(1000)
        assert lane.drifting <= len(rows)
