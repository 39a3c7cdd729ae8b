"""Where a value stands in a line, and texts made of such values. Closed: no code runs. Pure.

    path      := name ("." name | "[" number "]" | "[]")*      loads[0].loadId, tasks[].state
    template  := text with {path} in it, {path|path}: the first that is there

A whole name wins over its parts, so that the column "pos.x" of a CSV file is found as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

MOST_CHARACTERS: Final = 500
_MOST_PLACES: Final = 999
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(\d{0,3})\]")
_PLACE: Final = re.compile(r"\{([^{}]*)\}")

Step = str | int | None
"""A name, a number in a list, or None for every element of a list."""


class FieldError(ValueError):
    """A path or a template that is none; says why."""


@dataclass(frozen=True, slots=True)
class Path:
    """`loads[0].loadId`, read once."""

    text: str
    steps: tuple[Step, ...]

    @property
    def lists(self) -> int:
        """How many lists it goes through."""
        return sum(step is None for step in self.steps)


@dataclass(frozen=True, slots=True)
class Template:
    """`acme/{robot}`, read once. Each part is a text, or the paths to look at one after another."""

    text: str
    parts: tuple[str | tuple[Path, ...], ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for part in self.parts if not isinstance(part, str) for path in part)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a line says: the levels of its topic, the element of its list, the line itself."""

    line: object
    levels: Mapping[str, str] = field(default_factory=dict)
    item: object = None

    def find(self, path: Path) -> object:
        """The nearest value of a path; None where there is none."""
        if path.text in self.levels:
            return self.levels[path.text]
        if self.item is not None:
            found = look(self.item, path)
            if found is not None:
                return found
        return look(self.line, path)


def parse_path(text: str) -> Path:
    """Raises FieldError."""
    if not text or len(text) > MOST_CHARACTERS:
        raise FieldError(f"{text[:40]!r} names no field")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (at == 0 and text[0] in ".["):
            raise FieldError(f"{text!r} is no path: write name.name, name[0] or name[]")
        name, number = match.groups()
        steps.append(name if name is not None else int(number) if number else None)
        at = match.end()
    return Path(text, tuple(steps))


def parse_template(text: str) -> Template:
    """Raises FieldError: a bracket without its other, a path that is none, a path through a list."""
    if len(text) > MOST_CHARACTERS:
        raise FieldError(f"{text[:40]!r}... has more than {MOST_CHARACTERS} characters")
    parts: list[str | tuple[Path, ...]] = []
    at = 0
    for match in _PLACE.finditer(text):
        parts += [text[at : match.start()]] if match.start() > at else []
        paths = tuple(parse_path(one.strip()) for one in match[1].split("|"))
        if any(path.lists for path in paths):
            raise FieldError(f"{text!r}: [] means many values; name one, or use `each`")
        parts.append(paths)
        at = match.end()
    parts += [text[at:]] if at < len(text) else []
    if any(sign in part for part in parts if isinstance(part, str) for sign in "{}"):
        raise FieldError(f"{text!r}: a curly bracket without its other one")
    return Template(text, tuple(parts))


def look(value: object, path: Path) -> object:
    """The value at a path without `[]`; None where there is none."""
    if isinstance(value, dict) and value.get(path.text) is not None:
        return value[path.text]
    for step in path.steps:
        value = _step(value, step)
        if value is None:
            return None
    return value


def look_at_all(value: object, path: Path) -> list[tuple[tuple[int, ...], object]]:
    """Every value at a path, each with its place in the lists on the way."""
    if isinstance(value, dict) and value.get(path.text) is not None:
        return [((), value[path.text])]
    found: list[tuple[tuple[int, ...], object]] = [((), value)]
    for step in path.steps:
        if step is None:
            found = [
                ((*indices, index), each)
                for indices, here in found
                if isinstance(here, list)
                for index, each in enumerate(here)
                if each is not None
            ]
        else:
            found = [
                (indices, there)
                for indices, here in found
                if (there := _step(here, step)) is not None
            ]
    return found


def fill(template: Template, scope: Scope) -> str | None:
    """The text; None where a value is not there."""
    out: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            out.append(part)
            continue
        found = next((t for path in part if (t := as_text(scope.find(path)))), "")
        if not found:
            return None
        out.append(found)
    return "".join(out).strip() or None


def as_text(value: object) -> str:
    """A value as a file would write it; empty for what is none, or more than one."""
    match value:
        case str():
            return value.strip()
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004 -- beyond, a float counts no units
            return str(int(value))
        case int() | float():
            return _number(value)
        case _:
            return ""


def put(root: dict[str, object], path: Path, indices: Sequence[int], value: object) -> None:
    """Write a value at a path, making objects and lists on the way; `[]` takes the next of
    `indices`, or 0. What stands in the way and is of another kind gives way.
    """
    left = iter(indices)
    steps = [next(left, 0) if step is None else step for step in path.steps]
    here: dict[str, object] | list[object] = root
    for at, step in enumerate(steps[:-1]):
        wanted = list if isinstance(steps[at + 1], int) else dict
        there = _get(here, step)
        if not isinstance(there, wanted):
            there = wanted()
            _set(here, step, there)
        here = cast("dict[str, object] | list[object]", there)
    _set(here, steps[-1], value)


def _step(value: object, step: Step) -> object:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    if isinstance(step, int) and isinstance(value, list):
        return value[step] if step < len(value) else None
    return None


def _get(here: dict[str, object] | list[object], step: str | int) -> object:
    if isinstance(here, list):
        return here[step] if isinstance(step, int) and step < len(here) else None
    return here.get(str(step))


def _set(here: dict[str, object] | list[object], step: str | int, value: object) -> None:
    if isinstance(here, dict):
        here[str(step)] = value
    elif isinstance(step, int):
        here.extend({} for _ in range(step + 1 - len(here)))
        here[step] = value


def _number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python writes out
        return ""
