"""A gateway's ingest in small: groups of readings with their time of arrival, through an engine."""

from dataclasses import dataclass, field

from contracts.telemetry import SeriesKey
from telemetry.describing.series import SeriesBook
from telemetry.watching.engine import Engine
from telemetry.watching.fences import Fence
from telemetry.watching.places import Whereabouts

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_763_800_200_000_000  # 2025-11-22 08:30 UTC
T1, T2, H1, DOOR = (
    SeriesKey("probe-1", "temperature"),
    SeriesKey("probe-2", "temperature"),
    SeriesKey("probe-1", "humidity"),
    SeriesKey("door-1", "door_open"),
)


def warm(**other) -> Fence:
    said = {"fence": "warm", "version": 1, "title": "Too warm", "quantity": "temperature",
            "unit": "Cel", "above": 8.0}  # fmt: skip
    return Fence(**{**said, **other})


def a_book() -> SeriesBook:
    book = SeriesBook()
    book.put(T1, "Cel", site="s1", place="COLD-1")
    book.put(H1, "%RH", site="s1", place="COLD-1")
    book.put(DOOR, "state", site="s1", place="COLD-1")
    book.put(T2, "Cel", site="s1", place="COLD-2")
    return book


@dataclass
class Gateway:
    fences: list[Fence]
    where: Whereabouts = field(default_factory=Whereabouts)
    book: SeriesBook = field(default_factory=a_book)
    start: int = START

    def __post_init__(self):
        self.engine = Engine(self.fences, book=self.book, now_us=self.start, whereabouts=self.where)
        self.told = []

    def hears(self, seconds, *readings, own=None):
        """Readings (series, value) that come in `seconds` after the start, measured then or at `own`."""
        now = self.start + int(seconds * SECOND)
        at = now if own is None else self.start + int(own * SECOND)
        self.group(now, [(key, at, value) for key, value in readings])

    def group(self, received_us, readings):
        engine = self.engine
        engine.tick(received_us)
        for key, at, value in readings:
            number = self.book.find(key)
            if at >= engine.latest_us[number]:
                engine.latest[number], engine.latest_us[number] = value, at
            watcher = engine.watch[number]
            if not watcher.low <= value <= watcher.high:
                watcher.see(at, value)
        self.told += engine.take_changes()

    def waits(self, seconds):
        self.engine.tick(self.start + int(seconds * SECOND))
        self.told += self.engine.take_changes()

    def restarts(self, saved=None, fences=None):
        """Another process with what the last one saved."""
        data = self.engine.save() if saved is None else saved
        self.book = SeriesBook()
        self.fences = self.fences if fences is None else fences
        self.engine = Engine(self.fences, book=self.book, now_us=0, whereabouts=self.where)
        self.engine.restore(data)
        self.told += self.engine.take_changes()

    @property
    def story(self):
        """(change, seconds after the start), in order."""
        return [(str(each.change), (each.at_us - self.start) / SECOND) for each in self.told]
