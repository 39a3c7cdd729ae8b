"""Many JSON payloads in one call.

A reader of lines takes what stands in the buffer, however the values are parted: two halves that
make one value, and one payload of two, would shift all others without a word. So payloads are joined
only where each begins with `{` and ends with `}`. Between `}` and the next `{` stands nothing but the
new line: inside an object or a list that is a mistake, inside a string too. Each payload is then one
value or more, and with as many values as payloads each is exactly one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np

T = TypeVar("T")
_OPEN: Final = ord("{")
_SHUT: Final = ord("}")


def lines_of(read_lines: Callable[[bytes], list[T]]) -> Callable[[Sequence[bytes]], list[T]]:
    """Read payloads together with `read_lines`, as `msgspec.json.Decoder(...).decode_lines` does.

    What it gives raises ValueError where some payload is not one object, or cannot be told from its
    neighbours; and what `read_lines` raises.
    """

    def lines(payloads: Sequence[bytes]) -> list[T]:
        text = b"\n".join(payloads)
        raw = np.frombuffer(text, np.uint8)
        lengths = np.fromiter(map(len, payloads), np.intp, len(payloads))
        parted = np.cumsum(lengths[:-1] + 1) - 1
        if not (
            text
            and raw[0] == _OPEN
            and raw[-1] == _SHUT
            and (raw[parted - 1] == _SHUT).all()
            and (raw[parted + 1] == _OPEN).all()
        ):
            raise ValueError("a payload is not written as one object")
        read = read_lines(text)
        if len(read) != len(payloads):
            raise ValueError(f"{len(payloads)} payloads hold {len(read)} values")
        return read

    return lines
