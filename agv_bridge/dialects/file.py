"""A dialect: what the lines of one fleet or module station mean, in a TOML file and without code.

The classes here are the file's own shape, so the reference of the format is this module. A file is
taken whole or refused with file, line and key; nothing of a refused one takes effect.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

import msgspec

from agv_bridge.dialects.events import What
from contracts.errors import BadInputError

FOLDER: Final = Path(__file__).parent / "shipped"
MOST_BYTES: Final = 100_000
GUIDE: Final = "See docs/guides/describe-a-fleet.md"

Scalar = str | int | float | bool
Encoding = Literal["utf-8", "latin-1", "cp1252", "gb18030", "shift_jis"]
_Format = Literal["mqtt", "json", "csv"]
_Kind = Literal["connection", "state", "order", "instantActions", "factsheet", "visualization"]
_HEADER: Final = re.compile(r"\s*\[\[?\s*([A-Za-z_.]+)\s*\]\]?")
_WHERE: Final = re.compile(r"\.([A-Za-z_]+)(?:\[(\d+)\])?")


class BadDialectError(BadInputError):
    """A dialect that cannot be used; data has `file`, `line` and `key` where they are known."""

    code = "bad_dialect"


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class TimeAt(_Part, frozen=True):
    """Where the time of an event stands. Without it: the recorder's, or when it came in."""

    field: str
    """A template: "{ts}", "{date} {time}"."""
    format: str = "iso"
    """`iso`, `s`, `ms`, `us` (since 1970), or as strptime writes it: "%d.%m.%Y %H:%M:%S"."""
    zone: str = "UTC"
    """IANA name, for times that name none."""


class Event(_Part, frozen=True, rename={"source": "from", "target": "to"}):
    """One kind of line. The texts are templates: "{loads[0].id}", "acme/{robot}", "{ssid|tag}"."""

    what: What
    topic: str = ""
    """MQTT: `{name}` takes a level, `+` any, `#` the rest."""
    when: Mapping[str, Scalar | list[Scalar]] = {}
    """Path -> what it must be; a list: one of them; "*": anything, so that it is there."""
    unless: Mapping[str, Scalar | list[Scalar]] = {}
    each: str = ""
    """Path of a list: every element is looked at as if it were the line."""
    id: str = ""
    """The sender's own number of the event: with it nothing counts twice (I2)."""
    vehicle: str = ""
    station: str = ""
    order: str = ""
    load: str = ""
    place: str = ""
    source: str = ""
    target: str = ""
    detail: str = ""
    """Words for a person: a fault, a measured value, the address of a picture."""


class Message(_Part, frozen=True):
    """A message that is VDA 5050 but for its topic and names."""

    topic: str
    message: _Kind
    serial: str
    """Template of the vehicle's serial number."""
    manufacturer: str
    version: str = "2.1.0"
    fields: Mapping[str, str] = {}
    """The standard's path -> where the value stands: "actionStates[].actionId" = "tasks[].id"."""
    words: Mapping[str, Mapping[str, Scalar]] = {}
    """The standard's path -> their words for the standard's: {done = "FINISHED"}."""
    fixed: Mapping[str, Any] = {}
    """The standard's path -> a value for a field that they leave out."""


class DialectFile(_Part, frozen=True):
    """The file."""

    name: str
    format: _Format
    """`mqtt`: a recorded session, and live on the broker; `json`: one object a line; `csv`."""
    title: str = ""
    encoding: Encoding = "utf-8"
    separator: str = ","
    columns: tuple[str, ...] = ()
    """CSV without a line of names."""
    ignore: tuple[str, ...] = ()
    """Topics that say nothing of stock."""
    time: TimeAt | None = None
    places: Mapping[str, str] = {}
    """Their name of a place -> ours; others stay as they are."""
    vehicles: Mapping[str, str] = {}
    event: tuple[Event, ...] = ()
    message: tuple[Message, ...] = ()


