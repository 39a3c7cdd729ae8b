"""The polls of very many boxes against one hub, and against the same server with nothing behind it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.bench.ingest.processes import cpu_s, started
from appliance.bench.rollout.polling import load
from appliance.bench.rollout.polling.hub import Known
from appliance.identity.requests import sign_request
from appliance.ota.director_port import PATH
from appliance.services.address import free_address

_TARGET = f"{PATH}/assignment"
_CONNECTIONS = 256
_CHUNK = 2_000
_AS_FAST = 5_000.0
"""More a second than any hub answers: each connection sends as soon as it is free."""
_MINUTE_S = 60.0
_START_S = 1200.0


def polls(
    folder: Path, *, boxes: int, seconds: float, every_s: float = _MINUTE_S
) -> dict[str, Any]:
    """`boxes` that ask every `every_s`, for so many seconds; the hub's own processor time beside it.

    Each box has polled once before, as it has in the minute before any other.
    """
    rate = boxes / every_s
    wanted = max(1, int(rate * seconds))
    with _hub(folder, "hub", boxes) as (address, pid):
        known = msgspec.msgpack.decode((folder / "boxes.bin").read_bytes(), type=list[Known])
        used = known[: min(len(known), wanted)]
        for first in range(0, len(used), _CHUNK):
            some = [_signed(each, address) for each in used[first : first + _CHUNK]]
            _send(address, some, rate=_AS_FAST)
        asked = [_signed(used[number % len(used)], address) for number in range(wanted)]
        ours = _measured(address, pid, asked, rate)
    with _hub(folder, "peer", 0) as (address, pid):
        asked = [_bare(address)] * wanted
        _send(address, asked[:_CHUNK], rate=_AS_FAST)
        peer = _measured(address, pid, asked, rate)
    return {
        "boxes": boxes,
        "every_s": every_s,
        "rate_per_s": round(rate, 1),
        **ours,
        "peer_bare_uvicorn": peer,
    }


def _send(address: str, asked: Sequence[bytes], *, rate: float) -> load.Done:
    host, _, port = address.rpartition(":")
    return load.run(host, int(port), asked, rate=rate, connections=_CONNECTIONS)


def _measured(address: str, pid: int, asked: Sequence[bytes], rate: float) -> dict[str, Any]:
    before = cpu_s(pid)
    done = _send(address, asked, rate=rate)
    spent = cpu_s(pid) - before
    return {
        **done.told(),
        "hub_cpu_percent": round(100 * spent / done.seconds, 1) if done.seconds else 0.0,
        "hub_cpu_us_per_poll": round(1e6 * spent / max(1, done.polls), 1),
    }


def _signed(box: Known, address: str) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(box.key)
    headers = sign_request(
        key.sign,
        device=box.device,
        method="GET",
        target=_TARGET,
        body=b"",
        at_us=time.time_ns() // 1000,
    )
    lines = [f"GET {_TARGET} HTTP/1.1", f"host: {address}", f'if-none-match: "{box.etag}"']
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _bare(address: str) -> bytes:
    return f"GET {_TARGET} HTTP/1.1\r\nhost: {address}\r\n\r\n".encode()


def _hub(folder: Path, name: str, boxes: int) -> Any:
    return _Hub(folder, name, boxes)


class _Hub:
    """A hub's process while the block lasts: its address and process id."""

    def __init__(self, folder: Path, name: str, boxes: int) -> None:
        self._address = free_address()
        module = "appliance.bench.rollout.polling.hub"
        command = [sys.executable, "-m", module, self._address, str(folder), str(boxes)]
        self._started = started(command, folder, name)

    def __enter__(self) -> tuple[str, int]:
        child = self._started.__enter__()
        # A hundred thousand boxes take their time to enrol.
        child.wait_for('{"ready": true}', within_s=_START_S)
        return self._address, child.pid

    def __exit__(self, *gone: object) -> None:
        self._started.__exit__(None, None, None)
