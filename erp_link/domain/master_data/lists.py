"""A product list as a file: CSV, whose header is read as people write headers."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Sequence

from contracts.errors import BadInputError
from erp_link.domain.master_data.products import COLUMNS
from erp_link.domain.master_data.text import tidy

MOST_ROWS = 20_000
MOST_BYTES = 8 * 1024 * 1024
_LONGEST_CELL = 500
_NEAR = 0.75


def read_list(data: bytes, *, name: str) -> list[tuple[int, dict[str, str]]]:
    """(line of the file, column -> what is written there) of each row that says anything, exactly
    as written. Raises BadInputError naming file, line and mend; nothing is kept then.
    """
    if len(data) > MOST_BYTES:
        raise _bad(name, None, "it is larger than 8 MiB", "Split the list")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _bad(
            name, line, "it is not UTF-8", "Save it as CSV UTF-8, not GBK or Windows-1252"
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    columns: list[str] | None = None
    start = 1
    try:
        for row in reader:
            at, start = start, reader.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if columns is None:
                columns = _columns(row, name=name, line=at)
                continue
            rows.append((at, _row(row, columns, name=name, line=at)))
            if len(rows) > MOST_ROWS:
                raise _bad(name, at, f"it has more than {MOST_ROWS} rows", "Split the list")
    except csv.Error as error:
        raise _bad(
            name, start, f"the line cannot be split: {error}", "Close every quote"
        ) from error
    if columns is None or not rows:
        raise _bad(name, None, "it has no rows", "Write one product a line under the header")
    return rows


def _columns(header: Sequence[str], *, name: str, line: int) -> list[str]:
    names = [tidy(cell)[0].casefold().replace(" ", "_") for cell in header]
    if len(names) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise _bad(name, line, "its fields are not separated by commas", "Save it with commas")
    if "gtin" not in names:
        raise _bad(name, line, "the column gtin is missing", f"Known columns: {', '.join(COLUMNS)}")
    for each in names:
        if each in COLUMNS and names.count(each) > 1:
            raise _bad(name, line, f"the column {each} stands there twice", "Keep one of them")
        near = difflib.get_close_matches(each, set(COLUMNS) - set(names), 1, _NEAR)
        if each not in COLUMNS and near:
            raise _bad(
                name,
                line,
                f"the column {each!r} is not known",
                f"Call it {near[0]}, or give it another name if it is something else",
            )
    return names


def _row(row: Sequence[str], columns: Sequence[str], *, name: str, line: int) -> dict[str, str]:
    if len(row) != len(columns):
        raise _bad(
            name,
            line,
            f"it has {len(row)} fields where the header has {len(columns)}",
            "Put quotes around a field that contains a comma",
        )
    if any(len(cell) > _LONGEST_CELL for cell in row):
        raise _bad(name, line, f"a field is longer than {_LONGEST_CELL} characters", "Shorten it")
    return {column: cell for column, cell in zip(columns, row, strict=True) if column in COLUMNS}


def _bad(name: str, line: int | None, what: str, mend: str) -> BadInputError:
    where = name if line is None else f"{name}, line {line}"
    return BadInputError(f"{where}: {what}", mend=mend, file=name, line=line)
