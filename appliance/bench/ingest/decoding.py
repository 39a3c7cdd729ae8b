"""What understanding a reading costs by itself: decode, duplicates, rules; in one process, no I/O."""

from __future__ import annotations

import time
from collections import Counter

from appliance.bench.facts import median
from appliance.bench.ingest.site import catalogue, fence
from appliance.bench.ingest.stream import messages
from telemetry.ingest.counts import Counts
from telemetry.ingest.sieve import Sieve
from telemetry.now import system_us
from telemetry.watching.engine import Engine

_ROUNDS = 7
_GROUP = 500


def decode_and_rules_us(count: int, *, seed: int) -> tuple[float, float]:
    """Processor microseconds a message: of decoding alone, and of the whole sieve (decode, range
    checks, duplicates, rules), the median of seven rounds over `count` readings each.
    """
    known = catalogue()
    engine = Engine((fence(),), book=known.series, now_us=system_us())
    sieve = Sieve(known, engine, Counts(quarantined=Counter()))
    made = list(messages(count * _ROUNDS, seed=seed, start_ms=system_us() // 1000))
    groups = [made[at : at + _GROUP] for at in range(0, len(made), _GROUP)]
    bound = [(known.bind(topic).decode, payload) for topic, payload in made[:count]]
    alone = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for decode, payload in bound:
            decode(payload)
        alone.append((time.process_time() - began) / count * 1e6)
    whole, each = [], len(groups) // _ROUNDS
    for at in range(_ROUNDS):
        mine = groups[at * each : (at + 1) * each]
        began = time.process_time()
        for group in mine:
            now = system_us()
            engine.tick(now)
            sieve.sift(group, now)
        whole.append((time.process_time() - began) / sum(map(len, mine)) * 1e6)
    return round(median(alone), 3), round(median(whole), 3)
