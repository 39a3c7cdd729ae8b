"""A start on a full disk makes room before anything is opened, and takes nothing that is needed."""

from __future__ import annotations

from pathlib import Path

from appliance.gateway.room import Reserve, make_room, reserve_of
from appliance.layout import Layout
from telemetry.segments import Position, Retention, SegmentWriter
from telemetry.segments.files import numbers_in

NEVER_ENOUGH = 1 << 62


def a_gateway(folder: Path) -> Layout:
    layout = Layout(folder)
    writer = SegmentWriter(layout.segments, segment_bytes=100)
    for number in range(6):
        writer.append(number, [("plant/a", b"x" * 200)])
        writer.commit()
    writer.close()
    return layout


def test_segments_that_nobody_holds_and_the_reserve_go(tmp_path: Path):
    layout = a_gateway(tmp_path)
    before = numbers_in(layout.segments)
    Retention(layout.segments).hold("gateway", Position(before[-1], 0))
    Retention(layout.segments).hold("history", Position(before[3], 0))
    assert reserve_of(layout).lay_down()
    assert make_room(layout, scarce_bytes=NEVER_ENOUGH) > 32 << 20
    assert numbers_in(layout.segments) == before[3:]
    assert not (layout.gateway / "reserve").exists()


def test_where_nobody_ever_held_a_segment_none_goes(tmp_path: Path):
    layout = a_gateway(tmp_path)
    before = numbers_in(layout.segments)
    make_room(layout, scarce_bytes=NEVER_ENOUGH)
    assert numbers_in(layout.segments) == before


def test_with_space_enough_or_before_the_first_start_nothing_is_touched(tmp_path: Path):
    assert make_room(Layout(tmp_path / "new"), scarce_bytes=NEVER_ENOUGH) == 0
    layout = a_gateway(tmp_path)
    Retention(layout.segments).hold("history", Position(4, 0))
    before = numbers_in(layout.segments)
    assert make_room(layout, scarce_bytes=0) == 0
    assert numbers_in(layout.segments) == before


def test_a_reserve_is_of_real_blocks_and_lies_down_once(tmp_path: Path):
    reserve = Reserve(tmp_path / "reserve", most=1 << 20)
    assert reserve.lay_down()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 1 << 20
    assert reserve.lay_down()
    assert reserve.give_up() == 1 << 20
    assert reserve.give_up() == 0
    assert not Reserve(tmp_path / "absent" / "reserve").lay_down()
