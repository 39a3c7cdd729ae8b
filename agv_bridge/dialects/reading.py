"""What one section of a dialect makes of one line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from agv_bridge.dialects.events import NEEDS, WIRE, Said, Vda, What
from agv_bridge.dialects.fields import (
    FieldError,
    Path,
    Scope,
    Template,
    as_text,
    fill,
    look_at_all,
)
from agv_bridge.dialects.renaming import Renaming
from agv_bridge.dialects.times import TimeFormat
from contracts.reason import Reason

LONGEST: Final = 200
"""Characters of a name in a log; `detail` may be longer."""
_LONGEST_DETAIL: Final = 1000
_MOST_ELEMENTS: Final = 1000
_PLACES: Final = frozenset({"place", "source", "target"})
_ANY: Final = "*"

Conditions = tuple[tuple[Path, frozenset[str]], ...]


class NotPlacedError(ValueError):
    """A line that says nothing that can be used; carries the reason."""

    def __init__(self, code: str, **params: str | float) -> None:
        super().__init__(code)
        self.reason = Reason(code, params)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was read: of a session with its topic, of a log without."""

    number: int
    value: object
    """The payload, the object, or the row by its columns."""
    at: datetime | None = None
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Clockwork:
    """Where the time stands and how it is written."""

    field: Template
    format: TimeFormat

    def read(self, scope: Scope) -> datetime:
        """Raises NotPlacedError."""
        text = fill(self.field, scope)
        if text is None:
            raise NotPlacedError("agv_field_missing", field=self.field.text, event="time")
        at = self.format.read(text)
        if at is None:
            raise NotPlacedError(
                "agv_time_unreadable", time=text[:LONGEST], format=self.format.text
            )
        return at


@dataclass(frozen=True, slots=True)
class EventReader:
    """An [[event]]."""

    key: str
    what: What
    when: Conditions
    unless: Conditions
    each: Path | None
    texts: Mapping[str, Template]
    time: Clockwork | None
    places: Mapping[str, str]
    vehicles: Mapping[str, str]

    def read(self, line: Line, levels: Mapping[str, str]) -> list[Said | Vda]:
        """What it says; nothing where its conditions do not hold. Raises NotPlacedError."""
        scopes = [Scope(line.value, levels)]
        if self.each is not None:
            items = [item for _, item in look_at_all(line.value, self.each)]
            if len(items) > _MOST_ELEMENTS:
                raise NotPlacedError("agv_list_too_long", field=self.each.text, most=_MOST_ELEMENTS)
            scopes = [Scope(line.value, levels, item) for item in items]
        return [self._said(line, scope) for scope in scopes if self._holds(scope)]

    def _holds(self, scope: Scope) -> bool:
        return all(_is(scope, path, wanted) for path, wanted in self.when) and not any(
            _is(scope, path, wanted) for path, wanted in self.unless
        )

    def _said(self, line: Line, scope: Scope) -> Said:
        at = time_of(self.time, scope, line) if self.what is not What.NOTHING else line.at
        texts = {name: self._text(name, scope) for name in self.texts}
        for need in NEEDS[self.what]:
            names = need.split("|")
            if not any(texts.get(name) for name in names):
                wanted = next(name for name in names if name in self.texts)
                raise NotPlacedError(
                    "agv_field_missing",
                    field=self.texts[wanted].text,
                    event=f"{self.key}.{WIRE.get(wanted, wanted)}",
                )
        return Said(self.what, at or _NO_TIME, **texts)

    def _text(self, name: str, scope: Scope) -> str:
        text = fill(self.texts[name], scope) or ""
        longest = _LONGEST_DETAIL if name == "detail" else LONGEST
        if not text.isprintable():
            # They go into databases and pages that keep no control characters.
            text = "".join(sign if sign.isprintable() else " " for sign in text)
        if len(text) > longest:
            if name != "detail":
                raise NotPlacedError("agv_name_too_long", field=self.texts[name].text, most=LONGEST)
            text = text[: longest - 1] + "…"
        if name in _PLACES:
            return self.places.get(text, text)
        return self.vehicles.get(text, text) if name == "vehicle" else text


@dataclass(frozen=True, slots=True)
class MessageReader:
    """A [[message]]."""

    key: str
    renaming: Renaming
    time: Clockwork | None

    def read(self, line: Line, levels: Mapping[str, str]) -> list[Said | Vda]:
        """The message in the standard's names. Raises NotPlacedError."""
        at = time_of(self.time, Scope(line.value, levels), line)
        try:
            topic, value = self.renaming.rename(line.value, levels, at if self.time else None)
        except FieldError as error:
            raise NotPlacedError("agv_field_missing", field=str(error), event=self.key) from error
        return [Vda(topic, msgspec.json.encode(value), at)]


_NO_TIME: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
"""Of an event of kind `nothing`, which nobody asks for its time."""


def time_of(clockwork: Clockwork | None, scope: Scope, line: Line) -> datetime:
    """By the dialect, else by the recorder. Raises NotPlacedError."""
    if clockwork is not None:
        return clockwork.read(scope)
    if line.at is None:
        raise NotPlacedError("agv_field_missing", field="timestamp", event="time")
    return line.at


def _is(scope: Scope, path: Path, wanted: frozenset[str]) -> bool:
    found = scope.find(path)
    if _ANY in wanted:
        return found is not None and found != ""
    return as_text(found) in wanted if not isinstance(found, list | dict) else False
