"""Hub, broker and vehicles killed with -9 in mid-mission, as real processes with the real core (I1, I2).

The short form of `make campaign-agv`: every carton ends in one place or with a person.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.bench.agv.kills.campaign import Campaign

pytestmark = pytest.mark.timeout(300)


async def test_hub_and_broker_killed_in_mid_mission_put_every_carton_away_once(tmp_path: Path):
    told = await Campaign(tmp_path / "plant", seed=1).run("hub", "broker")
    assert told["faults"] == []
    assert told["put_away"] + told["for_a_person"] == told["cartons"] > 0


async def test_vehicles_killed_in_mid_mission_leave_put_aways_or_tasks(tmp_path: Path):
    told = await Campaign(tmp_path / "plant", seed=2).run("vehicles")
    assert told["faults"] == []
    assert told["put_away"] + told["for_a_person"] == told["cartons"] == 8
