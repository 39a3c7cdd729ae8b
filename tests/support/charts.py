"""A site whose sensor was heard for some time, its gateway's read port, and the hub's pages over it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from fastapi import FastAPI

from appliance import problems
from appliance.web.app import create_app
from appliance.web.charts.data import sensor_data_router
from appliance.web.charts.gateway import PREFIX, Gateway
from appliance.web.charts.limits import limits_of
from appliance.web.charts.pages import DeviceCard, charts_router
from contracts.clock import SystemClock
from contracts.telemetry import Calibration
from telemetry.history.api import history_router
from telemetry.history.levels import Keeping
from telemetry.history.reader import History
from telemetry.history.writer import HistoryWriter
from telemetry.segments import Group, Position
from telemetry.watching.fences import Fence, Scope, ScopeKind
from telemetry.watching.places import Whereabouts
from tests.support.pages import FakeGate
from tests.telemetry.history.site import SiteCatalogue, says

STEP_S = 10
COLD = Fence(
    "cold-room",
    1,
    "Cold room",
    "temperature",
    "Cel",
    Scope(ScopeKind.ZONE, "COLD"),
    above=8.0,
    below=2.0,
)
FREEZER = Fence(
    "freezer", 1, "Freezer", "temperature", "Cel", Scope(ScopeKind.PLACE, "FRZ"), above=-15.0
)


def fill(folder: Path, *, hours: float = 2.0) -> None:
    """A cold room that breathes, one reading every ten seconds up to now; an hour ago the door stood
    open for five minutes.
    """
    clock = SystemClock()
    writer = HistoryWriter(folder, clock)
    catalogue = SiteCatalogue(
        {"probe-1": "COLD-1"},
        calibration=Calibration("K-2026-118", "2025-09-01", "2026-09-01", 0.3),
    )
    now_us = time.time_ns() // 1000
    noise = np.random.default_rng(6).normal(0, 0.05, int(hours * 3600 / STEP_S))
    for n in range(len(noise), 0, -1):
        at = now_us - n * STEP_S * 1_000_000
        warm = 4.0 if 3300 < n * STEP_S < 3600 else 0.0
        value = 4 + 0.6 * np.sin(n / 30) + warm + noise[n - 1]
        payload = says(round(float(value), 2), h=round(60 + 5 * math.sin(n / 50), 1))
        group = Group(Position(1, len(noise) - n + 1), at, [("s/probe-1", payload)])
        writer.take(catalogue, group)
    batch = writer.seal()
    assert batch is not None
    writer.store(batch)
    writer.close()


def gateway_app(folder: Path) -> tuple[FastAPI, History]:
    """What stands on a gateway's read port."""
    app = FastAPI()
    problems.install(app)
    history = History(folder, Keeping(), SystemClock())
    app.include_router(history_router(history, prefix=PREFIX))
    return app, history


def hub_app(gateway: Gateway, line: object = None, gate: FakeGate | None = None) -> FastAPI:
    """Only the pages of charts."""
    app = create_app("Dock")
    gate = gate or FakeGate()
    app.include_router(sensor_data_router(gateway, line, gate))
    app.include_router(
        charts_router(
            gateway,
            gate,
            book=lambda d: DeviceCard(d) if d == "probe-9" else None,
            limits=lambda cards: limits_of(cards, (COLD, FREEZER), Whereabouts({"COLD-1": "COLD"})),
        )
    )
    return app


@contextmanager
def over_asgi(folder: Path) -> Iterator[Gateway]:
    """A gateway without a port between."""
    app, history = gateway_app(folder)
    gateway = Gateway("http://gateway")
    gateway.client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://gateway"
    )
    yield gateway
    history.close()
