"""Exports of Berlinger Fridge-tag 2 loggers: a day a record, with the minutes beyond each limit.

The logger counts its own alarm minutes (WHO PQS E006/TR06: a 30-day logger tells least, most and
alarm status of each day); they are reported as they stand, never worked out anew. What contradicts
itself is refused with its line: a day that comes twice or is missing, minutes beyond a limit that
the day's own extremes do not reach, more minutes than a day has.

The file ends with the logger's signature. Its maker does not publish what it covers, so it is not
checked here: the report names the SHA-256 of the file, and the maker's own tool tells the rest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from telemetry.excursions.tree import BadExportError, Node, read_tree, refused

MOST_BYTES = 4 << 20
_DAY_MINUTES = 24 * 60
_NUMBER = re.compile(r"[+-]?\d{1,3}(\.\d{1,2})?")
_KIND = "Fridge-tag"


@dataclass(frozen=True, slots=True)
class AlarmLimit:
    """One of the logger's limits: beyond `celsius` for more than `minutes` in all, it alarms."""

    number: int
    celsius: float
    minutes: int
    above: bool


@dataclass(frozen=True, slots=True)
class DayAlarm:
    """What one limit counted on one day. `begun` is when it alarmed, None where it did not."""

    minutes: int
    begun: time | None = None
    times: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """One record, by the logger's own clock. `silent` minutes had no reading."""

    day: date
    line: int
    least: float
    least_at: time
    most: float
    most_at: time
    mean: float
    alarms: dict[int, DayAlarm]
    silent: int
    events: int


@dataclass(frozen=True, slots=True)
class FridgeTag:
    """A whole export; days oldest first, temperatures in Celsius. Times are the logger's own, which
    has no time zone.
    """

    device: str
    serial: str
    firmware: str
    limits: tuple[AlarmLimit, ...]
    activated: datetime
    created: datetime
    days: tuple[Day, ...]
    tested_at: datetime | None
    """The maker's own test: Berlinger gives no calibration date in the file."""
    certificate: str
    sha256: str

    def minutes(self, limit: int) -> int:
        """Alarm minutes of one limit over all days."""
        return sum(day.alarms[limit].minutes for day in self.days)

    def days_beyond(self, limit: int) -> int:
        return sum(day.alarms[limit].minutes > 0 for day in self.days)

    @property
    def silent(self) -> int:
        return sum(day.silent for day in self.days)


