"""What the health page says of rollouts."""

from __future__ import annotations

from appliance.ota.rollouts_health import rollout_items
from ota.rollout.plan import Plan, Wave
from tests.support.rollouts import NEW, Dock

BOXES = [f"box-{number}" for number in range(4)]


def codes(dock: Dock) -> list[str]:
    (item,) = rollout_items(dock.desk, dock.clock)
    assert item.state == ("warn" if item.notes else "ok")
    return [note.code for note in item.notes]


def test_a_site_without_rollouts_has_no_row() -> None:
    assert rollout_items(Dock(BOXES).desk, Dock(BOXES).clock) == ()


def test_failed_boxes_a_stop_and_drift_are_told_and_nothing_twice() -> None:
    dock = Dock(BOXES)
    plan = Plan("inspect", NEW, waves=(Wave(100.0, certify=False),), shadow=False, soak_s=0)
    dock.boxes["box-1"].refuses = {NEW}
    name = dock.roll(plan)
    dock.poll(2)
    assert codes(dock) == ["ota_boxes_failed"]
    dock.desk.skip(name, ["box-1"], by="ops", why="its camera is gone")
    dock.poll(6)
    assert codes(dock) == ["ota_boxes_drift"]
    dock.desk.stop_everything(by="ops", why="smoke")
    assert codes(dock) == ["ota_fleet_stopped", "ota_boxes_drift"]
