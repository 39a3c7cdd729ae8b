"""Bytes with offsets, and TLV channels as LoRaWAN sensors send them.

A block or entry is written as: is it there, are its bytes there, its parts, its measures. What is
cut short is refused whole: half a message may be another sensor's (I7).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from telemetry.describing.arithmetic import FormulaError
from telemetry.describing.binding import Refused
from telemetry.describing.layouts.parts import Part, read_parts
from telemetry.describing.layouts.source import (
    Slot,
    Writer,
    Written,
    constants,
    formula,
    newest,
    write_measure,
    write_place,
)
from telemetry.describing.template import Block, Entry, Layout, Measure

_TAG: Final = re.compile(r"(?:[0-9a-fA-F]{2}|\?\?)(?: ?(?:[0-9a-fA-F]{2}|\?\?)){0,3}")


@dataclass(frozen=True, slots=True)
class _Task:
    """What the writing of one layout works on."""

    layout: Layout
    writer: Writer
    slots: Mapping[int, Slot]
    """By the identity of the measure."""
    names: Mapping[str, str]
    """What formulas may say everywhere: parameters, the head, `length`."""
    several: bool


def write_binary(
    layout: Layout,
    slots: Mapping[int, Slot],
    count: int,
    parameters: Mapping[str, float],
    *,
    name: str,
    trial: bool = False,
) -> Written:
    """A layout of format bytes or tlv. `slots` by id(measure), `count` values a reading.

    Raises FormulaError: a part, tag or formula that cannot be.
    """
    writer = Writer(count, trial)
    several = any(block.repeat for block in layout.block) or any(
        e.own_reading for e in layout.entry
    )
    several = several or _opens(layout)
    writer.scope.update(short=_short, newest=newest)
    with writer.under("try:"):
        names = {**constants(parameters), "length": "n"}
        writer.line("n = len(p)")
        names.update(_head(writer, layout))
        task = _Task(layout, writer, slots, names, several)
        writer.empty()
        if several:
            writer.line("readings = []")
        if layout.nothing:
            with writer.under(f"if {formula(layout.nothing, names, 'nothing').python}:"):
                one = f"(None, None, {writer.values()})"
                writer.line(f"return [{one}]" if several else f"return {one}")
        _check(task)
        _body(task)
        _end(task)
    with writer.under("except Refused:"):
        writer.line("raise")
    with writer.under("except (ArithmeticError, ValueError, TypeError) as error:"):
        writer.line('raise Refused("no_value", str(error)) from None')
    writer.scope.update(ArithmeticError=ArithmeticError, ValueError=ValueError, TypeError=TypeError)
    return Written(writer.finish(name), several)


def _opens(layout: Layout) -> bool:
    return any(m.each_channel for entry in layout.entry for m in entry.measure)


def _head(writer: Writer, layout: Layout) -> dict[str, str]:
    parts, size = read_parts(layout.head, layout.byte_order, "head")
    if size:
        _demand(writer, "0", size)
    _read(writer, parts, "0")
    return {part.name: part.variable for part in parts}


def _check(task: _Task) -> None:
    if task.layout.check:
        found = formula(task.layout.check, task.names, "check")
        with task.writer.under(f"if not {found.python}:"):
            task.writer.line(f'raise Refused("another_sensor", {task.layout.check!r})')


def _body(task: _Task) -> None:
    if task.layout.measure:
        _measures(task, task.layout.measure, task.names)
    _info(task, task.layout.info, task.names)
    _, head = read_parts(task.layout.head, task.layout.byte_order, "head")
    task.writer.line(f"i = {task.layout.start or head}")
    if task.layout.format == "tlv":
        _entries(task)
    else:
        for number, block in enumerate(task.layout.block, 1):
            _block(task, block, f"block {number}")


def _end(task: _Task) -> None:
    writer = task.writer
    at = write_place(task.layout.time, task.names, "time")
    sequence = write_place(task.layout.sequence, task.names, "sequence")
    if task.layout.device is not None:
        writer.line(f"who.check({formula(task.layout.device.value, task.names, 'device').python})")
    if task.several:
        with writer.under(f"if not readings or any(v is not None for v in {writer.values()}):"):
            writer.line(f"readings.append(({at}, {sequence}, {_all_values(task)}))")
        writer.line("return readings")
    else:
        writer.line(f"return ({at}, {sequence}, {writer.values()})")


def _all_values(task: _Task) -> str:
    if not _opens(task.layout):
        return task.writer.values()
    return f"{task.writer.values()} + tuple(more.get(k) for k in range({task.writer.slots}, max(more, default=0) + 1))"


def _block(task: _Task, block: Block, where: str) -> None:
    writer = task.writer
    if block.when:
        with writer.under(f"if {formula(block.when, task.names, where).python}:"):
            _filled(task, block, where)
    elif block.repeat:
        _, size = read_parts(block.parts, task.layout.byte_order, where)
        if not size or block.time is None:
            raise FormulaError(f"{where}: a block that repeats needs parts and a time")
        with writer.under("while i < n:"):
            _own_reading(task, block, where)
    else:
        _filled(task, block, where)


def _filled(task: _Task, block: Block, where: str) -> dict[str, str]:
    """The bytes of a block: there, read, measured. Gives the names its formulas may say."""
    parts, size = read_parts(block.parts, task.layout.byte_order, where)
    writer = task.writer
    if size:
        _demand(writer, "i", size)
    _read(writer, parts, "i")
    names = {**task.names, **{part.name: part.variable for part in parts}}
    if isinstance(block, Entry):
        names["channel"] = "channel"
    _measures(task, block.measure, names)
    _info(task, block.info, names)
    if size:
        writer.line(f"i += {size}")
    return names


def _own_reading(task: _Task, block: Block, where: str) -> None:
    """A reading of another moment: its values are put aside, and what was read before stands."""
    writer = task.writer
    kept = "kept = " + writer.values()
    writer.line(kept)
    writer.empty()
    names = _filled(task, block, where)
    at = write_place(block.time, names, "time")
    writer.line(f"readings.append(({at}, None, {writer.values()}))")
    writer.line(f"{writer.values()} = kept")


def _entries(task: _Task) -> None:
    writer = task.writer
    sizes = {len(_tag(entry)) for entry in task.layout.entry}
    if len(sizes) != 1:
        raise FormulaError("entry: all tags need the same number of bytes, at least one")
    size = sizes.pop()
    if _opens(task.layout):
        writer.line("more = {}")
    with writer.under("while i < n:"):
        _demand(writer, "i", size)
        for place in range(size):
            writer.line(f"t{place} = p[i + {place}]")
        writer.line("channel = t0")
        writer.line(f"i += {size}")
        word = "if"
        for entry in task.layout.entry:
            tests = [f"t{k} == {byte}" for k, byte in enumerate(_tag(entry)) if byte is not None]
            with writer.under(f"{word} {' and '.join(tests) or 'True'}:"):
                _entry(task, entry)
            word = "elif"
        with writer.under("else:"):
            _unknown(task, size)


def _entry(task: _Task, entry: Entry) -> None:
    if entry.own_reading:
        _own_reading(task, entry, f"entry {entry.tag}")
    else:
        _filled(task, entry, f"entry {entry.tag}")


def _unknown(task: _Task, size: int) -> None:
    if task.layout.unknown == "stop":
        task.writer.line("break")
    else:
        task.writer.line(
            f'raise Refused("unknown_channel", "byte " + str(i - {size}) + ": " + p[i - {size}:i].hex(" "))'
        )


def _tag(entry: Entry) -> Sequence[int | None]:
    if not _TAG.fullmatch(entry.tag):
        raise FormulaError(f'entry: tag {entry.tag!r} is none; write "03 67" or "?? 67"')
    tight = entry.tag.replace(" ", "")
    pairs = [tight[k : k + 2] for k in range(0, len(tight), 2)]
    return [None if pair == "??" else int(pair, 16) for pair in pairs]


def _measures(task: _Task, measures: Sequence[Measure], names: Mapping[str, str]) -> None:
    for measure in measures:
        slot = task.slots[id(measure)]
        raw = formula(measure.value, names, measure.word).python
        if measure.when:
            with task.writer.under(f"if {formula(measure.when, names, measure.word).python}:"):
                _measure(task, slot, raw)
        else:
            _measure(task, slot, raw)


def _measure(task: _Task, slot: Slot, raw: str) -> None:
    if not slot.measure.each_channel:
        write_measure(task.writer, slot, raw)
        return
    task.writer.line(f"k = who.opened({slot.number}, str(channel), {slot.measure.quantity!r})")
    if task.writer.trial:
        task.writer.line(f"f[{slot.measure.word!r} + '_' + str(channel)] = {raw}")
    write_measure(task.writer, slot, raw, target="more[k] = ")


def _info(task: _Task, info: Mapping[str, str], names: Mapping[str, str]) -> None:
    if task.writer.trial:
        for word, text in info.items():
            task.writer.line(f"f[{word!r}] = {formula(text, names, word).python}")


def _read(writer: Writer, parts: Sequence[Part], base: str) -> None:
    for part in parts:
        writer.line(f"{part.variable} = {part.python(writer, base)}")


def _demand(writer: Writer, base: str, size: int) -> None:
    with writer.under(f"if n < {size if base == '0' else f'{base} + {size}'}:"):
        writer.line(f"raise short(n, {size if base == '0' else f'{base} + {size}'})")


def _short(length: int, needed: int) -> Refused:
    return Refused("too_short", f"{length} bytes, at least {needed} were to come")
