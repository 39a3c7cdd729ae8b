"""That a dialect's file means something: every path, topic and format read once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from agv_bridge.dialects.events import NEEDS, WIRE
from agv_bridge.dialects.fields import FieldError, as_text, parse_path, parse_template
from agv_bridge.dialects.file import DialectFile, Event, Message, Scalar, TimeAt, bad
from agv_bridge.dialects.reading import (
    Clockwork,
    Conditions,
    EventReader,
    MessageReader,
)
from agv_bridge.dialects.renaming import Renaming
from agv_bridge.dialects.times import TimeFormat
from agv_bridge.dialects.topics import TopicPattern

_TEXTS: Final = ("id", "vehicle", "station", "order", "load", "place", "source", "target", "detail")
_LONGEST_NAME: Final = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Section:
    """One [[event]] or [[message]]. `topic` is None in a log that has none."""

    key: str
    topic: TopicPattern | None
    reader: EventReader | MessageReader
    what: str
    """The kind of event, or of message."""

    @property
    def tells_orders(self) -> bool:
        return self.what == "order"


def check(
    file: DialectFile, text: str, *, where: str
) -> tuple[tuple[Section, ...], tuple[TopicPattern, ...]]:
    """The sections, and the topics that say nothing. Raises BadDialectError: file, line, key."""
    try:
        _check_whole(file)
        time = _time(file.time) if file.time is not None else None
        sections = [_event(file, f"event[{n}]", one, time) for n, one in enumerate(file.event)]
        sections += [_message(f"message[{n}]", one, time) for n, one in enumerate(file.message)]
        ignored = tuple(_checked("ignore", TopicPattern.of, one) for one in file.ignore)
    except _WrongError as error:
        raise bad(text, where, f"$.{error.key}", str(error)) from error
    return tuple(sections), ignored


class _WrongError(ValueError):
    def __init__(self, key: str, what: str) -> None:
        super().__init__(what)
        self.key = key


def _checked(key: str, make: Callable[[str], T], text: str) -> T:
    try:
        return make(text)
    except FieldError as error:
        raise _WrongError(key, str(error)) from error


def _check_whole(file: DialectFile) -> None:
    if not file.name or len(file.name) > _LONGEST_NAME or not file.name.isprintable():
        raise _WrongError("name", f"wants a name of at most {_LONGEST_NAME} characters")
    if not file.event and not file.message:
        raise _WrongError("name", "the file says no [[event]] and no [[message]]")
    if len(file.separator) != 1 or file.separator in '"\r\n':
        raise _WrongError("separator", "is one character, and no quotation mark")
    if file.format == "mqtt":
        return
    for key in ("message", "ignore"):
        if getattr(file, key):
            raise _WrongError(key, 'stands only in a dialect with format = "mqtt"')
    if file.time is None:
        raise _WrongError("format", f"a {file.format} log needs [time] and its field")


def _time(said: TimeAt) -> Clockwork:
    form = _checked("time.format", lambda text: TimeFormat.of(text, said.zone), said.format)
    return Clockwork(_checked("time.field", parse_template, said.field), form)


def _event(file: DialectFile, key: str, event: Event, time: Clockwork | None) -> Section:
    if (file.format == "mqtt") != bool(event.topic):
        if event.topic:
            raise _WrongError(f"{key}.topic", f"a {file.format} log has no topics")
        raise _WrongError(key, "an event of a session needs its topic")
    given = [name for name in _TEXTS if getattr(event, name)]
    for need in NEEDS[event.what]:
        if not set(need.split("|")).intersection(given):
            names = " or ".join(WIRE.get(one, one) for one in need.split("|"))
            raise _WrongError(f"{key}.what", f"{event.what} needs {names}")
    reader = EventReader(
        key=key,
        what=event.what,
        when=_conditions(f"{key}.when", event.when),
        unless=_conditions(f"{key}.unless", event.unless),
        each=_checked(f"{key}.each", parse_path, event.each) if event.each else None,
        texts={
            name: _checked(f"{key}.{WIRE.get(name, name)}", parse_template, getattr(event, name))
            for name in given
        },
        time=time,
        places=file.places,
        vehicles=file.vehicles,
    )
    topic = _checked(f"{key}.topic", TopicPattern.of, event.topic) if event.topic else None
    return Section(key, topic, reader, event.what.value)


def _message(key: str, message: Message, time: Clockwork | None) -> Section:
    renaming = _checked(f"{key}.fields", lambda _: Renaming.of(message), "")
    topic = _checked(f"{key}.topic", TopicPattern.of, message.topic)
    return Section(key, topic, MessageReader(key, renaming, time), message.message)


def _conditions(key: str, said: Mapping[str, Scalar | list[Scalar]]) -> Conditions:
    return tuple(
        (
            _checked(key, parse_path, path),
            frozenset(as_text(one) for one in (value if isinstance(value, list) else [value])),
        )
        for path, value in said.items()
    )
