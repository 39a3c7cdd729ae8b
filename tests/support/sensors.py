"""A small plant for tests of the ingest: its catalogue, its rules, somebody who hears of alarms."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence

import msgspec

from contracts.errors import NotSignedInError
from contracts.telemetry import AlarmChange, AlarmChanged, AlarmEffect, SeriesKey
from telemetry.describing.binding import Binding, Measured, Refused
from telemetry.describing.series import SeriesBook
from telemetry.ports import Admission, Caller


class Reading(msgspec.Struct, gc=False):
    """What the plant's sensors say."""

    seq: int | None = None
    ts: int | None = None
    """Milliseconds since 1970."""
    t: float | None = None
    h: float | None = None


_read = msgspec.json.Decoder(Reading).decode


def decode(payload: bytes) -> Measured:
    try:
        said = _read(payload)
    except msgspec.DecodeError as error:
        raise Refused("not_json", str(error)) from error
    at_us = said.ts * 1000 if said.ts is not None else None
    return at_us, said.seq, (said.t, said.h)


class Plant:
    """A catalogue: every topic `plant/<device>` is a sensor with temperature and humidity."""

    version = "0" * 64

    def __init__(self) -> None:
        self.series = SeriesBook()

    def bind(self, address: str) -> Binding:
        level, _, device = address.partition("/")
        if level != "plant" or not device:
            raise Refused("unknown_address", address)
        numbers = (
            self.series.put(SeriesKey(device, "temperature"), "Cel", site="site-01"),
            self.series.put(SeriesKey(device, "humidity"), "%RH", site="site-01"),
        )
        return Binding(device, "plant", numbers, decode)


class Too:
    """A watcher: any temperature above the limit."""

    def __init__(self, rules: Rules, number: int) -> None:
        warm = rules.plant.series[number].key.quantity == "temperature"
        self.low, self.high = float("-inf"), rules.limit if warm else float("inf")
        self._rules, self._number = rules, number

    def see(self, at_us: int, value: float) -> None:
        self._rules.crossed(self._number, at_us, value)


class Rules:
    """An engine: one alarm a reading above the limit, numbered by the series, so that what is gone
    through again gives the same alarm."""

    def __init__(self, plant: Plant, limit: float = 8.0) -> None:
        self.plant, self.limit = plant, limit
        self.latest, self.latest_us = array("d"), array("q")
        self.quiet_low, self.quiet_high = array("d"), array("d")
        self.watch: list[Too] = []
        self.ticks: list[int] = []
        self.resumed: list[int] = []
        self.seen: dict[str, int] = {}
        self._changes: list[AlarmChanged] = []

    def extend(self) -> None:
        for number in range(len(self.latest), len(self.plant.series)):
            self.latest.append(float("nan"))
            self.latest_us.append(0)
            watcher = Too(self, number)
            self.watch.append(watcher)
            self.quiet_low.append(watcher.low)
            self.quiet_high.append(watcher.high)

    def tick(self, now_us: int) -> None:
        self.ticks.append(now_us)

    def resume(self, now_us: int) -> None:
        self.resumed.append(now_us)

    def turn_back(self, now_us: int) -> bool:
        back = bool(self.ticks) and now_us < self.ticks[-1] - 2_000_000
        if back:
            self.ticks.clear()
        return back

    def crossed(self, number: int, at_us: int, value: float) -> None:
        series = self.plant.series[number]
        name = str(series.key)
        self.seen[name] = self.seen.get(name, 0) + 1
        self._changes.append(
            AlarmChanged(
                alarm_id=f"{name}/{at_us}",
                number=self.seen[name],
                change=AlarmChange.RAISED,
                fence="too-warm",
                fence_version=1,
                fence_sha256="0" * 64,
                kind="above",
                severity="warning",
                effect=AlarmEffect.NONE,
                series=series.key,
                unit=series.unit,
                site="site-01",
                place="",
                since_us=at_us,
                at_us=at_us,
                value=value,
                limit=self.limit,
            )
        )

    def take_changes(self) -> list[AlarmChanged]:
        taken, self._changes = self._changes, []
        return taken

    def save(self) -> bytes:
        return json.dumps(self.seen).encode()

    def restore(self, data: bytes) -> None:
        self.seen = json.loads(data)


class Journal:
    """Who hears of alarms, in order."""

    def __init__(self) -> None:
        self.told: list[AlarmChanged] = []
        self.broken = False

    async def tell(self, changes: Sequence[AlarmChanged]) -> None:
        if self.broken:
            raise OSError("the journal is full")
        self.told += changes

    @property
    def once(self) -> list[tuple[str, int]]:
        """(alarm, number) as the hub counts them: each once."""
        return list(dict.fromkeys((one.alarm_id, one.number) for one in self.told))


class Gate:
    """A doorman: devices with the password `open`, each to its own topic below `plant/`; `tester`
    to everything."""

    async def admit(self, caller: Caller) -> Admission:
        device = caller.common_name or caller.username
        if not device or (not caller.common_name and caller.password != b"open"):
            raise NotSignedInError(f"{device or 'nobody'} has no key")
        if device == "tester":
            return Admission(device, ("#",))
        return Admission(device, (f"plant/{device}", f"plant/{device}/#"))


def reading(number: int | None, value: float = 4.0, at_ms: int | None = None) -> bytes:
    """One message as the plant's sensors send it."""
    said: dict[str, object] = {"t": value, "h": 45.0}
    if number is not None:
        said["seq"] = number
    if at_ms is not None:
        said["ts"] = at_ms
    return json.dumps(said).encode()
