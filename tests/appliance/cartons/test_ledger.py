"""Every picture belongs to the carton that was there when it was taken, or to none."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.cameras.frame import Frame
from appliance.cartons.ledger import CartonLedger, RankedFrame, TrackPolicy
from appliance.cartons.view import carton_ids

CAMERAS = ("label", "inspect")
START = datetime(2026, 11, 21, 8, tzinfo=UTC)


class Belt:
    def __init__(self, shift, **policy) -> None:
        self.shift = shift
        self.ledger = CartonLedger(
            CAMERAS, policy=TrackPolicy(**policy), new_id=carton_ids("dock-1")
        )

    def rise(self, ms: float) -> None:
        self.ledger.edge(high=True, at=self.shift.at(ms), by="trigger")

    def fall(self, ms: float) -> None:
        self.ledger.edge(high=False, at=self.shift.at(ms), by="trigger")

    def see(self, ms: float, camera: str = "label", sharpness: float = 1.0, state: str = "ok"):
        frame = self.shift.frame(ms, camera)
        self.ledger.offer(RankedFrame(frame, sharpness, state))
        return frame

    def out(self, ms: float):
        return self.ledger.advance(self.shift.at(ms))


@pytest.fixture
def belt(shift) -> Belt:
    return Belt(shift)


def test_frames_while_the_eye_is_covered_are_the_cartons(belt) -> None:
    before = belt.see(90)
    belt.rise(100)
    first, other = belt.see(150), belt.see(160, "inspect")
    belt.fall(400)
    after = belt.see(401)
    assert belt.out(500) == [], "frames may still be under way"
    (carton,) = belt.out(1000)
    assert carton.frames == {"label": (first,), "inspect": (other,)}
    assert (carton.opened_at, carton.closed_at) == (belt.shift.at(100), belt.shift.at(400))
    assert carton.opened_by == "trigger"
    assert carton.faults == ()
    taken = {frame for of in carton.frames.values() for frame in of}
    assert taken.isdisjoint({before, after})
    belt.out(5000)
    assert belt.ledger.frames_of_none == 2


def test_two_cartons_close_behind_one_another_are_kept_apart(belt) -> None:
    belt.rise(0)
    one = belt.see(50)
    belt.fall(300)
    belt.rise(345)
    two = belt.see(346)
    belt.fall(600)
    first, second = belt.out(1000)
    assert (first.frames["label"], second.frames["label"]) == ((one,), (two,))
    assert first.carton_id != second.carton_id


def test_a_picture_that_is_told_late_still_finds_its_carton(belt) -> None:
    belt.rise(0)
    belt.fall(300)
    belt.rise(400)
    late = belt.see(299)
    belt.fall(700)
    first, second = belt.out(1000)
    assert first.frames["label"] == (late,)
    assert second.frames["label"] == ()


def test_an_edge_that_is_told_late_claims_what_came_meanwhile(belt) -> None:
    belt.rise(0)
    one, two = belt.see(200), belt.see(450)
    belt.fall(300)
    belt.rise(400)
    belt.fall(600)
    first, second = belt.out(1000)
    assert (first.frames["label"], second.frames["label"]) == ((one,), (two,))


def test_a_handle_hole_does_not_split_a_carton(belt) -> None:
    belt.rise(0)
    belt.fall(200)
    hole = belt.see(210)
    belt.rise(225)
    belt.fall(500)
    (carton,) = belt.out(1000)
    assert carton.frames["label"] == (hole,)


def test_a_fly_before_the_eye_is_no_carton(belt) -> None:
    belt.rise(0)
    belt.see(5)
    belt.fall(10)
    assert belt.out(1000) == []
    assert belt.ledger.glitches == 1


def test_a_carton_nobody_photographed_is_a_carton_all_the_same(belt) -> None:
    belt.rise(0)
    belt.fall(300)
    (carton,) = belt.out(1000)
    assert carton.frames == {"label": (), "inspect": ()}


def test_a_carton_that_never_leaves_is_closed_and_says_so(belt) -> None:
    belt.rise(0)
    belt.see(100)
    assert belt.ledger.next_change() == belt.shift.at(10_000)
    (carton,) = belt.out(10_500)
    assert [fault.code for fault in carton.faults] == ["carton_never_left"]
    belt.rise(11_000)
    assert belt.out(30_000) == [], "an eye that stays covered opens no second carton"
    belt.fall(31_000)
    belt.rise(31_010)
    belt.fall(31_500)
    assert len(belt.out(32_000)) == 1


def test_a_repeated_state_is_no_edge(belt) -> None:
    belt.fall(0)
    belt.rise(10)
    belt.rise(200)
    belt.fall(300)
    belt.fall(320)
    (carton,) = belt.out(1000)
    assert carton.opened_at == belt.shift.at(10)


def test_the_best_few_frames_are_kept_sharpest_first(shift) -> None:
    belt = Belt(shift, keep=2)
    belt.rise(0)
    dull, sharp, middling = (belt.see(10 * i, sharpness=s) for i, s in ((1, 1), (2, 9), (3, 5)))
    belt.fall(300)
    (carton,) = belt.out(1000)
    assert carton.frames["label"] == (sharp, middling)
    assert dull not in carton.frames["label"]


def test_a_carton_that_stands_keeps_no_pile_of_pictures(belt) -> None:
    belt.rise(0)
    for ms in range(0, 9000, 50):
        belt.see(ms)
    held = belt.ledger._cartons[0].frames["label"]
    assert len(held) < 20


def test_cartons_that_wait_for_a_busy_station_hold_only_their_best_pictures(shift) -> None:
    belt = Belt(shift, keep=2)
    for start in range(0, 10_000, 1000):
        belt.rise(start)
        for ms in range(0, 400, 20):
            belt.see(start + ms, sharpness=ms)
        belt.fall(start + 400)
        belt.see(start + 399, sharpness=999)
    held = [len(carton.frames["label"]) for carton in belt.ledger._cartons]
    assert held == [2] * 10
    assert all(c.frames["label"][0].number % 21 == 0 for c in belt.out(20_000)), "late and sharpest"


def test_one_picture_of_a_camera_in_order_is_enough(belt) -> None:
    belt.rise(0)
    belt.see(10, sharpness=9, state="blurred")
    good = belt.see(20, sharpness=3)
    belt.see(30, "inspect", state="dark")
    belt.fall(300)
    (carton,) = belt.out(1000)
    assert carton.frames["label"][0] is good
    assert [(fault.code, fault.params) for fault in carton.faults] == [
        ("camera_dark", {"camera": "inspect"})
    ]


def test_a_camera_further_down_the_belt_sees_the_carton_later(shift) -> None:
    belt = Belt(shift, delays_ms={"inspect": 500})
    belt.rise(0)
    belt.fall(300)
    too_soon, mine, too_late = (belt.see(ms, "inspect") for ms in (400, 600, 801))
    (carton,) = belt.out(2000)
    assert carton.frames["inspect"] == (mine,)
    assert {too_soon, too_late}.isdisjoint(carton.frames["inspect"])


def test_an_unknown_camera_belongs_to_nobody(belt) -> None:
    belt.rise(0)
    belt.see(10, "roof")
    belt.fall(300)
    (carton,) = belt.out(1000)
    assert set(carton.frames) == set(CAMERAS)


BLANK = np.zeros((1, 1, 3), np.uint8)


@st.composite
def days(draw):
    """Cartons apart by more than a bounce, pictures at any time, news late by up to 100 ms."""
    edges, cartons, now = [], [], 0
    for _ in range(draw(st.integers(1, 6))):
        opened = now + draw(st.integers(41, 400))
        now = opened + draw(st.integers(41, 600))
        cartons.append((opened, now))
        edges += [(opened, True), (now, False)]
    taken = draw(
        st.lists(st.tuples(st.integers(0, now + 200), st.sampled_from(CAMERAS)), max_size=40)
    )
    late = st.integers(0, 100)
    news, told = [], 0
    for ms, high in edges:
        told = max(told, ms + draw(late))  # one eye's messages stay in order
        news.append((told, 0, ("edge", ms, high)))
    for index, (ms, camera) in enumerate(taken):
        news.append((ms + draw(late), 1, ("frame", ms, camera, index)))
    return cartons, sorted(news), taken


@settings(max_examples=200, deadline=None)
@given(days())
def test_any_interleaving_keeps_every_picture_with_the_right_carton(day) -> None:
    cartons, news, taken = day
    ledger = CartonLedger(CAMERAS, policy=TrackPolicy(keep=99), new_id=carton_ids("dock-1"))
    views = []

    def at(ms: int) -> datetime:
        return START + timedelta(milliseconds=ms)

    for told, _, what in news:
        views += ledger.advance(at(told))
        if what[0] == "edge":
            ledger.edge(high=what[2], at=at(what[1]), by="trigger")
        else:
            _, ms, camera, number = what
            frame = Frame(camera, at(ms), BLANK, b"", "", f"{number}", number)
            ledger.offer(RankedFrame(frame, 1.0))
    views += ledger.advance(at(100_000))

    assert [(view.opened_at, view.closed_at) for view in views] == [
        (at(opened), at(closed)) for opened, closed in cartons
    ]
    placed = {
        frame.number: index
        for index, view in enumerate(views)
        for of in view.frames.values()
        for frame in of
    }
    assert len(placed) == sum(len(of) for view in views for of in view.frames.values())
    for number, (ms, _) in enumerate(taken):
        wanted = next((i for i, (start, end) in enumerate(cartons) if start <= ms < end), None)
        assert placed.get(number) == wanted
    assert ledger.frames_of_none == len(taken) - len(placed)
