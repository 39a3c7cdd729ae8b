"""Tables as CSV that a spreadsheet opens without taking a name for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from starlette.responses import Response

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-\d+(\.\d+)?")
"""Degrees below zero are no formula."""
_MARK = "\ufeff"
"""Without it the common spreadsheet reads Chinese names as another alphabet."""


def csv_answer(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A file to be kept: UTF-8, RFC 4180, header first."""
    return Response(
        csv_text(columns, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The file's text, with the mark that spreadsheets know UTF-8 by."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_plain(value) for value in row] for row in rows)
    return _MARK + text.getvalue()


def _plain(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
