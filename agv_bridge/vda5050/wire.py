"""Between JSON objects and our message types, in the names of either dialect. Pure.

A field's wire name is its own name in camel case unless `wired` says otherwise. Reading is
tolerant, because real fleets are: the other dialect's name is taken where the right one is
missing, `null` counts as absent, and what we have no field for is kept in `extra` and written out
again. What is there but of the wrong kind is refused with its path.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from contracts.errors import BadInputError

M = TypeVar("M")

_SHOWN = 60
"""Characters of a wrong value that an error shows."""

# Values that the two dialects spell differently; ours is the spelling of 3.0.
_V2_VALUES = {
    "connectionState": {"CONNECTIONBROKEN": "CONNECTION_BROKEN"},
    "operatingMode": {"TEACHIN": "TEACH_IN"},
}


class Dialect(Enum):
    """VDA 5050 2.0 and 2.1 differ only by added fields; 3.0 renames."""

    V2 = "v2"
    V3 = "v3"


@dataclass(frozen=True, slots=True)
class _Slot:
    attribute: str
    names: Mapping[Dialect, str | None]
    kind: Any
    required: bool


def wired(default: Any = MISSING, *, v2: str | None, v3: str | None) -> Any:
    """A field whose wire name differs between dialects; None: the dialect does not have it."""
    names = {Dialect.V2: v2, Dialect.V3: v3}
    if default is MISSING:
        return field(metadata={"names": names})
    return field(default=default, metadata={"names": names})


def loads(data: bytes, *, name: str) -> Mapping[str, object]:
    """JSON bytes -> object. Raises BadInputError naming `name` (a topic, or file and line)."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(
            f"{name}: not JSON ({error})", mend="Have the sender publish VDA 5050 JSON"
        ) from error
    if not isinstance(value, dict):
        raise BadInputError(f"{name}: JSON, but not an object", mend="See the VDA 5050 schemas")
    return cast("Mapping[str, object]", value)


def dumps(value: object) -> bytes:
    return msgspec.json.encode(value)


def read(kind: type[M], value: Mapping[str, object], dialect: Dialect, *, name: str) -> M:
    """One message or part of it. Raises BadInputError with the path of what is wrong."""
    return cast("M", _read_object(kind, value, dialect, name))


def write(message: object, dialect: Dialect) -> dict[str, object]:
    """The object to send. Fields that are None, and those the dialect lacks, are left out."""
    out: dict[str, object] = {}
    for slot in _slots(cast("Any", type(message))):
        wire_name = slot.names[dialect]
        value = getattr(message, slot.attribute)
        if wire_name is None or value is None:
            continue
        written = _write_value(value, dialect)
        if dialect is Dialect.V2 and isinstance(written, str):
            written = _spelling(wire_name, written, into_v2=True)
        out[wire_name] = written
    out.update(getattr(message, "extra", {}))
    return out


def _write_value(value: object, dialect: Dialect) -> object:
    if is_dataclass(value):
        return write(value, dialect)
    if isinstance(value, tuple):
        return [_write_value(item, dialect) for item in value]
    if isinstance(value, datetime):
        stamp = value.astimezone(UTC)
        return f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z"
    return value


@cache
def _slots(kind: Any) -> tuple[_Slot, ...]:
    hints = get_type_hints(kind)
    return tuple(
        _Slot(
            own.name,
            own.metadata.get("names") or dict.fromkeys(Dialect, _camel(own.name)),
            hints[own.name],
            _is_required(own),
        )
        for own in fields(kind)
        if own.name != "extra"
    )


def _is_required(own: Field[Any]) -> bool:
    return own.default is MISSING and own.default_factory is MISSING


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _read_object(kind: Any, value: object, dialect: Dialect, path: str) -> object:
    if not isinstance(value, dict):
        raise _wrong(path, "an object", value)
    known: dict[str, object] = {}
    taken: set[str] = set()
    for slot in _slots(kind):
        own = slot.names[dialect]
        other = slot.names[Dialect.V3 if dialect is Dialect.V2 else Dialect.V2]
        wire_name = next((n for n in (own, other) if n and value.get(n) is not None), None)
        taken.update(n for n in (own, other) if n and (n == wire_name or value.get(n) is None))
        if wire_name is None:
            if slot.required:
                raise BadInputError(
                    f"{path}: {own or slot.attribute} is missing",
                    mend="See the VDA 5050 schema of the vehicle's version",
                )
            continue
        known[slot.attribute] = _read_value(
            slot.kind, _value_of(value, wire_name), dialect, f"{path}: {wire_name}"
        )
    extra = {key: item for key, item in value.items() if key not in taken and item is not None}
    return kind(**known, extra=extra)


def _value_of(value: Mapping[str, object], wire_name: str) -> object:
    item = value[wire_name]
    return _spelling(wire_name, item, into_v2=False) if isinstance(item, str) else item


def _spelling(wire_name: str, text: str, *, into_v2: bool) -> str:
    pairs = _V2_VALUES.get(wire_name, {})
    if into_v2:
        return {new: old for old, new in pairs.items()}.get(text, text)
    return pairs.get(text, text)


def _read_value(kind: Any, value: object, dialect: Dialect, path: str) -> object:
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        kind = next(arg for arg in get_args(kind) if arg is not type(None))
        return _read_value(kind, value, dialect, path)
    if origin is tuple:
        if not isinstance(value, list):
            raise _wrong(path, "a list", value)
        item_kind = get_args(kind)[0]
        return tuple(
            _read_value(item_kind, item, dialect, f"{path}[{index}]")
            for index, item in enumerate(value)
        )
    if is_dataclass(kind):
        return _read_object(kind, value, dialect, path)
    return _read_scalar(kind, value, path)


def _read_scalar(kind: Any, value: object, path: str) -> object:
    match kind, value:
        case (_, _) if kind is object:
            return value
        case (_, bool()) if kind is not bool:
            raise _wrong(path, "no truth value", value)
        case (_, int() | float()) if kind is float:
            return _read_float(value, path)
        case (_, float()) if kind is int and value.is_integer():
            return int(value)
        case (_, str()) if kind is datetime:
            return _read_time(value, path)
        case _ if isinstance(value, kind):
            return value
        case _:
            raise _wrong(path, str(getattr(kind, "__name__", kind)), value)


def _read_float(value: float, path: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise _wrong(path, "a number within the range of doubles", value) from error


def _read_time(text: str, path: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _wrong(path, "an ISO 8601 time of the years 1 to 9999 in UTC", text) from error


def _wrong(path: str, wanted: str, got: object) -> BadInputError:
    return BadInputError(
        f"{path}: wanted {wanted}, got {_start_of(got)}",
        mend="See the VDA 5050 schema of the vehicle's version",
    )


def _start_of(got: object) -> str:
    """Containers by their size and long numbers by their kind: writing them out may itself fail."""
    match got:
        case list() | dict():
            return f"{type(got).__name__} of {len(got)}"
        case int() if abs(got) >= 10**_SHOWN:
            return f"a whole number of more than {_SHOWN} digits"
        case _:
            return repr(str(got)[:_SHOWN])
