"""A vehicle of another maker's library whose radio doubles and mixes its states (I2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.stock import TransportState as T
from tests.agv_bridge.core_in_memory import CoreInMemory
from tests.brokers import MosquittoBroker
from tests.integration.test_agv_counterpart import hub
from tests.support.sdk_vehicle import sdk_vehicle


@pytest.mark.mosquitto
async def test_doubled_and_overtaken_states_of_another_library_book_each_move_once(tmp_path: Path):
    core = CoreInMemory()
    ids = [f"T{number}" for number in range(8)]
    for number, order_id in enumerate(ids):
        core.request(order_id, to=f"slot-{number}")
    with MosquittoBroker(tmp_path) as broker:
        async with (
            hub(broker, core) as bridge,
            sdk_vehicle(broker.url, "s1", seed=1) as (radio, done),
        ):
            for order_id in ids:
                await core.until(order_id, T.DROPPED, wait_s=60)
            assert bridge.vehicles()[0].vehicle == "adversary/s1"
    assert core.put_aways == [(f"sscc-{order_id}", f"slot-{n}") for n, order_id in enumerate(ids)]
    assert done == [f"{order_id}.{what}" for order_id in ids for what in ("pick", "drop")]
    assert core.mismatches == []
    assert radio.doubled > 5
    assert radio.overtaken > 5
