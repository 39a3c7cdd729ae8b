"""The CSV that a file drop holds: one line for each line of a move, or for an event without one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

# A spreadsheet takes a cell that begins so for a formula; the sign before it keeps it text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class DropLine:
    """`quantity` is in base units, less than nothing where goods were taken away; empty without a
    move. `event` and `line` together are never given twice to two things.
    """

    event: int
    line: int
    at: str
    what: str
    by: str
    supplier: str
    gtin: str
    lot: str
    location: str
    status: str
    quantity: int | str
    reference: str
    reason: str


def written(lines: Iterable[DropLine]) -> bytes:
    """UTF-8 with a header, comma-separated, CRLF (RFC 4180). Texts that a spreadsheet would take
    for a formula stand behind an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(field.name for field in fields(DropLine))
    for line in lines:
        writer.writerow(_safe(value) for value in astuple(line))
    return out.getvalue().encode()


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
