"""How little has to travel to turn a file that a box holds into a newer one.

Two ways, of which `make` takes the smaller if it beats sending the file whole:
`patch` is zstd with the old file as prefix dictionary (what `zstd --patch-from` does, RFC 8878):
0.01 to 3 % where only a head or metadata changed. `planes` first takes the integer difference of
tensors that are in both files, zigzag coded and split into byte planes, so that small changes of
all weights become long runs of zeros; the rest goes as in `patch`.

A delta carries no signature: `apply` bounds what it makes, and the hash of the whole file decides.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import msgspec
import numpy as np
from backports import zstd
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError
from ota.agent.tensors import tensors
from ota.registry.ports import Delta

PATCH, PLANES = "patch", "planes"
KINDS = (PLANES, PATCH)
LARGEST_BYTES = 256 << 20
"""Of either file: beyond it both in memory cost a box too much, and the file is sent whole."""
WORTH = 0.9
"""A delta larger than this share of the compressed file is not kept."""
_LEVEL, _LEVEL_OF_LARGE, _LARGE_BYTES = 16, 9, 16 << 20
_LEAST_DICTIONARY = 8
_LEAST_WINDOW, _MOST_WINDOW = 10, 30
_HEAD = struct.Struct(">I")
_MOST_SEGMENTS = 100_000


@dataclass(frozen=True, slots=True)
class _Segment:
    """`length` bytes at `new` are the difference to those at `old`, elements of `width` bytes."""

    new: int
    old: int
    length: int
    width: int


def make(old: bytes, new: bytes) -> Delta | None:
    """The smallest way from `old` to `new`; None where sending `new` whole costs as little."""
    if max(len(old), len(new)) > LARGEST_BYTES or len(old) < _LEAST_DICTIONARY:
        return None
    candidates = [Delta(PATCH, _packed(new, old))]
    if segments := _segments(old, new):
        residue = _differences(old, new, segments)
        head = zstd.compress(msgspec.msgpack.encode(segments), 19)
        packed = _HEAD.pack(len(head)) + head + _packed(residue, old)
        candidates.append(Delta(PLANES, packed))
    best = min(candidates, key=lambda each: len(each.data))
    return best if len(best.data) < WORTH * len(new) else None


def apply(kind: str, old: bytes, data: bytes, *, size: int) -> bytes:
    """The new file of `size` bytes. Raises ArtefactRefusedError for a delta that does not give it:
    the file is then fetched whole.
    """
    try:
        if kind == PATCH:
            return _unpacked(data, old, size)
        if kind == PLANES:
            return _from_planes(data, old, size)
    except (zstd.ZstdError, msgspec.MsgspecError, struct.error, ValueError) as error:
        raise ArtefactRefusedError(f"A delta cannot be undone: {error}") from error
    raise ArtefactRefusedError(f"{kind!r} is no kind of delta", mend=f"Kinds are {KINDS}")


def _packed(data: bytes, old: bytes) -> bytes:
    level = _LEVEL if max(len(data), len(old)) <= _LARGE_BYTES else _LEVEL_OF_LARGE
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: level,
        zstd.CompressionParameter.window_log: _window(len(data) + len(old)),
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    prefix = zstd.ZstdDict(old, is_raw=True).as_prefix
    return zstd.compress(data, options=options, zstd_dict=prefix)


def _unpacked(data: bytes, old: bytes, size: int) -> bytes:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _window(size + len(old))}
    prefix = zstd.ZstdDict(old, is_raw=True).as_prefix
    tool = zstd.ZstdDecompressor(zstd_dict=prefix, options=options)
    # One byte more would show a delta that makes too much, without making it.
    made = tool.decompress(data, max_length=size + 1)
    if len(made) != size or not tool.eof or tool.unused_data:
        raise ArtefactRefusedError(f"A delta does not make the {size} bytes that it must")
    return made


def _window(size: int) -> int:
    return min(max(_LEAST_WINDOW, size.bit_length()), _MOST_WINDOW)


def _segments(old: bytes, new: bytes) -> list[_Segment]:
    had = {(each.name, each.length, each.width): each.offset for each in tensors(old)}
    return [
        _Segment(each.offset, had[key], each.length, each.width)
        for each in tensors(new)
        if (key := (each.name, each.length, each.width)) in had
    ]


def _differences(old: bytes, new: bytes, segments: list[_Segment]) -> bytes:
    residue = bytearray(new)
    for each in segments:
        was, now = _numbers(old, each.old, each), _numbers(new, each.new, each)
        step = (now - was).view(f"<i{each.width}")
        zigzag = ((step << 1) ^ (step >> (8 * each.width - 1))).view(np.uint8)
        residue[each.new : each.new + each.length] = zigzag.reshape(-1, each.width).T.tobytes()
    return bytes(residue)


def _from_planes(data: bytes, old: bytes, size: int) -> bytes:
    (length,) = _HEAD.unpack_from(data)
    start = _HEAD.size
    most = 40 * _MOST_SEGMENTS
    head = zstd.ZstdDecompressor().decompress(data[start : start + length], max_length=most)
    segments = msgspec.msgpack.decode(head, type=list[_Segment])
    _check(segments, len(old), size)
    made = bytearray(_unpacked(data[start + length :], old, size))
    for each in segments:
        planes = np.frombuffer(made, np.uint8, each.length, each.new)
        zigzag = planes.reshape(each.width, -1).T.copy().view(f"<u{each.width}").ravel()
        one = zigzag.dtype.type(1)
        step = (zigzag >> one) ^ (~(zigzag & one) + one)
        now = (_numbers(old, each.old, each) + step).astype(f"<u{each.width}").tobytes()
        made[each.new : each.new + each.length] = now
    return bytes(made)


def _check(segments: list[_Segment], old: int, new: int) -> None:
    """Raises ArtefactRefusedError for differences outside the files, or one over another."""
    end = 0
    for each in sorted(segments, key=lambda segment: segment.new):
        inside = each.new >= end and each.new + each.length <= new
        inside = inside and each.old >= 0 and each.old + each.length <= old
        if not inside or each.width not in {1, 2, 4, 8} or each.length <= 0:
            raise ArtefactRefusedError("A delta speaks of bytes outside its files")
        if each.length % each.width:
            raise ArtefactRefusedError("A delta cuts an element in two")
        end = each.new + each.length


def _numbers(data: bytes, offset: int, segment: _Segment) -> NDArray[np.unsignedinteger]:
    count = segment.length // segment.width
    return np.frombuffer(data, f"<u{segment.width}", count, offset)
