"""Who comes in which wave: named boxes, cells, and chance within strata."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError
from contracts.ota import BoxReport
from ota.rollout.boxes import Box, Heard
from ota.rollout.choosing import choose, late
from ota.rollout.events import STANDS_BY, Member
from ota.rollout.plan import Plan, Scope, Wave, check_plan

OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "a" * 64


def fleet(count: int, *, reported: bool = True) -> dict[str, Heard]:
    """Every fifth box is of the old hardware; four boxes a cell, twenty a site."""
    boxes = {}
    for number in range(count):
        name = f"box-{number:03d}"
        labels = {"hardware": "old" if number % 5 == 0 else "new"}
        box = Box(name, f"cell-{number // 4}", f"site-{number // 20}", labels)
        report = BoxReport(name, 1, "1", running={"read": OLD}) if reported else None
        boxes[name] = Heard(box, report, live=True)
    return boxes


def plan(*waves: Wave, **facts: object) -> Plan:
    return Plan("read", NEW, waves=waves, **facts)


def sizes(members: tuple[Member, ...]) -> Counter[int]:
    return Counter(member.wave for member in members)


def test_percentages_count_from_the_start() -> None:
    members = choose(plan(Wave(5), Wave(25), Wave(100)), fleet(40), seed=1)
    assert sizes(members) == {0: 2, 1: 8, 2: 30}
    assert {member.before for member in members} == {OLD}


def test_the_first_wave_of_a_small_fleet_is_one_box() -> None:
    assert sizes(choose(plan(Wave(5), Wave(100)), fleet(3), seed=1)) == {0: 1, 1: 2}


def test_the_same_seed_draws_the_same_waves_and_another_one_others() -> None:
    waves = plan(Wave(20), Wave(100))
    assert choose(waves, fleet(40), seed=3) == choose(waves, fleet(40), seed=3)
    drawn = {
        tuple(m.device for m in choose(waves, fleet(40), seed=seed) if m.wave == 0)
        for seed in range(1, 20)
    }
    assert len(drawn) > 15


def test_named_boxes_cells_and_sites_come_first() -> None:
    members = choose(
        plan(Wave(boxes=("box-007",), cells=("cell-0",)), Wave(sites=("site-1",)), Wave(100)),
        fleet(60),
        seed=1,
    )
    by = {member.device: member.wave for member in members}
    assert [by[f"box-{n:03d}"] for n in (0, 3, 7)] == [0, 0, 0]
    assert by["box-025"] == 1
    assert by["box-059"] == 2


def test_each_stratum_is_drawn_from_in_its_proportion() -> None:
    boxes = fleet(50)
    for seed in range(1, 30):
        members = choose(plan(Wave(20, strata="hardware")), boxes, seed=seed)
        drawn = [m.device for m in members if m.wave == 0]
        old = sum(boxes[name].box.labels["hardware"] == "old" for name in drawn)
        assert len(drawn) == 10
        assert old in (1, 2, 3)


def test_every_box_has_about_the_same_chance() -> None:
    boxes = fleet(20)
    count = Counter(
        member.device
        for seed in range(1, 401)
        for member in choose(plan(Wave(10, strata="hardware")), boxes, seed=seed)
        if member.wave == 0
    )
    assert set(count) == set(boxes), "nobody is never drawn"
    assert max(count.values()) < 4 * min(count.values())


@pytest.mark.parametrize("unit", ["cell", "site"])
def test_whole_cells_and_sites_are_drawn(unit: str) -> None:
    boxes = fleet(60)
    members = choose(plan(Wave(30, by=unit)), boxes, seed=5)
    drawn = {m.device for m in members if m.wave == 0}
    units = {boxes[name].box.label(unit) for name in drawn}
    whole = {name for name, each in boxes.items() if each.box.label(unit) in units}
    assert drawn == whole
    assert len(drawn) >= 18


def test_boxes_outside_of_the_plan_stand_by() -> None:
    members = choose(plan(Wave(100), scope=Scope(sites=("site-0",))), fleet(40), seed=1)
    assert sizes(members) == {0: 20, STANDS_BY: 20}


def test_a_box_that_never_reported_is_in_no_wave_yet() -> None:
    boxes = {**fleet(4), "box-900": Heard(Box("box-900"))}
    assert "box-900" not in {m.device for m in choose(plan(Wave(100)), boxes, seed=1)}


def test_a_box_that_comes_later_is_in_the_last_wave_of_a_plan_for_everybody() -> None:
    heard = Heard(Box("box-900", "cell-9"), BoxReport("box-900", 1, "1", running={"read": OLD}))
    assert late(plan(Wave(5), Wave(100)), heard).wave == 1
    assert late(plan(Wave(5), Wave(50)), heard).wave == STANDS_BY
    assert late(plan(Wave(5), Wave(100), scope=Scope(cells=("cell-1",))), heard).wave == STANDS_BY


def test_a_box_that_runs_it_already_has_nothing_to_go_back_to() -> None:
    heard = Heard(Box("b"), BoxReport("b", 1, "1", running={"read": NEW}))
    assert late(plan(Wave(100)), heard).before == ""


@given(
    st.lists(st.floats(1, 100), min_size=1, max_size=4, unique_by=round),
    st.integers(1, 60),
    st.sampled_from(["", "hardware", "cell"]),
    st.integers(1, 1000),
)
def test_every_box_is_in_at_most_one_wave_and_shares_are_reached(
    percents: list[float], count: int, strata: str, seed: int
) -> None:
    waves = [Wave(percent, strata=strata) for percent in sorted(percents)]
    members = choose(plan(*waves), fleet(count), seed=seed)
    assert len({m.device for m in members}) == len(members) == count
    reached = 0
    for number, wave in enumerate(waves):
        reached += sizes(members)[number]
        assert reached >= count * wave.percent / 100
        assert reached < count * wave.percent / 100 + 1


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (Plan("launch", NEW), "no lane"),
        (Plan("read", "new one"), "digest"),
        (plan(), "wave"),
        (plan(Wave()), "names nobody"),
        (plan(Wave(50), Wave(20)), "grow"),
        (Plan("rules", NEW), "no frames"),
        (plan(Wave(100), shadow=False, watch=False), "beside"),
        (plan(Wave(100), shadow=False, decide=True), "decision"),
        (plan(Wave(100, certify=False), decide=True), "decision"),
        (plan(Wave(100), zone="Mars/Olympus"), "time zone"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(bad: Plan, why: str) -> None:
    with pytest.raises(BadInputError, match=why):
        check_plan(bad)


def test_a_plan_for_rules_goes_without_gates() -> None:
    check_plan(Plan("rules", NEW, waves=(Wave(100, certify=False),), shadow=False))
