"""Between JSON and our message types, in the names of any edition. Pure.

Reading is tolerant, because real fleets are: another edition's name is taken where the right one
is missing, `null` counts as absent, `2.0` is a whole number, and what we have no field for is kept
in `extra` and written out again. What is there but of the wrong kind is refused with its path, and
what is larger than any fleet needs with its size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NoReturn, TypeVar, cast

import msgspec

from agv_bridge.vda5050.messages.parts import Part
from agv_bridge.vda5050.naming import Dialect as Dialect  # noqa: PLC0414 -- its old address
from agv_bridge.vda5050.naming import Edition
from agv_bridge.vda5050.reading import GiveUpError, UnfitError, patient_fit, quick_fit
from agv_bridge.vda5050.shapes import Slot, slots_of
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


def read_quickly(kind: type[P], value: dict[str, object], edition: Edition) -> P | None:
    """One message that has what its edition knows, and a vendor's own fields; None: ask `read`.

    Spoils `value`, also when nothing comes of it.
    """
    try:
        return msgspec.convert(quick_fit(kind, edition).fit(value), kind)
    except (GiveUpError, UnfitError, msgspec.ValidationError, OverflowError):
        return None


def read(kind: type[P], value: Mapping[str, object], edition: Edition, *, name: str) -> P:
    """One message or part of it. Raises BadInputError with the path of what is wrong."""
    try:
        return msgspec.convert(patient_fit(kind, edition).fit(dict(value)), kind)
    except UnfitError as error:
        raise BadInputError(
            f"{name}: {error.name}: wanted {error.wanted}, got {_start_of(error.got)}",
            mend=_SEE_SCHEMA,
        ) from error
    except msgspec.ValidationError as error:
        _refuse(error, kind, edition, name)
    except OverflowError as error:
        raise BadInputError(
            f"{name}: a number beyond the range of doubles", mend=_SEE_SCHEMA
        ) from error


def write(message: Part, edition: Edition) -> dict[str, object]:
    """The object to send. Fields that are None, and those the edition lacks, are left out."""
    out: dict[str, object] = {}
    for attribute, name, step in _layout(cast("Any", type(message)), edition):
        value = getattr(message, attribute)
        if value is not None:
            out[name] = value if step is None else step(value)
    for name, item in message.extra.items():
        out.setdefault(name, item)
    return out


@cache
def _layout(
    kind: Any, edition: Edition
) -> tuple[tuple[str, str, Callable[[Any], object] | None], ...]:
    return tuple(
        (slot.attribute, slot.own, _writing(slot, edition))
        for slot in slots_of(kind, edition)
        if slot.own is not None
    )


def _writing(slot: Slot, edition: Edition) -> Callable[[Any], object] | None:
    step: Callable[[Any], object] | None = None
    if slot.child is not None:
        step = lambda part: write(part, edition)  # noqa: E731 -- one of several
    elif slot.kind is datetime:
        step = _time_text
    one = step
    if slot.is_many:
        step = list if one is None else lambda items: [one(item) for item in items]
    if slot.form is None or edition is Edition.V3_0:
        return step
    plain, form = step, slot.form
    return form.write if plain is None else lambda value: form.write(plain(value))


def _time_text(at: datetime) -> str:
    """UTC to the millisecond, as 3.0 asks for and 2.x allows."""
    stamp = at.astimezone(UTC)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z"


def _refuse(
    error: msgspec.ValidationError, kind: type[Part], edition: Edition, name: str
) -> NoReturn:
    """The converter speaks of our names; the reader of the error knows those on the wire."""
    place = _PLACE.search(str(error))
    what = _PLACE.sub("", str(error))
    path = ""
    here: type[Part] | None = kind
    for step in re.findall(r"\w+|\[[^\]]*\]", place[1] if place else ""):
        if step.startswith("["):
            path += step
            continue
        slot = _slot_named(step, here, edition)
        shown = slot.own or step if slot else step
        path += f".{shown}" if path else shown
        here = slot.child if slot else None
    missing = _MISSING.match(what)
    if missing is not None:
        slot = _slot_named(missing[1], here, edition)
        what = f"{slot.own or missing[1] if slot else missing[1]} is missing"
    raise BadInputError(": ".join(filter(None, (name, path, what))), mend=_SEE_SCHEMA) from error


def _slot_named(name: str, kind: type[Part] | None, edition: Edition) -> Slot | None:
    slots = slots_of(kind, edition) if kind else ()
    return next((slot for slot in slots if slot.camel == name), None)


def _start_of(got: object) -> str:
    """Containers by their size: writing them out may itself fail."""
    match got:
        case list() | dict():
            return f"{type(got).__name__} of {len(got)}"
        case _:
            return repr(str(got)[:_SHOWN])