def read_fridge_tag(data: bytes) -> FridgeTag:
    """The export as the logger wrote it. Raises BadExportError naming the line."""
    if len(data) > MOST_BYTES:
        raise BadExportError(
            f"{len(data)} bytes are more than a logger writes", mend=f"Give up to {MOST_BYTES}"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise refused(line, "there are bytes that are no text") from error
    root = read_tree(text)
    device = root.one("Device")
    if _KIND not in device.value:
        raise refused(device.line, f"{device.value[:60]!r} is no Fridge-tag")
    settings = root.one("Conf")
    in_fahrenheit = _is_fahrenheit(settings.one("Temp unit"))
    limits = _limits(settings.one("Alarm"), in_fahrenheit=in_fahrenheit)
    history = root.one("Hist")
    days = tuple(_days(history, limits, in_fahrenheit=in_fahrenheit))
    certificate = root.one("Cert")
    if not root.one("Sig").value:
        raise refused(root.one("Sig").line, "the logger's signature is missing")
    tested = settings.maybe("Test TS")
    return FridgeTag(
        device=device.value,
        serial=settings.one("Serial").value,
        firmware=root.one("Fw Vers").value,
        limits=limits,
        activated=_moment(history.one("TS Actv")),
        created=_moment(history.one("TS Report Creation")),
        days=_in_order(days, history),
        tested_at=_moment(tested) if tested is not None else None,
        certificate=f"{certificate.one('Issuer').value}, lot {certificate.one('Lot').value}",
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _limits(node: Node, *, in_fahrenheit: bool) -> tuple[AlarmLimit, ...]:
    """Alarm 0 is the lower limit, alarm 1 the upper one, as the logger's display has them."""
    found = []
    for number, part in node.numbered():
        celsius = _degrees(part.one("T AL"), in_fahrenheit=in_fahrenheit)
        minutes = _whole(part.one("t AL"), most=60 * _DAY_MINUTES)
        found.append(AlarmLimit(number, celsius, minutes, above=number > 0))
    if not found:
        raise refused(node.line, "the logger has no alarm limits")
    if len({each.number for each in found}) < len(found):
        raise refused(node.line, "an alarm limit stands there twice")
    lower = [each for each in found if not each.above]
    upper = [each for each in found if each.above]
    if lower and upper and max(e.celsius for e in lower) >= min(e.celsius for e in upper):
        raise refused(node.line, "the lower limit is not below the upper one")
    return tuple(found)


def _days(history: Node, limits: tuple[AlarmLimit, ...], *, in_fahrenheit: bool) -> Iterator[Day]:
    for number, (told, node) in enumerate(history.numbered(), start=1):
        if told != number:
            raise refused(node.line, f"record {number} is missing, {told} stands there")
        yield _day(node, limits, in_fahrenheit=in_fahrenheit)


def _day(node: Node, limits: tuple[AlarmLimit, ...], *, in_fahrenheit: bool) -> Day:
    least, most, mean = (
        _degrees(node.one(name), in_fahrenheit=in_fahrenheit)
        for name in ("Min T", "Max T", "Avrg T")
    )
    if not least <= mean <= most:
        raise refused(node.one("Avrg T").line, "the mean is not between least and most")
    counted = dict(node.one("Alarm").numbered())
    if counted.keys() != {limit.number for limit in limits}:
        raise refused(node.one("Alarm").line, "the day's alarms are not those of the settings")
    alarms = {}
    for limit in limits:
        alarm = alarms[limit.number] = _alarm(counted[limit.number])
        reached = most > limit.celsius if limit.above else least < limit.celsius
        if alarm.minutes and not reached:
            raise refused(
                counted[limit.number].line,
                f"{alarm.minutes} minutes beyond {limit.celsius:g}, which the day never reached",
            )
    return Day(
        day=_date(node.one("Date")),
        line=node.line,
        least=least,
        least_at=_time(node.one("TS Min T")),
        most=most,
        most_at=_time(node.one("TS Max T")),
        mean=mean,
        alarms=alarms,
        silent=_whole(node.one("Int Sensor timeout").one("t AccST"), most=_DAY_MINUTES),
        events=_whole(node.one("Events"), most=10_000),
    )


def _alarm(node: Node) -> DayAlarm:
    began, times = node.maybe("TS A"), node.maybe("C A")
    return DayAlarm(
        _whole(node.one("t Acc"), most=_DAY_MINUTES),
        _time(began) if began is not None else None,
        _whole(times, most=10_000) if times is not None else 0,
    )


def _in_order(days: tuple[Day, ...], history: Node) -> tuple[Day, ...]:
    """The logger writes the newest day first, and leaves none out."""
    if not days:
        raise refused(history.line, "there is no day in the history")
    for newer, older in pairwise(days):
        if older.day != newer.day - timedelta(days=1):
            raise refused(older.line, f"{older.day} does not come before {newer.day}")
    return days[::-1]


def _is_fahrenheit(node: Node) -> bool:
    if node.value not in ("C", "F"):
        raise refused(node.line, f"{node.value[:20]!r} is no unit of temperature")
    return node.value == "F"


def _degrees(node: Node, *, in_fahrenheit: bool) -> float:
    if not _NUMBER.fullmatch(node.value):
        raise refused(node.line, f"{node.name!r} is {node.value[:20]!r}, which is no temperature")
    value = float(node.value)
    return round((value - 32) / 1.8, 2) if in_fahrenheit else value


def _whole(node: Node, *, most: int) -> int:
    text = node.value
    if not (text.isascii() and text.isdecimal()) or int(text) > most:
        raise refused(node.line, f"{node.name!r} is {text[:20]!r}, not a number from 0 to {most}")
    return int(text)


def _date(node: Node) -> date:
    try:
        return date.fromisoformat(node.value)
    except ValueError as error:
        raise refused(node.line, f"{node.value[:20]!r} is no date") from error


def _time(node: Node) -> time:
    try:
        return datetime.strptime(node.value, "%H:%M").time()  # noqa: DTZ007 -- the logger has no time zone
    except ValueError as error:
        raise refused(node.line, f"{node.value[:20]!r} is no time of day") from error


def _moment(node: Node) -> datetime:
    try:
        return datetime.strptime(node.value, "%Y-%m-%d %H:%M")  # noqa: DTZ007 -- as above
    except ValueError as error:
        raise refused(node.line, f"{node.value[:20]!r} is no moment") from error
