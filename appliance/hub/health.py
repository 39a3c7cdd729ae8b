"""The state of every part, for the health page: looked at every two seconds, kept with its time.

A page shows how old a value is; a part that stops reporting goes grey by itself.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from agv_bridge.bridge.bridge import AgvBridge
from appliance.bench.facts import rss_mb
from appliance.live.memory import MemoryLiveView
from appliance.live.valkey import ValkeyLiveView
from appliance.paths import SETS
from appliance.pulse import EVERY_S, pulse_key
from appliance.services.mqtt import MqttBus
from appliance.web.ports import HealthItem
from contracts.clock import Clock
from contracts.errors import TallymanError
from contracts.reason import Reason
from erp_link.service.core import Core, DeviceSeen

_SILENT = timedelta(minutes=2)
_LEARNING_EVERY = timedelta(seconds=30)
_COMMIT_LIMIT_MS = 50.0
_BATTERY_LOW = 20.0
log = structlog.get_logger()


class HubHealth:
    """Implements appliance.web.ports.HealthSource; `watch` keeps it fresh."""

    def __init__(
        self,
        core: Core,
        *,
        bus: MqttBus | None,
        bridge: AgvBridge | None,
        live: MemoryLiveView | ValkeyLiveView,
        clock: Clock,
        heard_at: Callable[[str], datetime | None] = lambda _: None,
        learning: Callable[[], HealthItem] | None = None,
        calibration: Callable[[], Iterable[HealthItem]] = tuple,
    ) -> None:
        """`heard_at` gives when a device last sent a request that it signed; `learning` is the
        learning loop's row, looked at now and then since it reads a folder; `calibration` are the
        model sets' rows, ready made.
        """
        self._core = core
        self._bus = bus
        self._bridge = bridge
        self._live = live
        self._clock = clock
        self._heard_at = heard_at
        self._learning = learning
        self._calibration = calibration
        self._learning_item: HealthItem | None = None
        self._items: tuple[HealthItem, ...] = ()
        self._seen: Sequence[DeviceSeen] = ()

    def health(self) -> Sequence[HealthItem]:
        return self._items

    async def watch(self) -> None:
        """Look again and again; pages hear of it by the `health` event."""
        while True:
            seen, core = await self._devices()
            pulses = {
                each.device: await self._live.last(pulse_key(each.device)) or {} for each in seen
            }
            before, now = self._items, self._clock.now()
            learning = await self._look_at_learning(now)
            boxes = self._boxes(seen, pulses, now)
            self._items = (*self._own(now), core, *boxes, *self._calibration(), *learning)
            if [item.state for item in before] != [item.state for item in self._items]:
                await self._live.publish("health", {"at": now.isoformat()})
            await asyncio.sleep(EVERY_S)

    async def _look_at_learning(self, now: datetime) -> tuple[HealthItem, ...]:
        last = self._learning_item
        stale = last is None or last.at is None or now - last.at >= _LEARNING_EVERY
        if self._learning is not None and stale:
            try:
                self._learning_item = await asyncio.to_thread(self._learning)
            except (OSError, TallymanError) as error:
                detail = str(error)
                self._learning_item = HealthItem(
                    "learning", "examples", "down", detail=detail, at=now
                )
        return (self._learning_item,) if self._learning_item is not None else ()

    async def _devices(self) -> tuple[Sequence[DeviceSeen], HealthItem]:
        """What the core knows of devices, and how the core itself is: it may be away for a while,
        and this page says so when it is wanted most.
        """
        began = time.perf_counter()
        try:
            self._seen = await asyncio.to_thread(self._core.devices)
        except TallymanError as error:
            log.warning("core does not answer", error=str(error))
            row = HealthItem("process", "core", "down", detail=error.message, at=self._clock.now())
        else:
            took_ms = 1000 * (time.perf_counter() - began)
            row = HealthItem("process", "core", "ok", f"{took_ms:.0f}", "ms", at=self._clock.now())
        return self._seen, row

    def _boxes(
        self,
        seen: Iterable[DeviceSeen],
        pulses: Mapping[str, Mapping[str, object]],
        now: datetime,
    ) -> Iterable[HealthItem]:
        for device in seen:
            pulse = pulses.get(device.device, {})
            # A box is heard by its requests; Valkey, with its pulse, may be what is away.
            signs = (self._heard_at(device.device), device.seen_at, _time(pulse.get("at")))
            last = max((at for at in signs if at is not None), default=None)
            yield from _device(device, pulse, last, now)

    def _own(self, now: datetime) -> Iterable[HealthItem]:
        yield HealthItem(
            "process", "hub", "ok", f"{rss_mb():.0f}", "MB", detail=f"pid {os.getpid()}", at=now
        )
        if self._bus is not None:
            yield HealthItem("broker", "MQTT", "ok" if self._bus.connected else "down", at=now)
        view = self._live.health()
        yield HealthItem(
            "live",
            "Valkey" if isinstance(self._live, ValkeyLiveView) else "memory",
            "ok" if view.ok else "down",
            value=str(view.lost) if view.lost else "",
            detail=view.detail,
            at=now,
        )
        for vehicle in self._bridge.vehicles() if self._bridge is not None else ():
            battery = vehicle.battery_percent
            low = battery is not None and battery < _BATTERY_LOW
            state = "down" if not vehicle.online else "warn" if low or vehicle.errors else "ok"
            yield HealthItem(
                "agv",
                vehicle.vehicle,
                state,
                value=f"{battery:.0f}" if battery is not None else "",
                unit="%" if battery is not None else "",
                detail=", ".join(vehicle.errors) or vehicle.order_id or vehicle.last_node,
                at=vehicle.updated_at,
                max_age_s=60.0,
            )


def _device(
    device: DeviceSeen, pulse: Mapping[str, object], last: datetime | None, now: datetime
) -> Iterable[HealthItem]:
    silent = last is None or now - last > _SILENT
    yield HealthItem(
        "device",
        device.device,
        "down" if silent else "ok",
        value=str(device.seq),
        detail=f"{device.station} {device.version}",
        at=last,
        max_age_s=3600.0,
    )
    if pulse:
        yield from _pulse(device.device, pulse, _time(pulse.get("at")))
    for camera in device.cameras:
        state = "ok" if camera.state == "ok" else "warn"
        yield HealthItem(
            "camera",
            f"{device.station} {camera.camera}",
            state,
            value=camera.state,
            detail=camera.detail,
            at=_time(camera.at),
            max_age_s=86400.0,
        )
    notes = _notes(pulse.get("notes"))
    for use, digest in sorted(device.model_sets.items()):
        about = tuple(each for each in notes if each.params.get("set") == SETS.get(use))
        state = "warn" if about else "ok"
        yield HealthItem("model_set", f"{device.device} {use}", state, digest=digest, notes=about)


def _pulse(device: str, pulse: Mapping[str, object], at: datetime | None) -> Iterable[HealthItem]:
    commit, lag = _number(pulse.get("commit_p95_ms")), int(_number(pulse.get("lag")))
    yield HealthItem(
        "process", f"edge {device}", "ok", f"{_number(pulse.get('rss_mb')):.0f}", "MB", at=at
    )
    stopped = str(pulse.get("stopped") or "")
    slow = commit > _COMMIT_LIMIT_MS
    yield HealthItem(
        "journal",
        device,
        "down" if stopped else "warn" if slow else "ok",
        f"{commit:.1f}",
        "ms",
        detail=stopped,
        at=at,
    )
    trouble = str(pulse.get("trouble") or "")
    behind = "down" if trouble else "warn" if lag else "ok"
    yield HealthItem("uplink", device, behind, str(lag), detail=trouble, at=at)


def _notes(value: object) -> tuple[Reason, ...]:
    try:
        return msgspec.convert(value or (), tuple[Reason, ...])
    except msgspec.ValidationError:
        return ()


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
