"""What reading and writing one message costs, in processor time of this process alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from agv_bridge.missions.orders import Leg, build_order
from agv_bridge.vda5050.codec import decode, encode
from agv_bridge.vda5050.messages import Header
from agv_bridge.virtual.presence import address_of
from appliance.bench.agv.traffic import road_state
from appliance.bench.facts import median
from contracts.clock import SystemClock
from contracts.stock import TransportOrder

VERSIONS = ("2.0.0", "2.1.0", "3.0.0")


def codec(*, count: int = 2000, rounds: int = 5) -> dict[str, object]:
    """Microseconds a message, by version: medians over the rounds."""
    found: dict[str, object] = {}
    for version in VERSIONS:
        address = address_of("r0001", version=version, manufacturer="road")
        state = road_state(1, version)
        payload = encode(state, address.major)
        topic = address.topic("state")
        order = build_order(
            Leg.of(TransportOrder("T-1", "sscc-1", "DOCK/dock-1", "A-01-1")),
            Header(
                header_id=1,
                timestamp=SystemClock().now(),
                version=version,
                manufacturer="road",
                serial_number="r0001",
            ),
        )
        found[version] = {
            "state_bytes": len(payload),
            "state_decode_us": _us(partial(decode, topic, payload), count, rounds),
            "state_encode_us": _us(partial(encode, state, address.major), count, rounds),
            "order_encode_us": _us(partial(encode, order, address.major), count, rounds),
        }
    return found


def _us(work: Callable[[], object], count: int, rounds: int) -> float:
    work()
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(count):
            work()
        spent.append((time.process_time() - began) / count * 1e6)
    return round(median(spent), 2)
