"""The boxes' side: requests made ready beforehand, sent when they are due over connections that stay.

A front that ends TLS holds each box's connection and passes requests on over a few of its own, so a few
hundred connections carry a hundred thousand boxes here too. A poll's time counts from the moment it was
due: one that waited for a free connection has waited.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from appliance.bench.facts import percentile
from contracts.errors import UnavailableError

_RECEIVE = 1 << 16
_GRACE_S = 60.0


@dataclass(slots=True)
class Done:
    """What came of the polls. Times in milliseconds, from due to answered."""

    polls: int = 0
    unanswered: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    times_ms: list[float] = field(default_factory=list)
    bytes_out: int = 0
    bytes_in: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0

    def told(self) -> dict[str, object]:
        """For a JSON line."""
        answered = max(1, self.polls - self.unanswered)
        return {
            "polls": self.polls,
            "polls_per_s": round(self.polls / self.seconds, 1) if self.seconds else 0.0,
            "unanswered": self.unanswered,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "p50_ms": round(percentile(self.times_ms, 50), 2),
            "p95_ms": round(percentile(self.times_ms, 95), 2),
            "p99_ms": round(percentile(self.times_ms, 99), 2),
            "max_ms": round(max(self.times_ms, default=0.0), 2),
            "bytes_there": round(self.bytes_out / max(1, self.polls), 1),
            "bytes_back": round(self.bytes_in / answered, 1),
            "load_cpu_s": round(self.cpu_s, 2),
        }


@dataclass(slots=True, eq=False)
class _Line:
    socket: socket.socket
    due: float = 0.0
    heard: bytes = b""


def run(host: str, port: int, requests: Sequence[bytes], *, rate: float, connections: int) -> Done:
    """Send each of `requests` once, `rate` a second, each over whichever connection is free.

    Raises UnavailableError where nobody listens or a connection ends.
    """
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        lines = [_open(host, port, stack) for _ in range(connections)]
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        return _send(deque(lines), selector, requests, rate)


def _send(
    free: deque[_Line], selector: selectors.BaseSelector, requests: Sequence[bytes], rate: float
) -> Done:
    done = Done()
    began, cpu = time.perf_counter(), time.process_time()
    last = began + len(requests) / rate + _GRACE_S
    next_one, busy = 0, 0
    while next_one < len(requests) or busy:
        now = time.perf_counter()
        if now > last:
            break
        while free and next_one < len(requests) and (due := began + next_one / rate) <= now:
            line = free.popleft()
            line.due = due
            line.socket.sendall(requests[next_one])
            done.bytes_out += len(requests[next_one])
            next_one, busy = next_one + 1, busy + 1
        wait = began + next_one / rate - now if free and next_one < len(requests) else 0.05
        for key, _ in selector.select(max(0.0, wait)):
            if _answered(key.data, done):
                busy -= 1
                free.append(key.data)
    done.polls, done.unanswered = next_one, busy
    done.seconds = time.perf_counter() - began
    done.cpu_s = time.process_time() - cpu
    return done


def _answered(line: _Line, done: Done) -> bool:
    """Whether the whole answer is here."""
    data = line.socket.recv(_RECEIVE)
    if not data:
        raise UnavailableError("The hub closed a connection", mend="Read its log")
    done.bytes_in += len(data)
    line.heard += data
    head, found, body = line.heard.partition(b"\r\n\r\n")
    if not found or len(body) < _length(head):
        return False
    line.heard = b""
    done.statuses[int(head[9:12])] += 1
    done.times_ms.append((time.perf_counter() - line.due) * 1000)
    return True


def _length(head: bytes) -> int:
    if head[9:12] == b"304":
        return 0
    for each in head.split(b"\r\n")[1:]:
        name, _, value = each.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _open(host: str, port: int, stack: ExitStack) -> _Line:
    try:
        plain = stack.enter_context(socket.create_connection((host, port), timeout=30))
    except OSError as error:
        raise UnavailableError(f"Nobody listens at {host}:{port}", mend="Start the hub") from error
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _Line(plain)
