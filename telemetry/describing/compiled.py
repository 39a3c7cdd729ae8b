"""A template made ready: its measures numbered, its layouts written out, bound to a device.

Everything that can be wrong in a template is found here, before it takes effect (I5): formulas,
parts, paths, units of another kind, two units for one quantity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any, Final, NamedTuple

from telemetry.describing.arithmetic import FormulaError
from telemetry.describing.binding import Columns, Measured, Refused
from telemetry.describing.envelopes import unwrapper
from telemetry.describing.layouts.binary import write_binary
from telemetry.describing.layouts.csv_text import write_csv
from telemetry.describing.layouts.json_text import write_json
from telemetry.describing.layouts.senml import write_senml
from telemetry.describing.layouts.source import Fields, Slot, Who, Written, newest
from telemetry.describing.layouts.sparkplug import write_sparkplug
from telemetry.describing.template import BadTemplateError, Layout, Measure, Template
from telemetry.units import QUANTITIES, Conversion, UnitError, conversion, own_unit

_WRITERS: Final = {"json": write_json, "csv": write_csv, "bytes": write_binary, "tlv": write_binary}
_MOST_MEASURES: Final = 200


class Column(NamedTuple):
    """One value of a reading: which series of the device it is."""

    quantity: str
    channel: str
    unit: str
    precision: float


@dataclass(frozen=True, slots=True)
class Decoding:
    """What a device's payloads are read with. One of the two is used, see Binding."""

    decode: Callable[[bytes], Measured]
    several: Callable[[bytes], Sequence[Measured]] | None
    together: Callable[[Sequence[bytes]], Columns] | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template with the parameters of one kind of device."""

    template: Template
    columns: tuple[Column, ...]
    """The values of a reading in their order, without those of open channels."""
    layouts: tuple[tuple[Layout, Written], ...]

    def decoding(self, who: Who, envelope: str = "none") -> Decoding:
        """The decode of one device. `envelope` as in envelopes; auto counts as none."""
        unwrap = unwrapper(envelope)
        made = [(layout, written.make(who), written.several) for layout, written in self.layouts]
        several = any(one[2] for one in made)
        if len(made) == 1 and unwrap is None:
            decode = made[0][1]
            if several:
                return Decoding(_newest_of(decode), decode)
            return Decoding(decode, None, self.layouts[0][1].together)
        ports = _by_port(made)

        def read(payload: bytes) -> Sequence[Measured]:
            port, inner, at, sequence = (
                (None, payload, None, None) if unwrap is None else unwrap(payload)
            )
            decode, many = _of_port(ports, port, len(made))
            found = decode(inner) if many else (decode(inner),)
            return [
                (
                    one[0] if one[0] is not None else at,
                    one[1] if one[1] is not None else sequence,
                    one[2],
                )
                for one in found
            ]

        if several:
            return Decoding(_newest_of(read), read)
        return Decoding(lambda payload: read(payload)[0], None)


def compile_template(template: Template, parameters: Mapping[str, float] | None = None) -> Compiled:
    """Make a template ready. `parameters` of a device stand over the template's own.

    Raises BadTemplateError with the place in the file.
    """
    known = template.file.parameters
    given = parameters or {}
    for name in given:
        if name not in known:
            raise _bad(
                template, f"has no parameter {name!r}", f"Known: {', '.join(known) or 'none'}"
            )
    return _compiled(template, tuple(sorted({**known, **given}.items())), trial=False)


class TriedOut(NamedTuple):
    """What a payload says, for the eyes of the one who describes the sensor."""

    fields: Fields
    """In the maker's words and units, before ranges."""
    readings: Sequence[Measured]
    columns: tuple[Column, ...]
    """Of the values of each reading, those of open channels at the end."""
    refused: Refused | None


def try_out(
    template: Template,
    payload: bytes,
    *,
    port: int | None = None,
    envelope: str = "none",
    parameters: Mapping[str, float] | None = None,
) -> TriedOut:
    """Decode one payload and tell everything about it; a refusal is told, not raised.

    Raises BadTemplateError where the template itself cannot be used.
    """
    compiled = compile_template(template, parameters)
    written = _compiled(
        template,
        tuple(sorted({**template.file.parameters, **(parameters or {})}.items())),
        trial=True,
    )
    opened: list[Column] = []
    who = Who(opened=_opener(compiled.columns, opened))
    unwrap = unwrapper(envelope)
    try:
        if unwrap is not None:
            found, payload, _, _ = unwrap(payload)
            port = found if found is not None else port
        trial = _of_port(
            _by_port([(la, w.make(who), w.several) for la, w in written.layouts]),
            port,
            len(written.layouts),
        )
        trial[0](payload)
        decode, many = _of_port(
            _by_port([(la, w.make(who), w.several) for la, w in compiled.layouts]),
            port,
            len(compiled.layouts),
        )
        readings = decode(payload) if many else (decode(payload),)
    except Refused as refused:
        return TriedOut(who.fields, (), compiled.columns, refused)
    return TriedOut(who.fields, readings, (*compiled.columns, *opened), None)


