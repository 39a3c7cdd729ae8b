"""A load generator for any MQTT endpoint: how many readings a second it acknowledges.

    python -m appliance.bench.ingest.load --port 1883 --connections 4 --rows 500 --window 4000

Several processes, prebuilt packets, QoS 1. Prints one JSON object: what was acknowledged, how long
a batch waited for its last PUBACK, and what the generator itself cost.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from multiprocessing.connection import Connection

import msgspec

from appliance.bench.ingest.load_worker import Done, Load, run
from appliance.bench.ingest.stream import SENSORS
from contracts.errors import TallymanError, UnavailableError


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What all processes did together."""

    connections: int
    processes: int
    rows: int
    window: int
    tls: bool
    version: int
    acked: int
    sent: int
    seconds: float
    acked_per_s: float
    median_ms: float
    slowest_ms: float
    generator_us_per_message: float


def generate(
    load: Load, *, connections: int, processes: int = 1, sensors: int = SENSORS
) -> LoadReport:
    """Run `load` with so many connections over so many processes; its `sensors` are dealt here.

    All processes connect first and start together. Raises UnavailableError.
    """
    dealt = deal(sensors, connections, load.rows)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    workers = []
    for number in range(processes):
        mine = replace(load, sensors=tuple(dealt[number::processes]), rate=load.rate / processes)
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(mine, barrier, there), daemon=True)
        process.start()
        there.close()
        workers.append((process, here))
    done = [_result(pipe) for _, pipe in workers]
    for process, _ in workers:
        process.join()
    return _report(load, done, connections)


def deal(sensors: int, connections: int, rows: int) -> list[tuple[int, ...]]:
    """Sensors for each connection, so many that a batch of `rows` holds all of them equally often."""
    each = gcd(max(sensors // connections, 1), rows)
    return [tuple(range(n * each, (n + 1) * each)) for n in range(connections)]


def _work(load: Load, barrier: object, pipe: Connection) -> None:
    try:
        pipe.send(run(load, ready=barrier.wait))  # type: ignore[attr-defined]  # of the context
    except (TallymanError, OSError) as error:
        pipe.send(str(error))


def _result(pipe: Connection) -> Done:
    try:
        result: Done | str = pipe.recv()
    except EOFError:
        result = "it ended without a word"
    if isinstance(result, str):
        raise UnavailableError(f"A generator failed: {result}", mend="Is the endpoint up?")
    return result


def _report(load: Load, done: Sequence[Done], connections: int) -> LoadReport:
    acked = sum(one.acked for one in done)
    seconds = max(one.seconds for one in done)
    return LoadReport(
        connections=connections,
        processes=len(done),
        rows=load.rows,
        window=load.window,
        tls=bool(load.ca),
        version=load.version,
        acked=acked,
        sent=sum(one.sent for one in done),
        seconds=round(seconds, 3),
        acked_per_s=round(acked / seconds),
        median_ms=round(max(one.median_ms for one in done), 2),
        slowest_ms=round(max(one.slowest_ms for one in done), 2),
        generator_us_per_message=round(sum(o.cpu_s for o in done) / max(acked, 1) * 1e6, 3),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="load", description=__doc__, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--rows", type=int, default=500, help="messages a write")
    parser.add_argument("--window", type=int, default=4000, help="unacknowledged a connection")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second, 0: no limit")
    parser.add_argument("--sensors", type=int, default=SENSORS)
    parser.add_argument("--version", type=int, choices=(4, 5), default=5)
    parser.add_argument("--warm-one-in", type=int, default=1000)
    for name in ("--username", "--password", "--ca", "--certificate", "--key"):
        parser.add_argument(name, default="")
    given = vars(parser.parse_args(arguments))
    connections, processes = given.pop("connections"), given.pop("processes")
    sensors = given.pop("sensors")
    load = Load(sensors=(), **given)
    try:
        report = generate(load, connections=connections, processes=processes, sensors=sensors)
    except TallymanError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
