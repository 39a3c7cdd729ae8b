"""The lines of a file, one after another, in bounded memory; none is lost without a reason.

Plain or gzip, told by the first bytes. Empty lines are no lines. What cannot be read on (a file cut
in its middle) is one last line with its reason.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from contracts.errors import BadInputError
from contracts.reason import Reason

MOST_BYTES: Final = 16 * 2**20
"""The longest line that is taken: no message of a fleet comes near it."""
_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class RawLine:
    """One line without its end. `number` counts from 1, empty lines included."""

    number: int
    data: bytes
    problem: Reason | None = None


def read_lines(path: Path) -> Iterator[RawLine]:
    """Every line that is not empty. Raises BadInputError where the file cannot be opened."""
    if path.exists() and not path.is_file():
        raise BadInputError(
            f"{path} is no file", mend="Keep it in a file: it is read twice", file=str(path)
        )
    try:
        with path.open("rb") as start:
            packed = start.read(2) == _GZIP
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read: {error.strerror}", mend="Check the path", file=str(path)
        ) from error
    with gzip.open(path) if packed else path.open("rb") as opened:
        yield from _lines(cast("IO[bytes]", opened))


def _lines(opened: IO[bytes]) -> Iterator[RawLine]:
    number = 0
    while True:
        number += 1
        try:
            data = opened.readline(MOST_BYTES + 1)
            if not data:
                return
            too_long = len(data) > MOST_BYTES and not data.endswith(b"\n")
            if too_long:
                _skip_line(opened)
        except (OSError, EOFError, zlib.error) as error:
            yield RawLine(number, b"", Reason("agv_file_torn", {"why": str(error)[:200]}))
            return
        if too_long:
            yield RawLine(number, b"", Reason("agv_line_too_long", {"most": MOST_BYTES}))
            continue
        data = data.removeprefix(_BOM) if number == 1 else data
        if data.strip():
            yield RawLine(number, data.rstrip(b"\r\n"))


def _skip_line(opened: IO[bytes]) -> None:
    while (part := opened.readline(MOST_BYTES)) and not part.endswith(b"\n"):
        pass