def _opener(columns: Sequence[Column], opened: list[Column]) -> Callable[[int, str, str], int]:
    def place(slot: int, channel: str, quantity: str) -> int:
        column = open_column(columns, slot, channel, quantity)
        if column not in opened:
            opened.append(column)
        return len(columns) + opened.index(column)

    return place


def open_column(columns: Sequence[Column], slot: int, channel: str, quantity: str) -> Column:
    """The series of a channel that the template leaves open."""
    unit = columns[slot].unit if slot >= 0 else QUANTITIES[quantity]
    return Column(quantity, channel, unit, 0.0)


@lru_cache(maxsize=2048)
def _compiled(
    template: Template, parameters: tuple[tuple[str, float], ...], *, trial: bool
) -> Compiled:
    given = dict(parameters)
    columns: dict[tuple[str, str], Column] = {}
    slots: dict[int, Slot] = {}
    for layout in template.file.layout:
        for measure in _measures(layout):
            slots[id(measure)] = _slot(template, measure, columns)
    if len(columns) > _MOST_MEASURES:
        raise _bad(template, f"has {len(columns)} values", f"At most {_MOST_MEASURES} are taken")
    count = len(columns)
    layouts: list[tuple[Layout, Written]] = []
    for layout in template.file.layout:
        try:
            layouts.append(
                (layout, _written(layout, slots, count, given, template.name, trial=trial))
            )
        except FormulaError as error:
            raise _bad(template, str(error), "See docs/guides/describe-a-sensor.md") from error
    _ports_once(template)
    return Compiled(template, tuple(columns.values()), tuple(layouts))


def _written(
    layout: Layout,
    slots: Mapping[int, Slot],
    count: int,
    parameters: Mapping[str, float],
    name: str,
    *,
    trial: bool,
) -> Written:
    if layout.format == "senml":
        return write_senml(layout, slots, count, trial=trial)
    if layout.format == "sparkplug":
        return write_sparkplug(layout, slots, count, trial=trial)
    return _WRITERS[layout.format](layout, slots, count, parameters, name=name, trial=trial)


def _measures(layout: Layout) -> list[Measure]:
    inner = [m for part in (*layout.block, *layout.entry) for m in part.measure]
    return [*layout.measure, *inner]


def _slot(template: Template, measure: Measure, columns: dict[tuple[str, str], Column]) -> Slot:
    try:
        target = own_unit(measure.quantity, measure.unit)
        found: Conversion = conversion(measure.unit, target)
    except UnitError as error:
        raise _bad(template, f"{measure.word}: {error.message}", error.mend) from error
    low, high = measure.range or (0.0, 0.0)
    if not -inf < low <= high < inf:
        raise _bad(
            template,
            f"{measure.word}: range {measure.range} is empty or has no end",
            "Write [lowest, highest]",
        )
    key = (measure.quantity, measure.channel)
    step = abs(found(measure.precision) - found(0.0)) if measure.precision else 0.0
    column = columns.setdefault(key, Column(*key, target, step))
    if column.unit != target:
        raise _bad(
            template,
            f"{measure.word} is said in {target!r} and in {column.unit!r}",
            "One quantity has one unit everywhere",
        )
    return Slot(list(columns).index(key), measure, found)


def _ports_once(template: Template) -> None:
    ports = [port for layout in template.file.layout for port in layout.port or (None,)]
    for port in ports:
        if ports.count(port) > 1:
            where = "any port" if port is None else f"port {port}"
            raise _bad(template, f"lays out {where} twice", "Give each layout its own port")


_Made = tuple[Callable[[bytes], Any], bool]


def _by_port(
    made: Sequence[tuple[Layout, Callable[[bytes], Any], bool]],
) -> dict[int | None, _Made]:
    return {port: one[1:] for one in made for port in one[0].port or (None,)}


def _of_port(ports: Mapping[int | None, _Made], port: int | None, layouts: int) -> _Made:
    found = ports.get(port) or ports.get(None)
    if found is None and port is None and layouts == 1:
        found = next(iter(ports.values()))
    if found is None:
        known = ", ".join(str(one) for one in ports)
        raise Refused(
            "wrong_port", f"port {'not known' if port is None else port}; described: {known}"
        )
    return found


def _newest_of(several: Callable[[bytes], Sequence[Measured]]) -> Callable[[bytes], Measured]:
    return lambda payload: newest(several(payload))


def _bad(template: Template, what: str, mend: str) -> BadTemplateError:
    return BadTemplateError(f"template {template.name}: {what}", mend=mend, template=template.name)
