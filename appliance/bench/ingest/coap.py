"""CoAP: ours, durable before the acknowledgement, and a server on aiocoap that stores nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.bench.facts import median
from appliance.bench.ingest.coap_load import post
from appliance.bench.ingest.ours import receiver
from appliance.bench.ingest.processes import Started, cpu_s, started

_WINDOW = 4
"""Of each endpoint: 256 requests on their way together."""


@dataclass(frozen=True, slots=True)
class Coap:
    """Medians of rounds in turns. Both know messages that come again."""

    requests_per_s: float
    cpu_us_per_message: float
    aiocoap_requests_per_s: float
    aiocoap_cpu_us_per_message: float
    times_the_rate: float
    times_the_cpu: float


def coap(folder: Path, *, seconds: float, rounds: int) -> Coap:
    """Ours and the peer in turns."""
    rates: dict[str, list[float]] = {"ours": [], "aiocoap": []}
    spent: dict[str, list[float]] = {"ours": [], "aiocoap": []}
    for at in range(rounds):
        for name in ("ours", "aiocoap"):
            place = folder / f"{name}-{at}"
            place.mkdir(parents=True)
            with _server(name, place) as (child, port):
                before = cpu_s(child.pid)
                done = post("127.0.0.1", port, seconds=seconds, window=_WINDOW)
                rates[name].append(done.per_s)
                spent[name].append((cpu_s(child.pid) - before) / done.answered * 1e6)
    mine, peer = median(rates["ours"]), median(rates["aiocoap"])
    our_cpu, their_cpu = median(spent["ours"]), median(spent["aiocoap"])
    return Coap(
        requests_per_s=round(mine),
        cpu_us_per_message=round(our_cpu, 2),
        aiocoap_requests_per_s=round(peer),
        aiocoap_cpu_us_per_message=round(their_cpu, 2),
        times_the_rate=round(mine / peer, 1),
        times_the_cpu=round(their_cpu / our_cpu, 1),
    )


@contextmanager
def _server(name: str, place: Path) -> Iterator[tuple[Started, int]]:
    if name == "ours":
        with receiver(place / "gateway") as ours:
            yield ours.child, ours.ports.coap
        return
    module = [sys.executable, "-m", "appliance.bench.ingest.aiocoap_peer"]
    with started(module, place, "peer") as child:
        yield child, int(child.first_line().split()[-1])
