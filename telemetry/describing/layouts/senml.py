"""SenML packs (RFC 8428), in JSON and in CBOR: base values, names, units, times.

A pack may hold readings of many moments. Times below 2**28 s are relative to when the pack came in
(4.5.3); they are left as they are, and `Binding.clock_off` adds the arrival.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import cbor2
import msgspec

from telemetry.describing.arithmetic import FormulaError
from telemetry.describing.binding import Measured, Refused
from telemetry.describing.layouts.source import Slot, Who, Written
from telemetry.describing.layouts.values import described, stated
from telemetry.describing.template import Layout
from telemetry.units import QUANTITIES, UnitError, conversion, unit_of

MOST_RECORDS: Final = 5000
MOST_NAME: Final = 256
"""Signs of a resolved name: a long base name would cost its length with each record."""
_CBOR_FIRST: Final = range(0x80, 0xA0)
_LABELS: Final = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
"""RFC 8428, table 4."""

_BY_UNIT: Final[Mapping[str, str]] = {
    "Cel": "temperature", "%RH": "humidity", "Pa": "pressure", "lx": "illuminance",
    "V": "voltage", "A": "current", "W": "power", "Wh": "energy", "m": "distance", "kg": "weight",
    "%EL": "battery", "ppm": "gas", "m/s2": "acceleration", "m/s": "speed", "dB": "sound_level",
    "lat": "latitude", "lon": "longitude", "deg": "tilt", "Hz": "frequency", "dBm": "signal",
}  # fmt: skip
_BY_OBJECT: Final[Mapping[str, str]] = {
    "3301": "illuminance", "3302": "occupied", "3303": "temperature", "3304": "humidity",
    "3313": "acceleration", "3316": "voltage", "3317": "current", "3322": "weight",
    "3323": "pressure", "3324": "sound_level", "3328": "power", "3330": "distance", "3331": "energy",
}  # fmt: skip
"""IPSO objects as LwM2M names them: "3303/0/5700" is the value of temperature sensor 0."""


class _Record(msgspec.Struct, frozen=True, gc=False):
    """One record. Numbers as they come: NaN and truth values are looked at, not assumed away."""

    bn: str | None = None
    bt: float | None = None
    bu: str | None = None
    bv: float | None = None
    bs: float | None = None
    bver: float | None = None
    n: str | None = None
    u: str | None = None
    v: float | None = None
    vs: str | None = None
    vb: bool | None = None
    vd: Any = None
    s: float | None = None
    t: float | None = None
    ut: float | None = None


_JSON = msgspec.json.Decoder(list[_Record])
_Key = tuple[int, str]


def write_senml(layout: Layout, slots: Mapping[int, Slot], count: int, *, trial: bool) -> Written:
    """A layout of format senml. Measures are found by the end of a record's resolved name.

    Raises FormulaError: a measure without a name, or no measure and not `open`.
    """
    if not layout.measure and not layout.open:
        raise FormulaError("senml: describe a measure by its name, or set open = true")
    if any(not measure.name for measure in layout.measure):
        raise FormulaError("senml: every measure needs its name")
    named = {measure.name: slots[id(measure)] for measure in layout.measure}

    def make(who: Who) -> Callable[[bytes], list[Measured]]:
        pack = _Pack(named, count, who, opened=layout.open, trial=trial)
        return pack.decode

    return Written(make, several=True)


class _Pack:
    def __init__(
        self, named: Mapping[str, Slot], count: int, who: Who, *, opened: bool, trial: bool
    ) -> None:
        self._named = named
        self._count = count
        self._who = who
        self._open = opened
        self._trial = trial
        self._known: dict[str, Slot | None] = {}

    def decode(self, payload: bytes) -> list[Measured]:
        records = _records(payload)
        found: dict[int | None, dict[int, float]] = {}
        name, unit, value, moment = "", None, None, 0.0
        for record in records:
            _look_at(record)
            if record.bn is not None:
                name = record.bn[: MOST_NAME + 1]
                self._who_says(name)
            unit = record.bu if record.bu is not None else unit
            value = record.bv if record.bv is not None else value
            moment = record.bt if record.bt is not None else moment
            said = _value(record, value)
            if said is None:
                continue
            at = moment + (record.t or 0.0)
            if not abs(at) < 2**53 / 1e6:
                raise Refused("wrong_clock", f"time {at}")
            whole = name + (record.n or "")
            if len(whole) > MOST_NAME:
                raise Refused("too_large", f"a name of {len(whole)} signs, at most {MOST_NAME}")
            put = self._place(whole, record.u or unit, said)
            if put is not None:
                found.setdefault(int(at * 1_000_000) if at else None, {})[put[0]] = put[1]
        if not found:
            raise Refused("nothing_measured", "no record is described")
        return [(at, None, self._row(values)) for at, values in found.items()]

    def _row(self, values: Mapping[int, float]) -> tuple[float | None, ...]:
        return tuple(values.get(k) for k in range(max(self._count, max(values) + 1)))

    def _who_says(self, base: str) -> None:
        names = self._who.names
        if names and base.strip("/:") and not any(name in base.lower() for name in names):
            raise Refused("other_device", f"base name {base!r}")

    def _place(self, name: str, unit: str | None, said: float | str) -> tuple[int, float] | None:
        slot = self._slot(name)
        if slot is not None:
            return slot.number, self._described(slot, unit, said)
        if not self._open or unit is None or isinstance(said, str) or self._who.opened is None:
            return None
        quantity, channel, target = _meaning(name, unit)
        if self._trial:
            self._who.fields[name or quantity] = said
        return self._who.opened(-1, channel, quantity), _in(said, unit, target, name)

    def _described(self, slot: Slot, unit: str | None, said: float | str) -> float:
        measure = slot.measure
        value = stated(said, measure.states, measure.word)
        if unit is not None and unit != measure.unit:
            value = _in(value, unit, measure.unit, measure.word)
        return described(slot, value, self._who.fields if self._trial else None)

    def _slot(self, name: str) -> Slot | None:
        if name not in self._known:
            if len(self._known) > MOST_RECORDS:
                self._known.clear()
            self._known[name] = next(
                (s for end, s in self._named.items() if _ends(name, end)), None
            )
        return self._known[name]


def _ends(name: str, end: str) -> bool:
    return name == end or (name.endswith(end) and name[-len(end) - 1] in "/:.-_")


def _no_tag(*_: object) -> NoReturn:
    raise ValueError("a tag that no pack has")


_NO_TAGS: Final = dict.fromkeys((28, 29, 35), _no_tag)
"""Shared values, of which two hundred bytes make a key that takes hours to hash, and patterns."""


def _records(payload: bytes) -> list[_Record]:
    try:
        if payload and payload[0] in _CBOR_FIRST:
            said = cbor2.loads(payload, semantic_decoders=_NO_TAGS)
            rows = [{_LABELS.get(k, str(k)): v for k, v in row.items()} for row in said]
            records = msgspec.convert(rows, list[_Record])
        else:
            records = _JSON.decode(payload)
    except (msgspec.MsgspecError, cbor2.CBORDecodeError, ValueError, AttributeError,
            TypeError, RecursionError, OverflowError) as error:  # fmt: skip
        raise Refused("not_senml", str(error)) from None
    if len(records) > MOST_RECORDS:
        raise Refused("too_large", f"{len(records)} records, at most {MOST_RECORDS}")
    return records


def _look_at(record: _Record) -> None:
    for field in ("v", "bv", "t", "bt"):
        value: Any = getattr(record, field)
        if value is not None and not math.isfinite(value):
            raise Refused("not_a_number", f"{field} is {value}")


def _value(record: _Record, base: float | None) -> float | str | None:
    if record.v is not None:
        return record.v + (base or 0.0)
    if record.vb is not None:
        return float(record.vb)
    if record.vs is not None:
        return record.vs
    return base if record.n is not None and record.vd is None and record.s is None else None


def _meaning(name: str, unit: str) -> tuple[str, str, str]:
    """(quantity, channel, unit of the quantity) of a record nobody described."""
    parts = [part for part in name.replace(":", "/").split("/") if part]
    for place, part in enumerate(parts):
        if part in _BY_OBJECT and _same_kind(unit, _BY_OBJECT[part]):
            return (
                _BY_OBJECT[part],
                parts[place + 1] if len(parts) > place + 1 else "",
                _unit(_BY_OBJECT[part]),
            )
    label = parts[-1] if parts else ""
    if label in QUANTITIES and _same_kind(unit, label):
        return label, "", QUANTITIES[label]
    base = _base(unit)
    quantity = _BY_UNIT.get(base)
    if quantity is None:
        raise Refused("unit_mismatch", f"{name}: unit {unit!r} says no quantity")
    return quantity, label if label != quantity else "", _unit(quantity)


def _unit(quantity: str) -> str:
    return QUANTITIES[quantity]


def _same_kind(unit: str, quantity: str) -> bool:
    try:
        return unit_of(unit).kind == unit_of(_unit(quantity)).kind
    except UnitError:
        return False


def _base(unit: str) -> str:
    try:
        kind = unit_of(unit).kind
    except UnitError as error:
        raise Refused("unit_mismatch", error.message) from None
    return next((code for code in _BY_UNIT if unit_of(code).kind == kind), unit)


def _in(value: float, unit: str, target: str, word: str) -> float:
    try:
        return conversion(unit, target)(value)
    except UnitError as error:
        raise Refused("unit_mismatch", f"{word}: {error.message}") from None
