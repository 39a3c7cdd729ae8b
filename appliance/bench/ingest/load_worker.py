"""One process of the load generator: many connections, one selector, no framework."""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from appliance.bench.ingest.load_packets import Packets
from contracts.errors import UnavailableError
from telemetry.mqtt.decoding import decode, split
from telemetry.mqtt.encoding import encode
from telemetry.mqtt.packets import ConnAck, Connect

_RECEIVE = 1 << 18
_PUBACK = 4
_GRACE_S = 10.0
_BUILD = 1_000
"""Messages that are built at once where nobody waits for a certain one."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one process does."""

    host: str
    port: int
    sensors: tuple[tuple[int, ...], ...]
    """Of each connection."""
    rows: int
    """Messages in one write of a connection."""
    window: int
    """Messages of a connection that may wait for their PUBACK; a multiple of `rows`."""
    seconds: float
    version: int = 5
    rate: float = 0.0
    """Messages a second of this process; 0: as many as are acknowledged."""
    warm_one_in: int = 1_000
    username: str = ""
    password: str = ""
    ca: str = ""
    """Certificate authority of the endpoint: TLS."""
    certificate: str = ""
    key: str = ""


@dataclass(slots=True)
class Done:
    acked: int = 0
    sent: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    """Of the sending, without the preparation."""
    slowest_ms: float = 0.0
    """Longest from the write of a batch to its last PUBACK."""
    median_ms: float = 0.0


@dataclass(slots=True, eq=False)
class Line:
    """One connection."""

    socket: socket.socket
    packets: Packets
    out: memoryview = field(default_factory=lambda: memoryview(b""))
    waiting: list[tuple[int, float]] = field(default_factory=list)
    """(count of acknowledgements that ends a batch, when it was written)."""
    ready: memoryview = field(default_factory=lambda: memoryview(b""))
    """Batches that are built and not sent yet."""
    sent: int = 0
    acked: int = 0
    torn: int = 0
    """Bytes of a PUBACK of which the rest is on its way."""


def run(load: Load, *, ready: Callable[[], object] = bool) -> Done:
    """Connect, call `ready`, send for `seconds`, then wait for what is not acknowledged.

    Raises UnavailableError.
    """
    with ExitStack() as stack:
        lines = [_open(load, sensors, stack) for sensors in load.sensors]
        ready()
        return _send(load, lines)


def _send(load: Load, lines: list[Line]) -> Done:
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        done = Done()
        times: list[float] = []
        began, cpu = time.perf_counter(), time.process_time()
        stop = began + load.seconds
        stuck: list[Line] = []
        hungry: Iterable[Line] = lines
        while True:
            now = time.perf_counter()
            if now < stop:
                stuck += _fill(lines if load.rate else hungry, load, done, now - began)
            elif done.acked >= done.sent or now > stop + _GRACE_S:
                break
            events = selector.select(0.002)
            hungry = [key.data for key, _ in events]
            for line in hungry:
                done.acked += _acknowledged(line, times)
            stuck = [line for line in stuck if line.out]
            for line in stuck:
                _push(line)
        done.seconds = time.perf_counter() - began
        done.cpu_s = time.process_time() - cpu
    if times:
        done.slowest_ms = max(times) * 1000
        done.median_ms = sorted(times)[len(times) // 2] * 1000
    return done


def _fill(lines: Iterable[Line], load: Load, done: Done, elapsed: float) -> list[Line]:
    """Each line whose window has room gets its next batch, as far as the rate allows; those whose
    socket did not take all of it.
    """
    stuck: list[Line] = []
    for line in lines:
        while not line.out and line.sent - line.acked + load.rows <= load.window:
            if load.rate and done.sent + load.rows > load.rate * elapsed:
                return stuck
            line.out = _next(line, load)
            line.sent += load.rows
            done.sent += load.rows
            line.waiting.append((line.sent, time.perf_counter()))
            _push(line)
        if line.out:
            stuck.append(line)
    return stuck


def _next(line: Line, load: Load) -> memoryview:
    if not line.ready:
        line.ready = memoryview(line.packets.batch(time.time_ns() // 1_000_000))
    size = load.rows * line.packets.packet_bytes
    batch, line.ready = line.ready[:size], line.ready[size:]
    return batch


def _push(line: Line) -> None:
    try:
        while line.out:
            line.out = line.out[line.socket.send(line.out) :]
    except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
        return


def _acknowledged(line: Line, times: list[float]) -> int:
    """PUBACKs that came. Raises UnavailableError where something else came, or the end."""
    total = line.torn
    try:
        while True:
            data = line.socket.recv(_RECEIVE)
            if not data:
                raise UnavailableError("The endpoint closed a connection", mend="Read its log")
            start = -total % _PUBACK
            if data[start::_PUBACK].strip(b"\x40"):
                raise UnavailableError(
                    f"Something else than PUBACK came: {data[:16].hex()}", mend="Read its log"
                )
            total += len(data)
    except (BlockingIOError, ssl.SSLWantReadError):
        pass
    count, line.torn = divmod(total, _PUBACK)
    line.acked += count
    now = time.perf_counter()
    while line.waiting and line.waiting[0][0] <= line.acked:
        times.append(now - line.waiting.pop(0)[1])
    return count


def _open(load: Load, sensors: tuple[int, ...], stack: ExitStack) -> Line:
    plain = stack.enter_context(socket.create_connection((load.host, load.port), timeout=30))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = stack.enter_context(_secured(load, plain)) if load.ca else plain
    hello = Connect(
        client_id=f"load-{sensors[0]:04d}",
        version=load.version,
        keep_alive_s=600,
        username=load.username or None,
        password=load.password.encode() or None,
    )
    connection.sendall(encode(hello, load.version))
    data = b""
    while (span := split(data, 0, len(data), 1024)) is None or span.end > len(data):
        more = connection.recv(1024)
        if not more:
            raise UnavailableError("The endpoint let nobody in", mend="Read its log")
        data += more
    answer = decode(span.first, data[span.start : span.end], load.version)
    if not isinstance(answer, ConnAck) or answer.code:
        raise UnavailableError(f"The endpoint said {answer}", mend="Give a user it knows")
    connection.setblocking(False)
    # Small batches are built several at once; never fewer than may be in flight, or packet
    # identifiers would be used twice.
    ahead = max(load.window, load.rows if load.rate else _BUILD) // load.rows
    rows = load.rows * max(ahead, 1)
    packets = Packets(sensors, rows, load.version, warm_one_in=load.warm_one_in)
    return Line(connection, packets)


def _secured(load: Load, plain: socket.socket) -> socket.socket:
    context = ssl.create_default_context(cafile=load.ca)
    context.check_hostname = False
    if load.certificate:
        context.load_cert_chain(Path(load.certificate), Path(load.key))
    return context.wrap_socket(plain)
