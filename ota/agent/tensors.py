"""Where an ONNX file keeps its tensors' raw bytes, read from the protobuf wire format alone.

Fields of onnx.proto3: ModelProto.graph is 7, GraphProto.initializer 5, TensorProto.data_type 2,
name 8, raw_data 9. The protobuf encoding: a varint tag (field << 3 | type), type 2 has a length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_GRAPH, _INITIALIZER = 7, 5
_WIDTH = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}
"""Bytes of an element by TensorProto.DataType."""
_LONGEST_VARINT = 10


@dataclass(frozen=True, slots=True)
class Tensor:
    """`length` bytes from `offset` of the file, elements of `width` bytes, little-endian."""

    name: bytes
    offset: int
    length: int
    width: int


class _NotProtobufError(Exception):
    pass


def tensors(data: bytes) -> list[Tensor]:
    """The raw tensors of an ONNX file in their order; none where it is no such file."""
    found: list[Tensor] = []
    try:
        for graph, start, end in _fields(data, 0, len(data)):
            if graph != _GRAPH:
                continue
            for field, first, last in _fields(data, start, end):
                if field == _INITIALIZER and (tensor := _tensor(data, first, last)):
                    found.append(tensor)
    except _NotProtobufError:
        return []
    return found


def _tensor(data: bytes, start: int, end: int) -> Tensor | None:
    name, width, raw = b"", 0, (0, 0)
    for field, first, last in _fields(data, start, end):
        match field:
            case 2:
                width = _WIDTH.get(_varint(data, first, last)[0], 0)
            case 8:
                name = data[first:last]
            case 9:
                raw = (first, last - first)
            case _:
                pass
    offset, length = raw
    return Tensor(name, offset, length, width) if width and length and not length % width else None


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Field number, and where its content begins and ends. Raises _NotProtobufError."""
    while at < end:
        tag, at = _varint(data, at, end)
        match tag & 7:
            case 0:
                start, (_, at) = at, _varint(data, at, end)
            case 1:
                start, at = at, at + 8
            case 2:
                length, start = _varint(data, at, end)
                at = start + length
            case 5:
                start, at = at, at + 4
            case _:
                raise _NotProtobufError
        if at > end:
            raise _NotProtobufError
        yield tag >> 3, start, at


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at >= end:
            raise _NotProtobufError
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004 -- the last byte of a varint
            return value, at
    raise _NotProtobufError