def read_file(text: str, *, where: str = "the dialect") -> DialectFile:
    """The shape of a dialect; what its parts mean is checked by `compiled`.

    Raises BadDialectError: no TOML, an unknown key, a wrong type.
    """
    if len(text) > MOST_BYTES:
        raise BadDialectError(
            f"{where} has {len(text)} characters",
            mend=f"At most {MOST_BYTES} are taken",
            file=where,
        )
    try:
        said = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadDialectError(f"{where} is not TOML: {error}", mend=GUIDE, file=where) from error
    try:
        return msgspec.convert(said, DialectFile)
    except (msgspec.ValidationError, RecursionError) as error:
        what, _, path = str(error).partition(" - at ")
        raise bad(text, where, path.strip("`"), _told(what, path)) from error


def bad(text: str, where: str, path: str, what: str) -> BadDialectError:
    """An error that names file, line and key. `path` is written `$.event[2].when`."""
    key = path.removeprefix("$").removeprefix(".") or _named(what)
    line = line_of(text, key)
    at = f"{where}, line {line}" if line else where
    said = f"{at}: {key}: {what}" if key else f"{at}: {what}"
    return BadDialectError(said, mend=GUIDE, file=where, line=line, key=key)


def line_of(text: str, key: str) -> int:
    """The line of a dialect's text that a key such as `event[2].when` stands in; 0: unknown.

    TOML gives no lines once it is read, so the text is looked through: a key that stands elsewhere
    than one would write it is named by its table's line.
    """
    steps = _WHERE.findall("." + key)
    if not steps:
        return 0
    table, number = steps[0]
    last = steps[1][0] if len(steps) > 1 else ("" if number else table)
    count, best, inside = -1, 0, not number and len(steps) == 1
    for at, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[1].split(".")[0]
            if name == table and "." not in header[1]:
                count += 1
            inside = name == table and count == int(number or 0)
            if inside and not best:
                best = at
        if inside and last and re.match(rf'\s*"?{re.escape(last)}"?\s*[=.]', line):
            return at
        if inside and last and re.match(rf"\s*\[\[?\s*{table}\.{re.escape(last)}\b", line):
            return at
    return best


def load_file(path: Path) -> tuple[str, DialectFile]:
    """Text and shape of a file, or of one that comes with the house when `path` is its name.

    Raises BadDialectError.
    """
    ours = FOLDER / f"{path}.toml"
    if not path.exists() and path.name == str(path) and ours.exists():
        path = ours
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(one.stem for one in FOLDER.glob("*.toml")))
        why = "it is no text in UTF-8" if isinstance(error, ValueError) else error.strerror
        raise BadDialectError(
            f"The dialect {path} cannot be read: {why}",
            mend=f"Give a file, or one of {known}",
            file=str(path),
        ) from error
    return text, read_file(text, where=path.name)


def _told(what: str, path: str) -> str:
    """What msgspec found wrong, with the words that may stand there instead."""
    if match := re.fullmatch(r"Invalid enum value (.+)", what):
        words = _WORDS.get(path.strip("`").rpartition(".")[2])
        return f"{match[1]} is not known" + (f", but {', '.join(words)}" if words else "")
    if match := re.fullmatch(r"Object contains unknown field `(.+)`", what):
        keys = _KEYS.get(re.sub(r"\[.*", "", path.strip("`").removeprefix("$").lstrip(".")), ())
        near = difflib.get_close_matches(match[1], keys, n=1)
        meant = f"; is {near[0]} meant?" if near else f"; there are {', '.join(keys)}"
        return f"there is no key `{match[1]}`" + (meant if keys else "")
    if match := re.fullmatch(r"Object missing required field `(.+)`", what):
        return f"`{match[1]}` is missing"
    return what


def _keys(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(one.encode_name for one in msgspec.structs.fields(shape))


_KEYS: Final = {
    "": _keys(DialectFile),
    "event": _keys(Event),
    "message": _keys(Message),
    "time": _keys(TimeAt),
}
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "what": tuple(What),
    "format": get_args(_Format),
    "encoding": get_args(Encoding),
    "message": get_args(_Kind),
}


def _named(what: str) -> str:
    """The field that a message names, where no path does: "there is no key `evnt`"."""
    match = re.search(r"`([^`]+)`", what)
    return match[1] if match else ""
