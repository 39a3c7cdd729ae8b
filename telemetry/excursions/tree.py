"""The text that Fridge-tag loggers write: indented names with values, several pairs on one line.

Nothing is guessed: a line that does not fit is refused with its number, so that a file that was cut
or edited is not read as a good one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from contracts.errors import BadInputError

_MOST_LINES = 100_000
_DEEPEST = 8


class BadExportError(BadInputError):
    """A logger's file that cannot be used; data has `line` where one line is at fault."""

    code = "bad_export"


@dataclass(slots=True)
class Node:
    """A name, what stands beside it, and what is indented below it."""

    name: str
    value: str
    line: int
    below: list[Node] = field(default_factory=list)

    def one(self, name: str) -> Node:
        """The only part of that name. Raises BadExportError."""
        found = [part for part in self.below if part.name == name]
        if len(found) != 1:
            what = "is missing" if not found else f"stands there {len(found)} times"
            at = self.line if not found else found[1].line
            raise refused(at, f"{name!r} {what}{f' in {self.name!r}' if self.name else ''}")
        return found[0]

    def maybe(self, name: str) -> Node | None:
        """As `one`, None where it is not there."""
        return self.one(name) if any(part.name == name for part in self.below) else None

    def numbered(self) -> Iterator[tuple[int, Node]]:
        """The parts whose names are numbers, in their order in the file."""
        for part in self.below:
            if part.name.isdecimal():
                yield int(part.name), part


def refused(line: int, what: str) -> BadExportError:
    """The error for a line that does not fit."""
    return BadExportError(
        f"Line {line}: {what}", mend="Export the file from the logger again", line=line
    )


def read_tree(text: str) -> Node:
    """The whole file as one node. Raises BadExportError with the line's number."""
    lines = text.split("\n")
    if len(lines) > _MOST_LINES:
        raise refused(_MOST_LINES + 1, "the file is longer than any logger's")
    root = Node("", "", 1)
    open_nodes: list[tuple[int, Node]] = [(-1, root)]
    for number, raw in enumerate(lines, start=1):
        line = raw.removesuffix("\r")
        if not line.strip():
            continue
        if not line.isprintable():
            raise refused(number, "there are characters that no logger writes")
        depth = len(line) - len(line.lstrip(" "))
        while open_nodes[-1][0] >= depth:
            open_nodes.pop()
        parent = open_nodes[-1][1]
        if depth > len(open_nodes) or depth > _DEEPEST:
            raise refused(number, "it is indented deeper than what it belongs to")
        parts = _pairs(line.strip(), number)
        parent.below += parts
        open_nodes.append((depth, parts[-1]))
    return root


def _pairs(line: str, number: int) -> list[Node]:
    """`name: value`, or several divided by commas; a value may hold commas where no name follows."""
    found: list[Node] = []
    for piece in line.split(", "):
        name, colon, value = piece.partition(":")
        if not colon or not name.strip():
            if not found:
                raise refused(number, f"{line[:60]!r} is no name with a value")
            found[-1].value += f", {piece}"
            continue
        found.append(Node(name.strip(), value.strip(), number))
    return found
