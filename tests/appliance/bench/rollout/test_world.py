"""Fleets in virtual time: what one batch, one judge is worth, and what is missing without its parts."""
# ruff: noqa: S311 -- worlds that are repeated by their seed, no secrets

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from appliance.bench.rollout.world.agenda import BEGAN_US, DAY_US, HOUR_US, Agenda
from appliance.bench.rollout.world.deliveries import cartons
from appliance.bench.rollout.world.network import Network, Weather, drawn_cuts
from appliance.bench.rollout.world.world import SCHEDULES, Schedule, Size, Without, World
from contracts.errors import UnavailableError

SMALL = Size(batches=250, cells=2, boxes_a_cell=4, days=2)
PARTITION = next(each for each in SCHEDULES if each.name == "partition")
ROLLING = next(each for each in SCHEDULES if each.name == "rolling")


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
def test_no_batch_is_judged_by_two_and_none_is_left_lying(schedule: Schedule) -> None:
    told = World(schedule, SMALL, seed=1).run()
    assert told["batches"] == 250
    assert (told["mixed"], told["nobody_could_judge"], told["lost"], told["undecided"]) == (0,) * 4
    assert told["holds"]


@pytest.mark.parametrize("missing", [Without(pin=True), Without(watermark=True)], ids=str)
def test_without_pins_or_watermarks_the_same_check_finds_mixed_batches(missing: Without) -> None:
    told = World(PARTITION, SMALL, seed=1, without=missing).run()
    assert int(str(told["mixed"])) > 0
    assert not told["holds"]


def test_without_the_barrier_batches_come_by_boxes_that_may_not_judge_them() -> None:
    size = Size(batches=1500, cells=2, boxes_a_cell=4, days=2)
    told = World(ROLLING, size, seed=1, without=Without(barrier=True)).run()
    assert told["mixed"] == 0
    assert int(str(told["nobody_could_judge"])) > 0
    assert not told["holds"]


def test_the_same_seed_is_the_same_world() -> None:
    size = Size(batches=60, cells=2, boxes_a_cell=2, days=1)
    assert World(PARTITION, size, seed=4).run() == World(PARTITION, size, seed=4).run()
    assert World(PARTITION, size, seed=4).run() != World(PARTITION, size, seed=5).run()


def test_what_is_put_down_for_one_moment_happens_in_its_order() -> None:
    agenda, done = Agenda(), []
    agenda.after(HOUR_US, lambda: done.append("second"))
    agenda.after(HOUR_US, lambda: done.append("third"))
    agenda.every(HOUR_US // 2, lambda: done.append("tick"), until_us=BEGAN_US + HOUR_US)
    agenda.run(BEGAN_US + DAY_US)
    assert done == ["tick", "tick", "second", "third", "tick"]
    assert agenda.now_us == BEGAN_US + DAY_US
    assert agenda.now().isoformat() == "2026-11-23T00:00:00+00:00"


def test_a_lost_answer_is_a_question_that_was_heard() -> None:
    heard: list[int] = []
    network = Network(Weather(lost_there=0.0, lost_back=1.0, twice=0.0), Random(1))
    with pytest.raises(UnavailableError):
        network.ask("box", BEGAN_US, lambda: heard.append(1))
    assert heard == [1]
    twice = Network(Weather(lost_there=0.0, lost_back=0.0, twice=1.0), Random(1))
    twice.ask("box", BEGAN_US, lambda: heard.append(2))
    assert heard == [1, 2, 2]


def test_a_cut_box_reaches_nobody_until_the_cut_is_over() -> None:
    network = Network(Weather(0, 0, 0), Random(1))
    network.cut("box", [(BEGAN_US + 10, BEGAN_US + 20)])
    reached = [network.reaches("box", BEGAN_US + at) for at in (9, 10, 19, 20)]
    assert reached == [True, False, False, True]
    assert network.reaches("another", BEGAN_US + 15)


def test_cuts_lie_within_their_time_and_apart() -> None:
    cuts = drawn_cuts(
        Random(3), begin_us=0, end_us=DAY_US, mean_gap_us=HOUR_US, mean_cut_us=HOUR_US // 2
    )
    assert len(cuts) > 3
    assert all(begin < end <= DAY_US for begin, end in cuts)
    assert all(end < begin for (_, end), (begin, _) in pairwise(cuts))


def test_goods_come_by_the_stations_of_their_cell() -> None:
    cells = {"a": ["a1", "a2"], "b": ["b1"]}
    found = list(cartons(Random(1), cells, batches=200, begin_us=0, end_us=DAY_US))
    assert len({each.batch for each in found}) == 200
    assert {each.station for each in found} == {"a1", "a2", "b1"}
    assert all(0 <= each.at_us <= DAY_US for each in found)
