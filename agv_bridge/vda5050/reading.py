"""Decoded JSON -> what msgspec's converter takes: our names in camel case, the rest in `extra`.

Twice. A `QuickFit` looks whether an object has nothing but what its edition knows, puts aside a
vendor's fields and renames in place the few that need it: a thousand vehicles a second share one
core. A `PatientFit` takes whatever else real fleets send: nulls, another edition's names, `2.0` for
a whole number. Where the quick one does not give up, both give the same; types are checked by the
converter in either case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast, get_origin

from agv_bridge.vda5050.messages.parts import Part
from agv_bridge.vda5050.naming import Edition
from agv_bridge.vda5050.shapes import Slot, slots_of

MAX_DEPTH = 32
"""Levels of a vendor's own values that we keep; the standard itself needs fewer than ten."""

_Step = Callable[[Any], Any]


class UnfitError(Exception):
    """One value that cannot be read: its wire name, and what was wanted."""

    def __init__(self, name: str, wanted: str, got: object) -> None:
        super().__init__(name, wanted)
        self.name = name
        self.wanted = wanted
        self.got = got


class GiveUpError(Exception):
    """The quick way does not lead there."""


class PatientFit:
    """One part in one edition, whatever was sent. Leaves what it is given as it is."""

    def __init__(self, kind: type[Part], edition: Edition) -> None:
        self._own: dict[str, tuple[str, _Step | None]] = {}
        self._others: dict[str, tuple[Slot, _Step | None]] = {}
        for slot in slots_of(kind, edition):
            child = patient_fit(slot.child, edition).fit if slot.child else None
            step = _step(slot, child or _patient_scalar(slot))
            if slot.own is not None:
                self._own[slot.own] = (slot.camel, step)
            for other in slot.others:
                self._others[other] = (slot, step)

    def fit(self, value: Any) -> Any:
        """An object under our names. Anything else comes back as it is, to be refused.

        Raises UnfitError.
        """
        if not isinstance(value, dict):
            return value
        out: dict[str, object] = {}
        extra: dict[str, object] = {}
        for name, item in value.items():
            if item is None:
                continue
            known = self._own.get(name)
            if known is not None:
                ours, step = known
                out[ours] = item if step is None else step(item)
            elif not self._fit_other(name, item, value, out):
                extra[name] = checked_depth(name, item)
        if extra:
            out["extra"] = extra
        return out

    def _fit_other(
        self, name: str, item: object, value: Mapping[str, object], out: dict[str, object]
    ) -> bool:
        """Another edition's name, where the own one is missing. True: nothing of it is left over.

        What this edition lacks is read and kept as well, since we would not write it.
        """
        known = self._others.get(name)
        if known is None:
            return False
        slot, step = known
        if slot.camel in out or (slot.own is not None and value.get(slot.own) is not None):
            return False
        out[slot.camel] = item if step is None else step(item)
        return slot.own is not None


class QuickFit:
    """One part in one edition, as its schema has it and with a vendor's fields. Changes its input."""

    def __init__(self, kind: type[Part], edition: Edition) -> None:
        every = slots_of(kind, edition)
        slots = [slot for slot in every if slot.own is not None]
        self._elsewhere = frozenset(name for slot in every for name in slot.others)
        self._known = frozenset(slot.own for slot in slots)
        self._renamed = tuple((slot.own, slot.camel) for slot in slots if slot.own != slot.camel)
        steps = [(slot, self._step(slot, edition)) for slot in slots]
        self._steps = tuple((slot.camel, step) for slot, step in steps if step is not None)

    def _step(self, slot: Slot, edition: Edition) -> _Step | None:
        if slot.child is None:
            return _step(slot, _scalar(slot))
        child = quick_fit(slot.child, edition)
        if child.is_leaf and slot.form is None:
            return child.known_in_all if slot.is_many else child.known_in
        return _step(slot, child.fit)

    @property
    def is_leaf(self) -> bool:
        """Whether there is nothing to do but to look."""
        return not (self._steps or self._renamed)

    def known_in(self, value: Any) -> Any:
        if type(value) is not dict:
            raise GiveUpError
        if not self._known.issuperset(value):
            self._put_aside(value)
        return value

    def known_in_all(self, values: Any) -> Any:
        if type(values) is not list:
            raise GiveUpError
        for value in values:
            self.known_in(value)
        return values

    def fit(self, value: Any) -> Any:
        """The same object under our names. Raises GiveUpError, and UnfitError."""
        self.known_in(value)
        for own, ours in self._renamed:
            if own in value:
                value[ours] = value.pop(own)
        for ours, step in self._steps:
            item = value.get(ours)
            if item is not None:
                value[ours] = step(item)
        return value

    def _put_aside(self, value: dict[str, object]) -> None:
        """A vendor's own fields; another edition's names need patience."""
        unknown = [name for name in value if name not in self._known]
        if not self._elsewhere.isdisjoint(unknown):
            raise GiveUpError
        aside = {name: checked_depth(name, value.pop(name)) for name in unknown}
        extra = {name: item for name, item in aside.items() if item is not None}
        if extra:
            value["extra"] = extra


def patient_fit(kind: type[Part], edition: Edition) -> PatientFit:
    return _patient(cast("Any", kind), edition)


def quick_fit(kind: type[Part], edition: Edition) -> QuickFit:
    return _quick(cast("Any", kind), edition)


@cache
def _patient(kind: Any, edition: Edition) -> PatientFit:
    return PatientFit(kind, edition)


@cache
def _quick(kind: Any, edition: Edition) -> QuickFit:
    return QuickFit(kind, edition)


def _step(slot: Slot, step: _Step | None) -> _Step | None:
    if slot.is_many and step is not None:
        step = _each(step)
    if slot.form is None:
        return step
    return slot.form.read if step is None else _then(slot.form.read, step)


def _then(first: _Step, second: _Step) -> _Step:
    return lambda value: second(first(value))


def _each(step: _Step) -> _Step:
    """Takes lists apart; anything else goes on as it is, to be refused."""
    return lambda value: [step(item) for item in value] if isinstance(value, list) else value


def _scalar(slot: Slot) -> _Step | None:
    name = slot.own or slot.camel
    if slot.kind is datetime:
        return lambda value: _utc(name, value)
    if slot.kind is object or get_origin(slot.kind) is dict:
        return lambda value: checked_depth(name, value)
    return None


def _patient_scalar(slot: Slot) -> _Step | None:
    return _whole if slot.kind is int else _scalar(slot)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _utc(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        wanted = "an ISO 8601 time of the years 1 to 9999 in UTC"
        raise UnfitError(name, wanted, value) from error


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
