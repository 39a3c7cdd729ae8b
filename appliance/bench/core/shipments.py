"""How many goods issues a second pass the guards, and how soon everybody sees a hold.

Goods of `BATCHES` batches are picked beforehand; clients, each in a thread that waits for its own
answer, then ask for them one by one. The rate that one client alone reaches stands beside it.
"""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from sqlalchemy import insert, select

from appliance.bench import facts
from contracts.clock import SystemClock
from contracts.errors import TallymanError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, StockStatus
from erp_link.adapters import tables as t
from erp_link.domain.moves import Place
from erp_link.domain.places import STAGING
from erp_link.service.core import Core
from erp_link.service.work import Work

SUPPLIER, GTIN = "ACME", "06933132577789"
BATCHES = 50
READERS = 2
_ASKS_EVERY_S = 0.005
"""A reader that asked without a pause would take the cores from those it waits for."""
_SLOT = Place("A-01-1", StockStatus.UNRESTRICTED)
_STAGED = Place(STAGING, StockStatus.IN_TRANSIT)


@dataclass(frozen=True, slots=True)
class Shipped:
    """Goods issues a second. `medians` over the rounds; `alone` is one client by itself."""

    per_s: float
    alone_per_s: float
    clients: int
    rounds: tuple[float, ...]


def batch_key(number: int) -> BatchKey:
    return BatchKey(SUPPLIER, GTIN, f"L{number:05d}")


def picked(core: Core, how_many: int, *, batches: int = BATCHES, first: int = 0) -> list[int]:
    """So many reservations of one unit, picked already, over `batches` batches."""
    each = -(-how_many // batches)
    for number in range(first, first + batches):
        core.receive(batch_key(number), each, location=_SLOT.location, by="bench")
    lots = [batch_key(number).lot for number in range(first, first + batches)]

    def staged(work: Work) -> list[int]:
        ids = work.connection.execute(select(t.batch.c.id).where(t.batch.c.lot.in_(lots)))
        rows = []
        for batch_id in list(ids.scalars()):
            text = Reason("story_picked", {"order": f"SO-{batch_id}", "quantity": each})
            event_id = work.event("picked", text, batch_id=batch_id, reference=f"SO-{batch_id}")
            work.move(event_id, batch_id, each, _SLOT, _STAGED)
            rows += [
                {
                    "order_ref": f"SO-{batch_id}-{n}",
                    "batch_id": batch_id,
                    "location": _SLOT.location,
                    "quantity": 1,
                    "state": "picked",
                    "made_by": "bench",
                    "made_at": work.now,
                }
                for n in range(each)
            ]
        made = work.connection.execute(
            insert(t.reservation).returning(t.reservation.c.id), rows
        ).scalars()
        return list(made)

    return core.write(staged, by="bench")[:how_many]


def shipments(url: str, *, seed: int, how_many: int, clients: int, rounds: int) -> Shipped:
    """Measure goods issues on the database at `url`."""
    core = Core(url, clock=SystemClock())
    try:
        alone = max(50, how_many // 20)
        ids = picked(core, alone + how_many * rounds)
        random.Random(seed).shuffle(ids)  # noqa: S311 -- an order to ask in
        began = time.perf_counter()
        for each in ids[:alone]:
            core.ship(each, by="bench", key=f"alone-{each:09d}")
        alone_per_s = alone / (time.perf_counter() - began)
        rates = []
        for number in range(rounds):
            start = alone + number * how_many
            rates.append(_together(core, ids[start : start + how_many], clients))
        return Shipped(facts.median(rates), alone_per_s, clients, tuple(rates))
    finally:
        core.close()


def _together(core: Core, ids: Sequence[int], clients: int) -> float:
    start = threading.Barrier(clients + 1)

    def client(mine: Sequence[int]) -> None:
        start.wait()
        for each in mine:
            core.ship(each, by="bench", key=f"issue-{each:09d}")

    with ThreadPoolExecutor(clients) as pool:
        jobs = [pool.submit(client, ids[n::clients]) for n in range(clients)]
        start.wait()
        began = time.perf_counter()
        for job in jobs:
            job.result()
        return len(ids) / (time.perf_counter() - began)


def visible_ms(url: str, *, holds: int, shipping_per_s: float = 200.0) -> list[float]:
    """Milliseconds from asking for a hold until the last of `READERS` other processes sees it, for
    each of `holds` holds; they ask every 5 ms, while another thread ships `shipping_per_s` goods a second.
    """
    core = Core(url, clock=SystemClock())
    load = picked(core, 4000)
    picked(core, holds, batches=holds, first=BATCHES)
    seen: list[float] = []
    try:
        with _readers(url) as readers, _shipping(core, load, shipping_per_s):
            for number in range(BATCHES, BATCHES + holds):
                key = batch_key(number)
                for reader in readers:
                    reader.send(key.lot)
                    reader.recv()
                began = time.perf_counter()
                core.add_hold(
                    HoldKind.BATCH, batch=key, reason=Reason("held_by_hand", {"note": "-"}), by="q"
                )
                for reader in readers:
                    reader.recv()
                seen.append((time.perf_counter() - began) * 1000)
    finally:
        core.close()
    return seen


@contextmanager
def _readers(url: str) -> Iterator[list[Connection]]:
    spawn = multiprocessing.get_context("spawn")
    pipes = [spawn.Pipe() for _ in range(READERS)]
    processes = [spawn.Process(target=_watch, args=(url, far), daemon=True) for _, far in pipes]
    for process in processes:
        process.start()
    try:
        for near, _ in pipes:
            near.recv()
        yield [near for near, _ in pipes]
    finally:
        for process in processes:
            process.kill()
            process.join()


def _watch(url: str, line: Connection) -> None:
    """Another process: for each lot that it is told, say when the predicate says no."""
    core = Core(url, clock=SystemClock())
    line.send("ready")
    while True:
        key = BatchKey(SUPPLIER, GTIN, line.recv())
        core.batch(key)
        line.send("watching")
        while core.batch(key).may_leave:
            time.sleep(_ASKS_EVERY_S)
        line.send("held")


@contextmanager
def _shipping(core: Core, ids: Sequence[int], per_s: float) -> Iterator[None]:
    ended = threading.Event()

    def ship() -> None:
        for each in ids:
            if ended.wait(1 / per_s):
                return
            try:
                core.ship(each, by="bench")
            except TallymanError:
                continue

    thread = threading.Thread(target=ship, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
