"""Which bytes a Range header asks for (RFC 9110, section 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class UnsatisfiableError(Exception):
    """The range begins behind the end: 416."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bytes `start` to `end` (exclusive) of `size`; `whole` where everything was asked for."""

    start: int
    end: int
    size: int
    whole: bool

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


def wanted(header: str | None, size: int) -> Wanted:
    """What to send of `size` bytes. What is no single range of bytes is ignored, as the RFC allows.
    Raises UnsatisfiableError.
    """
    everything = Wanted(0, size, size, whole=True)
    match = _ONE.fullmatch((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return everything
    if not match[1]:
        start, end = max(size - int(match[2]), 0), size
    else:
        start = int(match[1])
        end = min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < start:
            return everything
    if start >= size or start >= end:
        raise UnsatisfiableError
    return Wanted(start, end, size, whole=False)
