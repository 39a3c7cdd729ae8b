"""What a question to ninety days of history costs: one sensor at one reading a second among others.

The history is made by the writer and the keeper themselves, day by day, from columns; what the
tailer spends on a message is measured beside it. Questions are asked of a new reader (its first answer opens everything) and
again; first paint is a Chromium that opens the sensor's page, where there is one.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from appliance.bench.ingest.site import catalogue
from appliance.bench.ingest.stream import messages
from contracts.clock import FixedClock, SystemClock
from contracts.telemetry import Calibration, SeriesKey
from telemetry.history.buffer import Columns
from telemetry.history.keeper import Keeper
from telemetry.history.levels import Keeping
from telemetry.history.manifest import Line, Standing
from telemetry.history.reader import History
from telemetry.history.writer import Batch, HistoryWriter
from telemetry.now import system_us
from telemetry.segments import Position, SegmentWriter, read_groups

_DAY_S: Final = 86_400
_SPANS: Final = {"15m": 900, "1h": 3600, "24h": _DAY_S, "7d": 7 * _DAY_S, "30d": 30 * _DAY_S}
_POINTS: Final = 1000
_TIMES: Final = 15
_LONG: Final = 30
_OPEN_FILES: Final = 40
_GROUP: Final = 2_000
_FLUSH: Final = 500_000
_NOT_TOLD: Final = Calibration()


def measure(place: Path, *, days: int, sensors: int, count: int, seed: int) -> dict[str, Any]:
    """Milliseconds of each question, what the history takes on disk, and what making it costs."""
    path = place / "history"
    began = time.process_time()
    rows = _make(path, days, sensors)
    made_s = time.process_time() - began
    size = sum(file.stat().st_size for file in path.rglob("*.parquet"))
    return {
        "days": days,
        "sensors": sensors,
        "readings": rows,
        "bytes_per_reading": round(size / rows, 2),
        "cpu_us_per_reading": round(made_s / rows * 1e6, 2),
        "tailed_cpu_us_per_message": _tailed(place / "tailed", count, seed),
        "questions_ms": _questions(path, days),
        "first_paint": _first_paint(path, days),
    }


def _tailed(place: Path, count: int, seed: int) -> float:
    """Processor microseconds a message of the bench (three readings) from segments into Parquet."""
    segments = SegmentWriter(place / "segments")
    now_us = system_us()
    made = list(messages(count, seed=seed, start_ms=now_us // 1000))
    for at in range(0, count, _GROUP):
        segments.append(now_us + at, made[at : at + _GROUP])
    segments.commit()
    segments.close()
    known = catalogue()
    writer = HistoryWriter(place / "history", SystemClock())
    began = time.process_time()
    for group in read_groups(place / "segments"):
        writer.take(known, group)
        writer.fresh()
        if writer.readings >= _FLUSH:
            _flush(writer)
    _flush(writer)
    spent = time.process_time() - began
    writer.close()
    return round(spent / count * 1e6, 2)


def _flush(writer: HistoryWriter) -> None:
    batch = writer.seal()
    if batch is not None:
        writer.store(batch)


def _make(folder: Path, days: int, sensors: int) -> int:
    """`days` days up to now. The last one is open: nothing of it is rolled up."""
    now = datetime.now(UTC)
    clock = FixedClock(now - timedelta(days=days))
    writer = HistoryWriter(folder, clock, memory_mb=1024)
    keeper = Keeper(writer, Keeping(raw_days=0))
    writer.manifest.set_position(Position(1, 0))
    key = [SeriesKey(f"probe-{n}", "temperature") for n in range(sensors)]
    writer.manifest.add_lines(
        (Line(n + 1, key[n], "Cel"), Standing(0, "COLD-1", _NOT_TOLD)) for n in range(sensors)
    )
    rows = 0
    for day in range(days):
        start_us = int(clock.at.timestamp() * 1_000_000)
        # The open day arrives in flushes, as it does: many files that were joined now and then.
        pieces = _OPEN_FILES if day == days - 1 and days >= _LONG else 1
        for piece in range(pieces):
            columns = _columns(start_us, _DAY_S // pieces, piece, sensors, seed=day)
            rows += len(columns.series)
            writer.store(Batch((columns,), (), Position(1, rows), ""))
        clock.at += timedelta(days=1)
        while keeper.step() is not None:
            pass
        # Replaced files stay a while for those who read them.
        clock.at += timedelta(minutes=3)
        keeper.step()
        clock.at -= timedelta(minutes=3)
    writer.close()
    return rows


def _columns(start_us: int, seconds: int, piece: int, sensors: int, *, seed: int) -> Columns:
    """Cold rooms: slow waves, noise of a good probe, two decimals."""
    noise = np.random.default_rng(1000 * seed + piece).normal(0, 0.05, (seconds, sensors))
    second = np.arange(seconds)[:, None] + piece * seconds
    at = np.broadcast_to(start_us + second * 1_000_000, noise.shape).ravel()
    wave = 4 + 0.8 * np.sin(second / 1800 + np.arange(sensors))
    series = np.tile(np.arange(1, sensors + 1, dtype=np.int32), seconds)
    return Columns(series, at, at, np.round(wave + noise, 2).ravel())


def _questions(folder: Path, days: int) -> dict[str, dict[str, float]]:
    spans = _SPANS | {f"{days}d": days * _DAY_S}
    key = SeriesKey("probe-1", "temperature")
    found = {}
    for name, seconds in spans.items():
        to_us = time.time_ns() // 1000
        history = History(folder, Keeping(raw_days=0), SystemClock())
        times = []
        for _ in range(_TIMES if days >= _LONG else 3):
            began = time.perf_counter()
            history.history(key, to_us - seconds * 1_000_000, to_us, _POINTS)
            times.append(1000 * (time.perf_counter() - began))
        history.close()
        again = sorted(times[1:])
        found[name] = {
            "first": round(times[0], 1),
            "p50": round(statistics.median(again), 1),
            "p95": round(again[int(0.95 * len(again))], 1),
        }
    return found


def _first_paint(folder: Path, days: int) -> dict[str, float] | str:
    """From asking for the page to the chart drawn, over HTTP and the hub, in a new browser context."""
    if days < _LONG:
        return f"not measured: fewer than {_LONG} days"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return "not measured: no Playwright here"
    browser = Path("/usr/bin/chromium")
    if not browser.exists():
        return "not measured: no Chromium here"
    times = []
    with _served(folder) as url, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
        )
        for _ in range(_TIMES):
            context = chromium.new_context()
            page = context.new_page()
            page.goto(f"{url}/sensors/probe-1?span={days}d", wait_until="load")
            page.wait_for_selector("figure[data-state=drawn]")
            drawn = "performance.getEntriesByName('chart-drawn')[0].startTime"
            times.append(float(page.evaluate(drawn)))
            context.close()
        chromium.close()
    ordered = sorted(times)
    return {
        "first_ms": round(times[0], 1),
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(ordered[int(0.95 * len(ordered))], 1),
    }


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """A gateway's read port and the hub's pages over it, each on a port and a thread of its own."""
    import uvicorn
    from fastapi import FastAPI

    from appliance.services.address import free_port
    from appliance.web.app import create_app
    from appliance.web.charts.data import sensor_data_router
    from appliance.web.charts.gateway import PREFIX, Gateway
    from appliance.web.charts.pages import charts_router
    from telemetry.history.api import history_router

    gateway_port, hub_port = free_port(), free_port()
    history = History(folder, Keeping(raw_days=0), SystemClock())
    port = FastAPI()
    port.include_router(history_router(history, prefix=PREFIX))
    gateway, gate = Gateway(f"http://127.0.0.1:{gateway_port}"), _OpenGate()
    hub = create_app("Dock")
    hub.include_router(sensor_data_router(gateway, None, gate))
    hub.include_router(charts_router(gateway, gate))
    servers = []
    for app, number in ((port, gateway_port), (hub, hub_port)):
        server = uvicorn.Server(uvicorn.Config(app, port=number, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        servers.append((server, thread))
    while not all(server.started for server, _ in servers):
        time.sleep(0.02)
    yield f"http://127.0.0.1:{hub_port}"
    for server, thread in reversed(servers):
        server.should_exit = True
        thread.join(10)
    history.close()


class _OpenGate:
    """appliance.web.ports.Gate for a bench on loopback: everybody may look."""

    async def viewer(self, _request: Any) -> Any:
        return None

    async def require(self, _request: Any, *_roles: str) -> Any:
        from appliance.web.ports import Viewer

        return Viewer("bench", frozenset({"viewer"}))

    async def verify(self, _request: Any) -> None:
        return None
