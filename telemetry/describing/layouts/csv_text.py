"""CSV payloads: one line is one reading."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Final

from telemetry.describing.arithmetic import FormulaError
from telemetry.describing.binding import Refused
from telemetry.describing.layouts.source import (
    Slot,
    Writer,
    Written,
    constants,
    formula,
    microseconds,
    write_measure,
)
from telemetry.describing.layouts.values import moment, stated
from telemetry.describing.template import Layout, Place

_MOST_LINES: Final = 10_000


def write_csv(
    layout: Layout,
    slots: Mapping[int, Slot],
    count: int,
    parameters: Mapping[str, float],
    *,
    name: str,
    trial: bool = False,
) -> Written:
    """A layout of format csv: one line is one reading. Raises FormulaError."""
    writer = Writer(count, trial)
    names = {**constants(parameters), "x": "x"}
    if any(m.column < 1 for m in layout.measure):
        raise FormulaError("csv: every measure needs its column, counted from 1")
    if len(layout.separator) != 1:
        raise FormulaError(f"csv: separator {layout.separator!r} is not one sign")
    writer.scope.update(rows=_rows, cell=_cell, real=_real, stated=stated, moment=moment)
    writer.scope["Impossible"] = (ArithmeticError, ValueError, TypeError)
    with writer.under("try:"):
        writer.line("readings = []")
        with writer.under(f"for row in rows(p, {layout.separator!r}, {layout.header}):"):
            writer.empty()
            for measure in layout.measure:
                _csv_measure(writer, slots[id(measure)], names)
            if layout.device is not None:
                writer.line(f"who.check(cell(row, {layout.device.column}, 'device', False))")
            at, sequence = _time(layout.time), _sequence(layout.sequence)
            writer.line(f"readings.append(({at}, {sequence}, {writer.values()}))")
        with writer.under("if not readings:"):
            writer.line('raise Refused("nothing_measured", "no line holds a reading")')
        writer.line("return readings" if layout.each else "return readings[-1]")
    with writer.under("except Refused:"):
        writer.line("raise")
    with writer.under("except Impossible as error:"):
        writer.line('raise Refused("no_value", str(error)) from None')
    return Written(writer.finish(name), bool(layout.each))


def _csv_measure(writer: Writer, slot: Slot, names: Mapping[str, str]) -> None:
    measure = slot.measure
    writer.line(f"x = cell(row, {measure.column}, {measure.word!r}, {measure.optional})")
    with writer.under("if x is not None:"):
        if measure.states:
            writer.scope[f"states{slot.number}"] = dict(measure.states)
            writer.line(f"x = stated(x, states{slot.number}, {measure.word!r})")
        else:
            writer.line(f"x = real(x, {measure.word!r})")
        raw = formula(measure.value, names, measure.word).python if measure.value else "x"
        write_measure(writer, slot, raw)


def _time(place: Place | None) -> str:
    if place is None:
        return "None"
    reached = f"cell(row, {place.column}, 'time', False)"
    if place.unit == "iso":
        return f"moment({reached})"
    return microseconds(f"real({reached}, 'time')", place.unit)


def _sequence(place: Place | None) -> str:
    return "None" if place is None else f"int(cell(row, {place.column}, 'sequence', False))"


def _rows(payload: bytes, separator: str, header: int) -> Iterator[list[str]]:
    try:
        lines = payload.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise Refused("not_csv", str(error)) from None
    if len(lines) > _MOST_LINES:
        raise Refused("too_large", f"{len(lines)} lines, at most {_MOST_LINES}")
    try:
        yield from (row for row in csv.reader(lines[header:], delimiter=separator) if row)
    except csv.Error as error:
        raise Refused("not_csv", str(error)) from None


def _cell(row: list[str], column: int, word: str, optional: bool) -> str | None:  # noqa: FBT001 -- called from written Python
    said = row[column - 1].strip() if column <= len(row) else ""
    if not said and not optional:
        raise Refused("missing_field", f"{word}: column {column} of {len(row)} is empty")
    return said or None


def _real(said: str, word: str) -> float:
    try:
        return float(said)
    except ValueError:
        raise Refused("wrong_type", f"{word} is {said!r}, not a number") from None
