"""JSON paths `a.b[0]."odd name"`, and the types msgspec reads them into.

Only what is asked for is kept of a message: a tree of structs is made with one field for each
named step, so that decoding and checking is one pass in C.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import msgspec

from telemetry.describing.arithmetic import FormulaError
from telemetry.describing.binding import Refused

Step = str | int
_STEP: Final = re.compile(r'(?:^|\.)(?:"([^"]+)"|([^."\[\]]+))|\[(\d{1,4})\]')

NUMBER: Final = "number"
WORD: Final = "word"
"""A number, a string or a truth value: looked at by what reads it."""
TEXT: Final = "text"
COUNT: Final = "count"
"""A whole number of at most 64 bits."""
MOMENT: Final = "moment"
"""ISO 8601 with a zone."""


def steps(path: str, what: str) -> tuple[Step, ...]:
    """The steps of a path. Raises FormulaError with `what`."""
    found: list[Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or match.end() == at:
            raise FormulaError(
                f'{what}: path {path!r} is none; write temperature, a.b[0] or "odd.name"'
            )
        quoted, plain, index = match.groups()
        found.append(int(index) if index else quoted or plain)
        at = match.end()
    if not found or isinstance(found[0], int):
        raise FormulaError(f"{what}: path {path!r} begins with no name")
    return tuple(found)


@dataclass(slots=True)
class Leaf:
    """What stands at the end of a path."""

    sort: str
    optional: bool
    range: tuple[float, float] | None = None


@dataclass(slots=True)
class Node:
    """A step on the way, with what is asked for below it."""

    below: dict[str, Node] = field(default_factory=dict)
    leaf: Leaf | None = None
    rest: bool = False
    """A list begins here: it is read as it comes and walked by `walk`."""

    def ask(self, path: Sequence[Step], leaf: Leaf) -> None:
        """Note that a path is read. The same path asked for twice is read as the wider sort."""
        node = self
        for step in path:
            if isinstance(step, int):
                node.rest = True
                return
            node = node.below.setdefault(step, Node())
        old = node.leaf
        if old is None:
            node.leaf = leaf
        else:
            same = old.sort == leaf.sort
            limits = old.range if same and old.range == leaf.range else None
            node.leaf = Leaf(old.sort if same else WORD, old.optional and leaf.optional, limits)

    @property
    def optional(self) -> bool:
        if self.rest:
            return False
        if self.leaf is not None:
            return self.leaf.optional
        return all(node.optional for node in self.below.values())

    def as_type(self) -> Any:
        """The msgspec type of this node."""
        if self.rest:
            return list[Any]
        if self.leaf is not None:
            if self.below:
                return Any
            return _leaf_type(self.leaf)
        return self.struct()

    def struct(self) -> type[msgspec.Struct]:
        """A struct with one field `s0`, `s1`... for each step below."""
        fields: list[Any] = []
        for number, node in enumerate(self.below.values()):
            if node.optional:
                fields.append((f"s{number}", node.as_type() | None, None))
            else:
                fields.append((f"s{number}", node.as_type()))
        names = {f"s{number}": name for number, name in enumerate(self.below)}
        return msgspec.defstruct("Payload", fields, rename=names, kw_only=True, gc=False)

    def field_of(self, step: str) -> str:
        return f"s{list(self.below).index(step)}"

    def python(self, root: str, path: Sequence[Step]) -> str:
        """Python that reaches the value of a path from the struct `root`; None where it is absent."""
        node, reached = self, root
        guards: list[str] = []
        for place, step in enumerate(path):
            if isinstance(step, int):
                reached = f"walk({reached}, {tuple(path[place:])!r})"
                break
            reached = f"{reached}.{node.field_of(step)}"
            node = node.below[step]
            if node.optional and node.leaf is None and place < len(path) - 1:
                guards.append(f"{reached} is not None")
        return f"({reached} if {' and '.join(guards)} else None)" if guards else reached


def _leaf_type(leaf: Leaf) -> Any:
    match leaf.sort:
        case "number":
            if leaf.range is None:
                return float
            return Annotated[float, msgspec.Meta(ge=leaf.range[0], le=leaf.range[1])]
        case "count":
            low, high = leaf.range or (-(2**63), 2**63 - 1)
            return Annotated[int, msgspec.Meta(ge=int(low), le=int(high))]
        case "text":
            return str | int
        case "moment":
            return str
        case _:
            return str | float | bool


def walk(value: object, path: Sequence[Step]) -> Any:
    """What stands at the end of a path through lists; None where there is nothing."""
    for step in path:
        match value, step:
            case list(), int() if step < len(value):
                value = value[step]
            case dict(), str():
                value = value.get(step)
            case _:
                return None
    return value


def number(value: object, word: str) -> float:
    """A number that msgspec did not look at. Raises Refused: missing_field, wrong_type."""
    if value is None:
        raise Refused("missing_field", word)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused("wrong_type", f"{word} is {value!r}, not a number")
    return float(value)
