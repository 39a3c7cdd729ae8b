"""The whole way of an order of one unit, by one client over HTTP: ours, and Tryton's beside it.

Ours: reserve, pick, ship; Tryton's: assign, pick, pack, done. Each over its own API, on SQLite, one
call after the other. What is set up before (goods on hand, Tryton's shipments) is not counted.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI, Request

from appliance.bench.core.shipments import BATCHES, batch_key
from appliance.services.address import free_address
from contracts.clock import SystemClock
from erp_link.api import router
from erp_link.service.core import Core

_START_S = 20.0


@dataclass(frozen=True, slots=True)
class _Anybody:
    name: str = "bench"
    roles: frozenset[str] = frozenset({"operator"})


def _anybody(*_roles: str) -> Callable[[Request], _Anybody]:
    def who(request: Request) -> _Anybody:  # noqa: ARG001 -- FastAPI's signature
        return _Anybody()

    return who


@contextmanager
def _served(core: Core) -> Iterator[str]:
    app = FastAPI()
    app.include_router(router(lambda: core, _anybody))
    host, _, port = free_address().rpartition(":")
    server = uvicorn.Server(
        uvicorn.Config(app, host=host, port=int(port), log_level="warning", lifespan="off")
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until = time.monotonic() + _START_S
    while not server.started and time.monotonic() < until:
        thread.join(0.02)
    try:
        yield f"http://{host}:{port}/api/v1"
    finally:
        server.should_exit = True
        thread.join(_START_S)


def orders_per_s(url: str, *, orders: int) -> float:
    """Orders a second from free goods to goods gone, by one client over HTTP."""
    core = Core(url, clock=SystemClock())
    try:
        for number in range(BATCHES):
            core.receive(batch_key(number), orders, location="A-01-1", by="bench")
        with _served(core) as base, httpx.Client(base_url=base) as client:
            began = time.perf_counter()
            for number in range(orders):
                _one(client, number)
            return orders / (time.perf_counter() - began)
    finally:
        core.close()


def _one(client: httpx.Client, number: int) -> None:
    key = batch_key(number % BATCHES)
    body = {
        "order": f"SO-{number}",
        "batch": {"supplier": key.supplier, "gtin": key.gtin, "lot": key.lot},
        "quantity": 1,
    }
    made = client.post("/reservations", json=body).raise_for_status().json()
    for reservation in made:
        path = f"/reservations/{reservation['reservation_id']}"
        for step in ("pick", "ship"):
            headers = {"Idempotency-Key": f"bench-{step}-{number:08d}"}
            client.post(f"{path}/{step}", headers=headers).raise_for_status()
