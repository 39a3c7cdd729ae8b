"""The readings of the bench: the same messages for us and for every peer.

A thousand cold-room probes, JSON of about 127 bytes, one topic each. One reading in a thousand is
too warm, so that thresholds have something to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import msgspec

SENSORS = 1_000
TOPIC = "sensors/cold-{:04d}/reading"
FILTER = "sensors/#"
_WARM_ONE_IN = 1_000
_START_MS = 1_795_305_600_000
"""2026-11-22; the readings go on from there, one a sensor and millisecond."""


def messages(
    count: int, *, seed: int, sensors: int = SENSORS, start_ms: int = _START_MS
) -> Iterator[tuple[str, bytes]]:
    """`count` (topic, payload), sensors in turn, each with its own sequence from 1."""
    rng = Random(seed)  # noqa: S311 -- repeatable, not secret
    encode = msgspec.json.encode
    for number in range(count):
        sensor, sequence = number % sensors, number // sensors + 1
        warm = rng.randrange(_WARM_ONE_IN) == 0
        yield (
            TOPIC.format(sensor),
            encode(
                {
                    "device": f"cold-{sensor:04d}",
                    "seq": sequence,
                    "time": start_ms + sequence,
                    "temperature": round(rng.gauss(9.5 if warm else 4.0, 0.4), 2),
                    "humidity": round(rng.gauss(62.0, 4.0), 1),
                    "battery": 3.6,
                    "firmware": "1.4",
                    "rssi": -71 - sensor % 20,
                }
            ),
        )
