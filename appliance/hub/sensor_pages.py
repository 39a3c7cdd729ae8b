"""The hub's pages of sensors' readings: charts over the gateway's history and the live view."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from fastapi import FastAPI

from appliance.config import Config
from appliance.live.readings import ReadingsLine
from appliance.web.charts.data import sensor_data_router
from appliance.web.charts.gateway import Gateway
from appliance.web.charts.pages import Book, DeviceCard, charts_router
from appliance.web.ports import Gate
from contracts.clock import Clock


def nobody(_device: str) -> DeviceCard | None:
    """A book without entries: pages know what the gateway says."""
    return None


def add_sensor_charts(
    app: FastAPI, config: Config, gate: Gate, *, clock: Clock, book: Book = nobody
) -> Callable[[], Awaitable[None]]:
    """To be called behind every other page below /sensors. Answers what closes the connections."""
    gateway = Gateway(config.hub.gateway_url)
    line = ReadingsLine(config.live.url) if config.live.url else None
    app.include_router(sensor_data_router(gateway, line, gate, clock=clock))
    app.include_router(charts_router(gateway, gate, book=book))

    async def close() -> None:
        async with AsyncExitStack() as closing:
            closing.push_async_callback(gateway.close)
            if line is not None:
                closing.push_async_callback(line.close)

    return close
