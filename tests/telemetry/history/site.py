"""A site with a few sensors: a catalogue that reads `{"t": 4.5, "h": 60}`, and what they said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from contracts.clock import FixedClock
from contracts.telemetry import Calibration, SeriesKey
from telemetry.describing.binding import Binding, Refused
from telemetry.describing.series import SeriesBook
from telemetry.history.keeper import Keeper
from telemetry.history.levels import Keeping
from telemetry.history.reader import History
from telemetry.history.writer import HistoryWriter
from telemetry.segments import Group, Position

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON_US = int(NOON.timestamp() * 1_000_000)
SECOND = 1_000_000
DAY = 86_400 * SECOND
PROBE = SeriesKey("probe-1", "temperature")
KEPT = Keeping()
NOT_TOLD = Calibration()


class Said(msgspec.Struct):
    t: float | None = None
    h: float | None = None
    at: int | None = None
    n: int | None = None


class SiteCatalogue:
    """telemetry.describing.Catalogue; only topics `s/<device>` of devices in `places`."""

    def __init__(
        self,
        places: dict[str, str],
        *,
        version: str = "1",
        after: SeriesBook | None = None,
        unit: str = "Cel",
        calibration: Calibration = NOT_TOLD,
    ) -> None:
        self.series = SeriesBook(after)
        self.version = version
        self._places, self._unit, self._calibration = places, unit, calibration
        self._bound: dict[str, Binding] = {}

    def bind(self, address: str) -> Binding:
        found = self._bound.get(address)
        if found is None:
            device = address.removeprefix("s/")
            if device not in self._places:
                raise Refused("unknown_address", address)
            place = self._places[device]
            numbers = (
                self.series.put(
                    SeriesKey(device, "temperature"),
                    self._unit,
                    place=place,
                    calibration=self._calibration,
                ),
                self.series.put(SeriesKey(device, "humidity"), "%RH", place=place),
            )
            found = self._bound[address] = Binding(device, "t-h", numbers, _decode)
        return found


def _decode(payload: bytes) -> tuple[int | None, int | None, tuple[float | None, ...]]:
    said = msgspec.json.decode(payload, type=Said)
    return said.at, said.n, (said.t, said.h)


def says(t: float | None, *, at: int | None = None, h: float | None = None) -> bytes:
    return msgspec.json.encode(Said(t, h, at))


class Site:
    """A history folder with its writer, keeper and reader, and a clock that stands until moved."""

    def __init__(self, folder: Path, keeping: Keeping = KEPT) -> None:
        self.folder, self.keeping = folder, keeping
        self.clock = FixedClock(NOON)
        self.catalogue = SiteCatalogue({"probe-1": "COLD-1", "probe-2": "COLD-1", "door": ""})
        self.groups: list[Group] = []
        self.start()

    def start(self) -> None:
        self.writer = HistoryWriter(self.folder, self.clock)
        self.keeper = Keeper(self.writer, self.keeping)
        self.history = History(self.folder, self.keeping, self.clock)

    def end(self) -> None:
        self.history.close()
        self.writer.close()

    def now_us(self) -> int:
        return int(self.clock.at.timestamp() * 1_000_000)

    def hear(self, *messages: tuple[str, bytes], received_us: int | None = None) -> Group:
        """A group that is in the segments; not taken in yet."""
        at = self.now_us() if received_us is None else received_us
        group = Group(Position(1, len(self.groups) + 1), at, list(messages))
        self.groups.append(group)
        return group

    def take_in(self, *, flush_every: int = 0) -> None:
        """What the tailer does: all groups behind the position, flushed at the end at least."""
        after = self.writer.position
        for count, group in enumerate(g for g in self.groups if not after or g.position > after):
            self.writer.take(self.catalogue, group)
            if flush_every and count % flush_every == flush_every - 1:
                self.flush()
        self.flush()

    def flush(self) -> None:
        batch = self.writer.seal()
        if batch is not None:
            self.writer.store(batch)

    def tend(self) -> list[str]:
        """Every job that is due, by name."""
        done = []
        while (job := self.keeper.step()) is not None:
            done.append(type(job).__name__)
        return done

    def measured(
        self, from_us: int, to_us: int, key: SeriesKey = PROBE, points: int = 10_000
    ) -> list[tuple[int, float]]:
        found = self.history.history(key, from_us, to_us, points)
        assert found.step_us == 1 or not found.at_us
        return list(zip(found.at_us, found.mean, strict=True))

    def levels(self) -> Sequence[str]:
        return sorted(row[0] for row in self.writer.manifest.sizes())
