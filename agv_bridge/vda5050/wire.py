"""Between JSON and our message types, in the names of any edition. Pure.

Reading is tolerant, because real fleets are: another edition's name is taken where the right one
is missing, `null` counts as absent, `2.0` is a whole number, and what we have no field for is kept
in `extra` and written out again. What is there but of the wrong kind is refused with its path, and
what is larger than any fleet needs with its size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn, TypeVar

import msgspec

from agv_bridge.vda5050.naming import Dialect as Dialect  # noqa: PLC0414 -- its old address
from agv_bridge.vda5050.naming import Edition
from agv_bridge.vda5050.parts import Part
from agv_bridge.vda5050.shapes import Shape, UnfitError, shape_of
from contracts.errors import BadInputError

P = TypeVar("P", bound=Part)

MAX_BYTES = 1 << 20
"""A state of 2,000 nodes has 300 KB; brokers stop at about as much as this."""

_SHOWN = 60
"""Characters of a wrong value that an error shows."""
_PLACE = re.compile(r" - at `\$(.*)`$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_SEE_SCHEMA = "See the VDA 5050 schema of the vehicle's version"

_decoder = msgspec.json.Decoder()


def loads(data: bytes, *, name: str) -> dict[str, object]:
    """JSON bytes -> object. Raises BadInputError naming `name` (a topic, or file and line)."""
    if len(data) > MAX_BYTES:
        raise BadInputError(
            f"{name}: {len(data):,} bytes, more than the {MAX_BYTES:,} that a message may have",
            mend="Have the sender publish less, or several messages",
            size_bytes=len(data),
        )
    try:
        value = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(
            f"{name}: not JSON ({error})", mend="Have the sender publish VDA 5050 JSON"
        ) from error
    if not isinstance(value, dict):
        raise BadInputError(f"{name}: JSON, but not an object", mend="See the VDA 5050 schemas")
    return value


def dumps(value: object) -> bytes:
    return msgspec.json.encode(value)


def read(kind: type[P], value: Mapping[str, object], edition: Edition, *, name: str) -> P:
    """One message or part of it. Raises BadInputError with the path of what is wrong."""
    plain = value if isinstance(value, dict) else dict(value)
    shape = shape_of(kind, edition)
    try:
        try:
            return msgspec.convert(shape.fit(plain), kind)
        except msgspec.ValidationError:
            lenient = shape_of(kind, edition, lenient=True)
            return msgspec.convert(lenient.fit(plain), kind)
    except UnfitError as error:
        raise BadInputError(
            f"{name}: {error.name}: wanted {error.wanted}, got {_start_of(error.got)}",
            mend=_SEE_SCHEMA,
        ) from error
    except msgspec.ValidationError as error:
        _refuse(str(error), shape, name, error)
    except OverflowError as error:
        raise BadInputError(
            f"{name}: a number beyond the range of doubles", mend=_SEE_SCHEMA
        ) from error


def write(message: Part, edition: Edition) -> dict[str, object]:
    """The object to send. Fields that are None, and those the edition lacks, are left out."""
    return shape_of(type(message), edition).lay_out(message)


def _refuse(text: str, shape: Shape, name: str, error: Exception) -> NoReturn:
    """The converter speaks of our names; the reader of the error knows those on the wire."""
    place = _PLACE.search(text)
    what = _PLACE.sub("", text)
    path = ""
    here: Shape | None = shape
    for step in re.findall(r"\w+|\[[^\]]*\]", place[1] if place else ""):
        if step.startswith("["):
            path += step
            continue
        known = here.names.get(step, step) if here else step
        path += f".{known}" if path else known
        here = here.children.get(step) if here else None
    missing = _MISSING.match(what)
    if missing is not None:
        own = here.names.get(missing[1], missing[1]) if here else missing[1]
        what = f"{own} is missing"
    raise BadInputError(": ".join(filter(None, (name, path, what))), mend=_SEE_SCHEMA) from error


def _start_of(got: object) -> str:
    """Containers by their size: writing them out may itself fail."""
    match got:
        case list() | dict():
            return f"{type(got).__name__} of {len(got)}"
        case _:
            return repr(str(got)[:_SHOWN])
