"""What a candidate said beside the running set, carton by carton, and what each box says of goods."""

from __future__ import annotations

from datetime import timedelta

from contracts.clock import FixedClock
from contracts.events import ShadowJudged
from contracts.verdict import Decision
from erp_link.service.core import Core
from erp_link.service.judging.compared import compared, disagreements, words_of_boxes
from tests.erp_link.judging.conftest import DEFECT, NEW, OLD, PASS, REVIEW, Box


def beside(box: Box, carton: str, said: str, stood: str, *, harmful: bool = False) -> None:
    box.sends(
        ShadowJudged(
            station=box.name,
            carton_id=carton,
            rollout="RO-1",
            lane="inspect",
            model_set=NEW["inspect"],
            running=OLD["inspect"],
            said=said,
            stood=stood,
            harmful=harmful,
            late=False,
            error="" if said else "out of memory",
            elapsed_ms=10.0 if said else 30.0,
        )
    )


def test_both_words_are_summed_and_where_they_differ_is_listed_harm_first(
    core: Core, box: Box, other: Box
) -> None:
    for carton, decision, said in (
        ("C1", PASS, "pass"),
        ("C2", PASS, "review"),
        ("C3", DEFECT, "pass"),
        ("C4", PASS, ""),
    ):
        box.looks(carton, decision)
        harmful = (str(decision), said) in (("pass", "review"), ("defect", "pass"))
        beside(box, carton, said, str(decision), harmful=harmful)
    beside(other, "C9", "pass", "review")

    rows = {(row.device, row.stood, row.said): row for row in compared(core, "RO-1")}
    assert rows["edge-1", "pass", "pass"].frames == 1
    failed = rows["edge-1", "pass", ""]
    assert (failed.failed, failed.elapsed_ms) == (1, 30.0)
    assert sum(row.harmful for row in rows.values()) == 2
    assert compared(core, "RO-2") == []

    found, listed = disagreements(core, "RO-1")
    assert found == 4
    assert {each.carton_id for each in listed[:2]} == {"C2", "C3"}, "harm first"
    assert [each.harmful for each in listed] == [True, True, False, False]
    pictures = {each.carton_id: each.pictures for each in listed}
    assert len(pictures["C2"]) == 1, "the goods as the box judged them"
    assert pictures["C9"] == (), "no box told of this carton"

    found, listed = disagreements(core, "RO-1", device="edge-2")
    assert (found, listed[0].carton_id) == (1, "C9")
    assert disagreements(core, "RO-1", stood="defect", said="pass")[0] == 1
    first = disagreements(core, "RO-1", most=1)[1]
    assert disagreements(core, "RO-1", skip=1, most=1)[1] != first


def test_what_a_person_said_stands_beside_it(core: Core, box: Box) -> None:
    box.judges("C1", Decision.REVIEW)
    beside(box, "C1", "pass", "review")
    box.settles("C1", "refused", None, line=None)
    ((one,),) = (disagreements(core, "RO-1")[1],)
    assert one.answer == "refused"


def test_each_box_is_counted_by_what_it_said_of_goods_since_then(
    core: Core, box: Box, other: Box, clock: FixedClock
) -> None:
    began = clock.now()
    for number, decision in enumerate((PASS, PASS, REVIEW)):
        box.looks(f"A{number}", decision)
    other.looks("B1", DEFECT)
    words = {(row.device, row.decision): row.cartons for row in words_of_boxes(core, began)}
    assert words == {
        ("edge-1", "pass"): 2,
        ("edge-1", "review"): 1,
        ("edge-2", "defect"): 1,
    }
    assert words_of_boxes(core, clock.now() + timedelta(hours=1)) == []
