"""How a part of a message lies on the wire in one edition: compiled once from its annotations.

Reading goes in two steps, because a vehicle a second, a thousand of them, share one core. `fit`
gives a decoded object our field names, drops nulls and puts aside what we have no field for;
msgspec's converter, in C, then checks every type and builds the parts.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from msgspec.structs import fields

from agv_bridge.vda5050.naming import Edition, Form, Named
from agv_bridge.vda5050.parts import Part

MAX_DEPTH = 32
"""Levels of a vendor's own values that we keep; the standard itself needs fewer than ten."""

_PLAIN = Named()
_Step = Callable[[Any], Any]


class UnfitError(Exception):
    """One value that cannot be read: its wire name, and what was wanted."""

    def __init__(self, name: str, wanted: str, got: object) -> None:
        super().__init__(name, wanted)
        self.name = name
        self.wanted = wanted
        self.got = got


class Shape:
    """One part in one edition; `lenient` also takes whole numbers written as `2.0`."""

    def __init__(self, kind: type[Part], edition: Edition, *, lenient: bool) -> None:
        self.names: dict[str, str] = {}
        """Our names -> wire names; those that the edition lacks go by another edition's."""
        self.children: dict[str, Shape] = {}
        self._own: dict[str, tuple[str, _Step | None]] = {}
        self._others: dict[str, tuple[str, _Step | None]] = {}
        self._lacking: set[str] = set()
        self._outline: list[tuple[str, str, _Step | None]] = []
        hints = get_type_hints(kind, include_extras=True)
        for each in fields(kind):
            if each.name != "extra":
                self._add(each.name, hints[each.name], edition, lenient=lenient)

    def _add(self, attribute: str, hint: Any, edition: Edition, *, lenient: bool) -> None:
        hint, named, form = _taken_apart(hint)
        bare, many = _without_none_and_tuple(hint)
        child = _made(cast("Any", bare), edition, lenient=lenient) if _is_part(bare) else None
        names = named.names(attribute)
        own = names[edition]
        others = {name for name in names.values() if name and name != own}
        shown = own or next(iter(sorted(others)))
        self.names[attribute] = shown
        if child is not None:
            self.children[attribute] = child
        reading = _reading(shown, bare, child, form, many=many, lenient=lenient)
        if own is not None:
            self._own[own] = (attribute, reading)
            writing = _writing(bare, child, None if _is_3(edition) else form, many=many)
            self._outline.append((attribute, own, writing))
        else:
            self._lacking |= others
        for other in others:
            self._others[other] = (attribute, reading)

    def fit(self, value: Any) -> Any:
        """A decoded object under our names. Anything else comes back as it is, to be refused."""
        if type(value) is not dict:
            return value
        own = self._own
        out: dict[str, object] = {}
        extra: dict[str, object] | None = None
        for name, item in value.items():
            if item is None:
                continue
            slot = own.get(name)
            if slot is None:
                if not self._fit_other(name, item, value, out):
                    extra = {} if extra is None else extra
                    extra[name] = checked_depth(name, item)
                continue
            attribute, step = slot
            out[attribute] = item if step is None else step(item)
        if extra is not None:
            out["extra"] = extra
        return out

    def _fit_other(
        self, name: str, item: object, value: Mapping[str, object], out: dict[str, object]
    ) -> bool:
        """Another edition's name, where the own one is missing. True: nothing of it is left over.

        What this edition lacks is read and kept as well, since we would not write it.
        """
        slot = self._others.get(name)
        if slot is None:
            return False
        attribute, step = slot
        lacking = name in self._lacking
        if attribute in out or (not lacking and value.get(self.names[attribute]) is not None):
            return False
        out[attribute] = item if step is None else step(item)
        return not lacking

    def lay_out(self, part: Part) -> dict[str, object]:
        """The object to send. None, and what the edition lacks, is left out."""
        out: dict[str, object] = {}
        for attribute, name, step in self._outline:
            value = getattr(part, attribute)
            if value is not None:
                out[name] = value if step is None else step(value)
        for name, item in part.extra.items():
            out.setdefault(name, item)
        return out


def shape_of(kind: type[Part], edition: Edition, *, lenient: bool = False) -> Shape:
    """The shape of a class of parts; made once, kept for good."""
    return _made(cast("Any", kind), edition, lenient=lenient)


@cache
def _made(kind: Any, edition: Edition, *, lenient: bool) -> Shape:
    return Shape(kind, edition, lenient=lenient)


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Part)


def _is_3(edition: Edition) -> bool:
    return edition is Edition.V3_0


def _taken_apart(hint: Any) -> tuple[Any, Named, Form | None]:
    if get_origin(hint) is not Annotated:
        return hint, _PLAIN, None
    kind, *notes = get_args(hint)
    named = next((note for note in notes if isinstance(note, Named)), _PLAIN)
    return kind, named, next((note for note in notes if isinstance(note, Form)), None)


def _without_none_and_tuple(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in {Union, types.UnionType}:
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        if len(kinds) > 1:
            return hint, False
        hint = kinds[0]
    if get_origin(hint) is tuple:
        return get_args(hint)[0], True
    return hint, False


def _reading(
    name: str, kind: Any, child: Shape | None, form: Form | None, *, many: bool, lenient: bool
) -> _Step | None:
    step: _Step | None = None
    if child is not None:
        step = child.fit
    elif kind is datetime:
        step = _time_reader(name)
    elif kind is int and lenient:
        step = _whole
    elif kind is object or get_origin(kind) is dict:
        step = _depth_checker(name)
    if many and step is not None:
        step = _each(step)
    return step if form is None else _then(form.read, step)


def _writing(kind: Any, child: Shape | None, form: Form | None, *, many: bool) -> _Step | None:
    step: _Step | None = None
    if child is not None:
        step = child.lay_out
    elif kind is datetime:
        step = time_text
    if many:
        step = list if step is None else _each(step)
    if form is None:
        return step
    return form.write if step is None else _then(step, form.write)


def _then(first: _Step, second: _Step | None) -> _Step:
    return first if second is None else lambda value: second(first(value))


def _each(step: _Step) -> _Step:
    """Takes lists and tuples apart; anything else goes on as it is, to be refused."""

    def each(value: Any) -> Any:
        return [step(item) for item in value] if isinstance(value, list | tuple) else value

    return each


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _time_reader(name: str) -> _Step:
    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            at = datetime.fromisoformat(value)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            wanted = "an ISO 8601 time of the years 1 to 9999 in UTC"
            raise UnfitError(name, wanted, value) from error

    return read


def time_text(at: datetime) -> str:
    """UTC to the millisecond, as 3.0 asks for and 2.x allows."""
    stamp = at.astimezone(UTC)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z"


def _depth_checker(name: str) -> _Step:
    return lambda value: checked_depth(name, value)


def checked_depth(name: str, value: object) -> object:
    """The value itself, unless its lists and objects lie deeper than MAX_DEPTH (UnfitError)."""
    if not isinstance(value, dict | list):
        return value
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return value
    raise UnfitError(name, f"at most {MAX_DEPTH} levels of lists and objects", value)
