"""JSON payloads.

The usual JSON of a sensor (an object with a few numbers) is the hot path of the house: one msgspec
decode with the ranges in its types, and one tuple.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from telemetry.describing.binding import Refused
from telemetry.describing.layouts.lines import lines_of
from telemetry.describing.layouts.paths import (
    COUNT,
    MOMENT,
    NUMBER,
    TEXT,
    WORD,
    Leaf,
    Node,
    number,
    steps,
    walk,
)
from telemetry.describing.layouts.source import (
    Slot,
    Writer,
    Written,
    constants,
    formula,
    microsecond_of,
    microseconds,
    write_measure,
)
from telemetry.describing.layouts.values import moment, said_in, stated
from telemetry.describing.template import Layout, Measure, Place

_BEYOND: Final = ("`float` >=", "`float` <=", "out of range")
_FARTHEST_US: Final = 10**17
"""Some 3,000 years: beyond it a number is no time at all."""


class _Json:
    def __init__(
        self, layout: Layout, slots: Mapping[int, Slot], writer: Writer, names: dict[str, str]
    ) -> None:
        self.layout = layout
        self.slots = slots
        self.writer = writer
        self.names = names
        self.root = Node()
        self.direct: dict[int, str] = {}
        """Values that need no step of their own: the Python that reads them."""

    def values(self) -> str:
        reached = (self.direct.get(k, f"m{k}") for k in range(self.writer.slots))
        return "(" + "".join(f"{one}, " for one in reached) + ")"

    def ask(self) -> None:
        for what, place in self._places():
            self.root.ask(steps(place.path, what), _place_leaf(what, place))
        for measure in self.layout.measure:
            self.root.ask(steps(measure.path, measure.word), self._leaf(measure))
            if measure.unit_path:
                self.root.ask(steps(measure.unit_path, measure.word), Leaf(TEXT, measure.optional))

    def _places(self) -> list[tuple[str, Place]]:
        places = (
            ("time", self.layout.time),
            ("sequence", self.layout.sequence),
            ("device", self.layout.device),
        )
        return [(what, place) for what, place in places if place is not None]

    def _leaf(self, measure: Measure) -> Leaf:
        if measure.states:
            return Leaf(WORD, measure.optional)
        plain = not (measure.value or measure.missing or measure.unit_path or self.writer.trial)
        return Leaf(NUMBER, measure.optional, measure.range if plain else None)

    def one(self) -> tuple[str, str]:
        """Write one reading from the struct `m`; gives the Python of its time and sequence."""
        writer = self.writer
        optional = [m for m in self.layout.measure if m.optional]
        if (
            not all(self._plain(m) for m in self.layout.measure)
            or writer.trial
            or self._scattered()
        ):
            writer.empty()
        for measure in self.layout.measure:
            self._measure(measure)
        if self.layout.device is not None:
            writer.line(f"who.check({self._reach(self.layout.device.path, 'device')})")
        if optional and len(optional) == len(self.layout.measure):
            with writer.under(f"if not any(v is not None for v in {self.values()}):"):
                writer.line(
                    'raise Refused("nothing_measured", "none of the described values is there")'
                )
        return self._time(), self._sequence()

    def _scattered(self) -> bool:
        """Some value of a reading is not written by this layout, or only sometimes."""
        written = {
            self.slots[id(m)].number for m in self.layout.measure if not m.missing and not m.when
        }
        return len(written) < self.writer.slots

    def _reach(self, path: str, what: str) -> str:
        return self.root.python("m", steps(path, what))

    def _measure(self, measure: Measure) -> None:
        slot = self.slots[id(measure)]
        raw = self._reach(measure.path, measure.word)
        inside = measure.optional
        if self._plain(measure):
            if not self._scattered() and (not inside or slot.conversion.same):
                self.direct[slot.number] = slot.conversion.python(raw)
                return
            if not inside or slot.conversion.same:
                self.writer.line(f"m{slot.number} = {slot.conversion.python(raw)}")
            else:
                self.writer.line(f"x = {raw}")
                said = slot.conversion.python("x")
                self.writer.line(f"m{slot.number} = None if x is None else {said}")
            return
        self.writer.line(f"x = {raw}")
        if inside:
            with self.writer.under("if x is not None:"):
                self._looked_at(slot)
        else:
            self._looked_at(slot)

    def _plain(self, measure: Measure) -> bool:
        """All that is asked for was looked at when msgspec read it."""
        bare = not (measure.value or measure.missing or measure.unit_path or measure.states)
        indexed = any(isinstance(step, int) for step in steps(measure.path, measure.word))
        return bare and not indexed and not measure.when and not self.writer.trial

    def _looked_at(self, slot: Slot) -> None:
        measure, writer = slot.measure, self.writer
        if measure.states:
            writer.scope[f"states{slot.number}"] = dict(measure.states)
            writer.line(f"x = stated(x, states{slot.number}, {measure.word!r})")
        else:
            writer.line(f"x = number(x, {measure.word!r})")
        if measure.unit_path:
            said = self._reach(measure.unit_path, measure.word)
            writer.line(f"x = said_in(x, {said}, {measure.unit!r}, {measure.word!r})")
        names = {**self.names, "x": "x"}
        raw = formula(measure.value, names, measure.word).python if measure.value else "x"
        if measure.when:
            with writer.under(f"if {formula(measure.when, names, measure.word).python}:"):
                write_measure(writer, slot, raw)
        else:
            write_measure(writer, slot, raw)

    def _time(self) -> str:
        place = self.layout.time
        if place is None:
            return "None"
        reached = self._reach(place.path, "time")
        if place.unit == "iso":
            return f"moment({reached})"
        if place.unit == "s":
            return microseconds(reached, place.unit)
        return f"{reached} * {microsecond_of(place.unit)}"  # msgspec gave a whole number

    def _sequence(self) -> str:
        if self.layout.sequence is None:
            return "None"
        return self._reach(self.layout.sequence.path, "sequence")


def write_json(
    layout: Layout,
    slots: Mapping[int, Slot],
    count: int,
    parameters: Mapping[str, float],
    *,
    name: str,
    trial: bool = False,
) -> Written:
    """A layout of format json. Raises FormulaError: a path or formula that cannot be."""
    writer = Writer(count, trial)
    json = _Json(layout, slots, writer, constants(parameters))
    json.ask()
    struct = json.root.struct()
    several = bool(layout.each)
    way = [] if layout.each in {"", "$"} else [str(step) for step in steps(layout.each, "each")]
    whole: Any = _wrapped(way, list[struct]) if several else struct  # type: ignore[valid-type]  # msgspec reads types made at run time
    writer.scope.update(
        read=msgspec.json.Decoder(whole).decode, refusal=_refusal, number=number, walk=walk,
        stated=stated, said_in=said_in, moment=moment,
        Unreadable=(msgspec.MsgspecError, UnicodeDecodeError, RecursionError),
        Impossible=(ArithmeticError, ValueError, TypeError),
    )  # fmt: skip
    at, sequence, plain = "", "", False
    with writer.under("try:"):
        if several:
            writer.line("d = read(p)")
            writer.line("readings = []")
            with writer.under(f"for m in d{'.s0' * len(way)}:"):
                at, sequence = json.one()
                writer.line(f"readings.append(({at}, {sequence}, {json.values()}))")
            with writer.under("if not readings:"):
                writer.line('raise Refused("nothing_measured", "the list is empty")')
            writer.line("return readings")
        else:
            writer.line("m = read(p)")
            before = writer.written
            at, sequence = json.one()
            plain = writer.written == before and sequence != "None"
            writer.line(f"return ({at}, {sequence}, {json.values()})")
    with writer.under("except Unreadable as error:"):
        writer.line("raise refusal(error) from None")
    with writer.under("except Refused:"):
        writer.line("raise")
    with writer.under("except Impossible as error:"):
        writer.line('raise Refused("no_value", str(error)) from None')
    make = writer.finish(name)
    if not plain:
        return Written(make, several)
    writer.scope["lines"] = lines_of(msgspec.json.Decoder(whole).decode_lines)
    values = [json.direct[slot] for slot in range(count)]
    return Written(make, several, writer.together(name, at, sequence, values))


def _place_leaf(what: str, place: Place) -> Leaf:
    match what:
        case "device":
            return Leaf(WORD, optional=False)
        case "sequence":
            return Leaf(COUNT, optional=True)
        case _ if place.unit == "iso":
            return Leaf(MOMENT, optional=False)
        case _:
            farthest = _FARTHEST_US // microsecond_of(place.unit)
            sort = NUMBER if place.unit == "s" else COUNT
            return Leaf(sort, optional=False, range=(-farthest, farthest))


def _wrapped(path: Sequence[str], inner: Any) -> Any:
    for step in reversed(path):
        inner = msgspec.defstruct("Outer", [("s0", inner)], rename={"s0": step}, frozen=True)
    return inner


def _refusal(error: Exception) -> Refused:
    """What and where in the words of msgspec; the code says which kind of fault it is."""
    said = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return Refused("not_json", said)
    if "missing required field" in said:
        return Refused("missing_field", said)
    return Refused("out_of_range" if any(word in said for word in _BEYOND) else "wrong_type", said)
