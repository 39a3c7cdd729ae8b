"""What all formats share when a layout is written out as Python.

The written function is made of our own names and of constants only (see arithmetic); it is compiled
once for a template and its parameters, and `make(who)` gives the decode of one device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

from telemetry.describing.arithmetic import Formula, FormulaError, namespace, parse
from telemetry.describing.binding import Columns, Measured, Refused
from telemetry.describing.template import Measure, Place, TimeUnit
from telemetry.units import Conversion

Fields = dict[str, float | str | None]
"""What a payload says in the maker's own words and units, before ranges are looked at."""

_FARTHEST: Final = 1e300
_TO_US: Final[Mapping[TimeUnit, int]] = {"s": 1_000_000, "ms": 1000, "us": 1}


@dataclass(slots=True)
class Who:
    """Whose payload it is: what a written decode knows of its device."""

    names: frozenset[str] = frozenset()
    """Lower case: under these the payload may call its sender; empty: it is not looked at."""
    opened: Callable[[int, str, str], int] | None = None
    """(slot, channel, quantity) -> position in the values, new at the end."""
    fields: Fields = field(default_factory=dict)
    """Filled by a layout written for trying out."""

    def check(self, said: object) -> None:
        """Raises Refused: a sensor swapped, or one that speaks under another's address."""
        if self.names and str(said).lower() not in self.names:
            raise Refused("other_device", f"the payload is from {said!r}")


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one measure stands among the values, and how it becomes the quantity's own unit."""

    number: int
    measure: Measure
    conversion: Conversion


@dataclass(frozen=True, slots=True)
class Written:
    """A layout ready to be made for devices."""

    make: Callable[[Who], Callable[[bytes], Any]]
    several: bool
    """The decode gives a list of Measured; else one."""
    together: Callable[[Sequence[bytes]], Columns] | None = None
    """As in Binding; None where a payload is more than a few fields, or says whose it is."""


@dataclass(slots=True)
class Writer:
    """Lines of Python with their depth, and the objects they name."""

    slots: int
    """How many values a reading has."""
    trial: bool = False
    """Write for trying out: what is read is kept in `f` by its word, nothing is refused for its
    range.
    """
    scope: dict[str, Any] = field(default_factory=namespace)
    _lines: list[str] = field(default_factory=list)
    _depth: int = 2

    def line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def under(self, head: str) -> Iterator[None]:
        self.line(head)
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self._depth -= 1

    def finish(self, name: str) -> Callable[[Who], Callable[[bytes], Any]]:
        """Compile what was written: def make(who): def decode(p): <lines>; return decode."""
        head = [
            "def make(who):",
            "    f = who.fields",
            "    def decode(p):",
        ]
        text = "\n".join([*head, *self._lines, "    return decode"])
        return self._compiled(text, "make", name)  # type: ignore[no-any-return]  # made at run time

    def together(
        self, name: str, time: str, sequence: str, values: Sequence[str]
    ) -> Callable[[Sequence[bytes]], Columns]:
        """The same of many payloads: `time`, `sequence` and `values` are the Python that reads them
        from a struct `m`, which `lines` of the scope gives for each payload.
        """
        times = None if time == "None" else f"[{time} for m in read]"
        each = "".join(f"[{value} for m in read], " for value in values)
        text = (
            "def together(payloads):\n"
            "    read = lines(payloads)\n"
            f"    return ({times}, [{sequence} for m in read], ({each}))"
        )
        return self._compiled(text, "together", name)  # type: ignore[no-any-return]  # as above

    def _compiled(self, text: str, function: str, name: str) -> Any:
        self.scope.update(
            Refused=Refused, int=int, float=float, len=len, str=str, any=any, max=max,
            range=range, tuple=tuple,
        )  # fmt: skip
        exec(compile(text, f"<template {name}>", "exec"), self.scope)  # noqa: S102 -- written by us from a checked tree
        return self.scope[function]

    @property
    def written(self) -> int:
        """Lines so far."""
        return len(self._lines)

    def empty(self) -> None:
        """Every value of a new reading is missing."""
        if self.slots:
            self.line(" = ".join(f"m{i}" for i in range(self.slots)) + " = None")

    def values(self) -> str:
        return "(" + "".join(f"m{i}, " for i in range(self.slots)) + ")"


def formula(text: str, names: Mapping[str, str], what: str) -> Formula:
    """A formula, with the place it stands in before its error. Raises FormulaError."""
    try:
        return parse(text, names)
    except FormulaError as error:
        raise FormulaError(f"{what}: {error}") from error


def constants(parameters: Mapping[str, float]) -> dict[str, str]:
    """Parameters as names of formulas: written in as numbers. Raises FormulaError."""
    for name, value in parameters.items():
        if not isfinite(value):
            raise FormulaError(f"parameter {name} is {value}, which is no number to count with")
    return {name: f"({float(value)!r})" for name, value in parameters.items()}


def write_measure(writer: Writer, slot: Slot, raw: str, *, target: str | None = None) -> None:
    """One value: kept when trying out, looked at against its range, converted, put into its slot."""
    measure, put = slot.measure, target or f"m{slot.number} = "
    writer.line(f"v = {raw}")
    if writer.trial:
        writer.line(f"f[{measure.word!r}] = {_worded(writer, slot)}")
    if measure.missing:
        writer.scope[f"gone{slot.number}"] = frozenset(measure.missing)
        with writer.under(f"if v not in gone{slot.number}:"):
            _write_checked(writer, slot, put)
    else:
        _write_checked(writer, slot, put)


def _write_checked(writer: Writer, slot: Slot, put: str) -> None:
    low, high = slot.measure.range or (-_FARTHEST, _FARTHEST)
    if not writer.trial:
        writer.scope["beyond"] = beyond
        with writer.under(f"if not {low!r} <= v <= {high!r}:"):
            writer.line(f"raise beyond({slot.measure.word!r}, v, {low!r}, {high!r})")
    close = ")" if put.endswith("(") else ""
    writer.line(f"{put}{slot.conversion.python('float(v)')}{close}")


def _worded(writer: Writer, slot: Slot) -> str:
    states = slot.measure.states
    if not states:
        return "v"
    writer.scope[f"words{slot.number}"] = {number: word for word, number in states.items()}
    return f"words{slot.number}.get(v, v)"


def beyond(word: str, value: float, low: float, high: float) -> Refused:
    """The refusal of a value outside its range, or of none at all (NaN, infinite)."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 -- what NaN is
        return Refused("not_a_number", f"{word} is {value}")
    return Refused("out_of_range", f"{word} is {value:g}, not {low:g} to {high:g}")


def microseconds(expression: str, unit: TimeUnit) -> str:
    """Python that turns a number in `unit` into whole microseconds since 1970."""
    return f"int({expression} * {_TO_US[unit]})"


def microsecond_of(unit: TimeUnit) -> int:
    """How many microseconds one of `unit` is."""
    return _TO_US[unit]


def write_place(place: Place | None, names: Mapping[str, str], what: str) -> str:
    """The Python of a time or sequence given by a formula; "None" where there is none."""
    if place is None:
        return "None"
    found = formula(place.value, names, what).python
    return microseconds(found, place.unit) if what == "time" else f"int({found})"


def newest(found: Sequence[Measured]) -> Measured:
    """The reading with the latest time of its own; the last where none has one."""
    return max(found, key=lambda one: one[0] if one[0] is not None else -1)
