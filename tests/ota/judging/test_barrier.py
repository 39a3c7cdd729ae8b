"""A cell changes over together, and a box that is away holds nobody up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ota.judging.barrier import Barrier, BoxInCell, barrier, to_keep

NEW = frozenset({"sha256:new"})


def test_the_cell_waits_for_its_last_live_box() -> None:
    boxes = [BoxInCell("b2", live=True), BoxInCell("b1", live=True, staged=NEW)]
    assert barrier(boxes, NEW) == Barrier(is_open=False, waits_for=("b2",))
    boxes[0] = BoxInCell("b2", live=False)
    assert barrier(boxes, NEW) == Barrier(is_open=True, absent=("b2",))


def test_where_nobody_lives_nothing_is_switched() -> None:
    assert not barrier([], NEW).is_open
    assert not barrier([BoxInCell("b1", live=False, staged=NEW)], NEW).is_open


boxes_ = st.lists(
    st.builds(
        BoxInCell,
        st.sampled_from("abcdef"),
        live=st.booleans(),
        staged=st.frozensets(st.sampled_from(["x", "y", "z"])),
    ),
    unique_by=lambda box: box.device,
)


@given(boxes_, st.frozensets(st.sampled_from(["x", "y", "z"])))
def test_behind_an_open_barrier_every_live_box_can_judge(
    boxes: list[BoxInCell], wanted: frozenset[str]
) -> None:
    found = barrier(boxes, wanted)
    missing = {box.device for box in boxes if box.live and not wanted <= box.staged}
    assert set(found.waits_for) == missing
    assert found.is_open is (not missing and any(box.live for box in boxes))


def test_a_box_keeps_what_open_batches_are_pinned_to() -> None:
    assert to_keep({"p"}, running=["r", ""], staged=["s", "p"]) == ["p", "r", "s"]
