"""Sparkplug B payloads (Eclipse Sparkplug 3.0, 6.4): metrics by name or alias, each with its time.

Births and data of a device have one form, so both are read, and a decode stays a function of its
payload: a metric that is sent by its alias alone is described by that alias (`alias = 7`). What is
not described (control metrics, strings) is passed over, as further fields of JSON are. `seq` wraps
at 255 and numbers the node, so a reading's identity is its time and values.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from telemetry.describing.arithmetic import FormulaError
from telemetry.describing.binding import Measured, Refused
from telemetry.describing.layouts.source import Slot, Who, Written
from telemetry.describing.layouts.values import described, stated
from telemetry.describing.template import Layout

MOST_METRICS: Final = 5000
_VARINT_BYTES: Final = 10
_SIGNED: Final[Mapping[int, int]] = {1: 8, 2: 16, 3: 32, 4: 64}
"""Bits of Int8 to Int64, which travel as unsigned numbers (6.4.16)."""
_TIMESTAMP, _METRICS = 1, 2
_NAME, _ALIAS, _AT, _TYPE, _NULL = 1, 2, 3, 4, 7
_INT, _LONG, _FLOAT, _DOUBLE, _TRUTH, _STRING = 10, 11, 12, 13, 14, 15
_Field = int | bytes


def write_sparkplug(
    layout: Layout, slots: Mapping[int, Slot], count: int, *, trial: bool
) -> Written:
    """A layout of format sparkplug. Raises FormulaError: a measure with neither name nor alias."""
    if not layout.measure or any(not m.name and m.alias < 0 for m in layout.measure):
        raise FormulaError("sparkplug: every measure needs the name or the alias of its metric")
    named = {m.name: slots[id(m)] for m in layout.measure if m.name}
    aliased = {m.alias: slots[id(m)] for m in layout.measure if m.alias >= 0}

    def make(who: Who) -> Callable[[bytes], list[Measured]]:
        fields = who.fields if trial else None

        def decode(payload: bytes) -> list[Measured]:
            found: dict[int | None, dict[int, float]] = {}
            for at, name, alias, value in _metrics(payload):
                slot = named.get(name) if name else aliased.get(alias)
                if slot is not None:
                    said = stated(value, slot.measure.states, slot.measure.word)
                    found.setdefault(at, {})[slot.number] = described(slot, said, fields)
            if not found:
                raise Refused("nothing_measured", "no metric is described")
            places = range(count)
            return [(at, None, tuple(map(row.get, places))) for at, row in found.items()]

        return decode

    return Written(make, several=True)


def _metrics(payload: bytes) -> Iterator[tuple[int | None, str, int, float | str | bool]]:
    """(microseconds since 1970, name, alias, value) of every metric that has a value."""
    parts = list(_fields(payload))
    whole = next((_whole(value) for field, value in parts if field == _TIMESTAMP), None)
    metrics = [value for field, value in parts if field == _METRICS]
    if len(metrics) > MOST_METRICS:
        raise Refused("too_large", f"{len(metrics)} metrics, at most {MOST_METRICS}")
    for metric in metrics:
        if not isinstance(metric, bytes):
            raise Refused("not_sparkplug", "a metric is no message")
        inner = dict(_fields(metric))
        value = _value(inner)
        if value is None:
            continue
        at = _whole(inner[_AT]) if _AT in inner else whole
        name = _text(inner.get(_NAME, b""))
        alias = _whole(inner[_ALIAS]) if _ALIAS in inner else -1
        yield (None if at is None else at * 1000), name, alias, value


def _value(inner: Mapping[int, _Field]) -> float | str | bool | None:
    if inner.get(_NULL):
        return None
    for field in (_INT, _LONG):
        if field in inner:
            return _number(_whole(inner[field]), _whole(inner.get(_TYPE, 0)))
    if _FLOAT in inner:
        return float(struct.unpack("<f", _bytes(inner[_FLOAT], 4))[0])
    if _DOUBLE in inner:
        return float(struct.unpack("<d", _bytes(inner[_DOUBLE], 8))[0])
    if _TRUTH in inner:
        return bool(_whole(inner[_TRUTH]))
    return _text(inner[_STRING]) if _STRING in inner else None


def _number(value: int, datatype: int) -> float:
    bits = _SIGNED.get(datatype)
    if bits is None:
        return float(value)
    half = 1 << bits - 1
    return float(((value & (2 * half - 1)) ^ half) - half)


def _fields(data: bytes) -> Iterator[tuple[int, _Field]]:
    """Fields of a Protocol Buffers message: varints as int, all else as bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind, value = tag & 7, b""
        if kind == 0:
            number, at = _varint(data, at)
            yield tag >> 3, number
            continue
        if kind == 2:  # noqa: PLR2004 -- Protocol Buffers: with its length
            size, at = _varint(data, at)
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
        else:
            raise Refused("not_sparkplug", f"byte {at}: wire type {kind}")
        value = data[at : at + size]
        if len(value) < size:
            raise Refused("too_short", f"{len(data)} bytes, field {tag >> 3} ends at {at + size}")
        at += size
        yield tag >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(data[at : at + _VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004 -- no further byte follows
            return value, at + place + 1
    raise Refused("not_sparkplug", f"byte {at}: a number without end")


def _whole(value: _Field) -> int:
    if isinstance(value, bytes):
        raise Refused("not_sparkplug", "a whole number is sent as something else")
    return value


def _bytes(value: _Field, size: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != size:
        raise Refused("not_sparkplug", "a real number is sent as something else")
    return value


def _text(value: _Field) -> str:
    try:
        return value.decode() if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError as error:
        raise Refused("not_sparkplug", str(error)) from None
