"""The syntax tree of a CEL expression, from the bytes in which the library hands it out.

`Expression.serialize` gives a protobuf Any around cel.expr.ParsedExpr or CheckedExpr (the CEL
specification's syntax.proto and checked.proto); of these only what a fence may use is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_CHECKED = b"CheckedExpr"
_ID = 2
_NUMBERS = {3: "int", 4: "int", 5: "double"}


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` is number, int, name, call or other; `at` counts characters from the beginning."""

    kind: str
    at: int
    word: str = ""
    """The name, or the function that is called."""
    inner: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        yield self
        for each in self.inner:
            yield from each.walk()


def read_tree(serialized: bytes) -> Node:
    """The tree. Raises ValueError for bytes of another shape."""
    around = dict(_fields(serialized))
    name, message = _raw(around[1]), _raw(around[2])
    expression, source = (4, 5) if name.endswith(_CHECKED) else (2, 3)
    parts = dict(_fields(message))
    return _node(_raw(parts[expression]), _positions(_raw(parts[source])))


def _node(data: bytes, positions: dict[int, int]) -> Node:
    number, kind, body = 0, 0, b""
    for field, value in _fields(data):
        if field == _ID:
            number = int(value) if isinstance(value, int) else 0
        else:
            kind, body = field, _raw(value)
    at = positions.get(number, 0)
    match kind:
        case 3:
            constant = next((field for field, _ in _fields(body)), 0)
            return Node(_NUMBERS.get(constant, "other"), at)
        case 4:
            return Node("name", at, _text(body, 1))
        case 6:
            inner = [_node(_raw(v), positions) for f, v in _fields(body) if f in {1, 3}]
            return Node("call", at, _text(body, 2), tuple(inner))
        case _:
            return Node("other", at)


def _text(body: bytes, wanted: int) -> str:
    return next((_raw(value).decode() for field, value in _fields(body) if field == wanted), "")


def _positions(source: bytes) -> dict[int, int]:
    found = {}
    for field, value in _fields(source):
        if field == 4:  # noqa: PLR2004 -- SourceInfo.positions
            entry = dict(_fields(_raw(value)))
            found[int(entry.get(1, 0))] = int(entry.get(2, 0))
    return found


def _raw(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a message was expected")  # noqa: TRY004 -- it is the bytes that are wrong
    return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 1:
                yield tag >> 3, data[at : at + 8]
                at += 8
            case 2:
                size, at = _varint(data, at)
                yield tag >> 3, data[at : at + size]
                at += size
            case 5:
                yield tag >> 3, data[at : at + 4]
                at += 4
            case other:
                raise ValueError(f"unknown wire type {other}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 -- the last byte of a varint
            return value, at
        shift += 7
