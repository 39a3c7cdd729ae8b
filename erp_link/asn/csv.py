"""An announced list as CSV: header `gtin,batch,expiry`, optional columns beside it.

Nothing is mended silently: a list that is wrong anywhere is refused whole, and every wrong line
is named with what to do about it.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import PurePath

from contracts.asn import Asn, AsnLine
from contracts.errors import BadInputError
from contracts.gs1 import is_lot, normalise_gtin
from contracts.stock import BatchKey
from erp_link.asn.findings import Finding, bad_asn

REQUIRED = ("gtin", "batch", "expiry")
OPTIONAL = ("sku", "description", "quantity", "unit", "supplier", "order")
MAX_QUANTITY = 1_000_000_000
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_QUANTITY = re.compile(r"\d{1,10}", re.ASCII)
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def parse_csv(text: str, *, name: str) -> Asn:
    """The announced lines of a CSV list; the list's number is the file's name without its ending.

    Lines end in LF or CRLF, fields are separated by commas and may be quoted (RFC 4180). Columns
    that we do not know are left alone, unless their name looks like a mistyped one of ours.

    Raises BadAsnError naming the file, the line and the mend; nothing of the list is returned.
    """
    rows = _rows(text.removeprefix("\ufeff"), name=name)
    columns = _columns(rows[0][1], rows[0][0], name=name)
    findings: list[Finding] = []
    lines: list[AsnLine] = []
    seen: dict[BatchKey, int] = {}
    for at, row in rows[1:]:
        if len(row) != len(rows[0][1]):
            findings.append(
                Finding(
                    at,
                    f"{len(row)} fields where the header has {len(rows[0][1])}",
                    "Put quotes around a field that contains a comma, and give every line all fields",
                )
            )
            continue
        wrong, line = _line({c: row[i].strip() for c, i in columns.items()}, at)
        findings.extend(wrong)
        if line is None:
            continue
        if line.key in seen:
            findings.append(
                Finding(
                    at,
                    f"batch {line.batch} of {line.gtin} stands already in line {seen[line.key]}",
                    "Write each batch once, with the whole quantity",
                )
            )
            continue
        seen[line.key] = at
        lines.append(line)
    if findings:
        raise bad_asn(name, findings)
    numbered = tuple(replace(line, number=i) for i, line in enumerate(lines, start=1))
    if not numbered:
        raise bad_asn(
            name, [Finding(None, "it has a header and no lines", "Add the announced lines")]
        )
    suppliers = {line.supplier for line in numbered}
    return Asn(
        number=PurePath(name).stem or name,
        supplier=suppliers.pop() if len(suppliers) == 1 else "",
        lines=numbered,
    )


def _rows(text: str, *, name: str) -> list[tuple[int, list[str]]]:
    if "\0" in text:
        raise bad_asn(
            name, [Finding(None, "it contains zero bytes", "Save the list as CSV in UTF-8")]
        )
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for row in reader:
            if any(field.strip() for field in row):
                rows.append((start, row))
            start = reader.line_num + 1
    except csv.Error as error:
        raise bad_asn(
            name,
            [Finding(start, f"the line cannot be split: {error}", "Close every quotation mark")],
        ) from error
    if not rows:
        raise bad_asn(
            name, [Finding(None, "the file is empty", "Send the announced lines under a header")]
        )
    return rows


def _columns(header: Sequence[str], at: int, *, name: str) -> dict[str, int]:
    names = [field.strip().casefold() for field in header]
    if len(header) == 1:
        for mark, word in _SEPARATORS.items():
            if mark in header[0]:
                raise bad_asn(
                    name,
                    [
                        Finding(
                            at,
                            f"the fields are separated by {word}",
                            "Save the list with commas between the fields",
                        )
                    ],
                )
    findings = [
        Finding(at, f"the column {column} is missing", f"The header needs {','.join(REQUIRED)}")
        for column in REQUIRED
        if column not in names
    ]
    known = (*REQUIRED, *OPTIONAL)
    findings += [
        Finding(at, f"the column {column} appears twice", "Keep one of them")
        for column in known
        if names.count(column) > 1
    ]
    for column in names:
        near = difflib.get_close_matches(column, [k for k in known if k not in names], 1, 0.75)
        if column not in known and near:
            findings.append(
                Finding(
                    at,
                    f"the column {column!r} is not known",
                    f"Call it {near[0]}, or give it another name if it is something else",
                )
            )
    if findings:
        raise bad_asn(name, findings)
    return {column: names.index(column) for column in known if column in names}


def _line(fields: dict[str, str], at: int) -> tuple[list[Finding], AsnLine | None]:
    findings: list[Finding] = []
    gtin = batch = ""
    try:
        gtin = normalise_gtin(fields["gtin"])
    except BadInputError as error:
        mend = error.mend
        if "e+" in fields["gtin"].casefold():
            mend = "The spreadsheet shortened it: format the column as text and export again"
        findings.append(Finding(at, error.message, mend))
    if is_lot(fields["batch"]):
        batch = fields["batch"]
    else:
        findings.append(
            Finding(
                at,
                f"batch {fields['batch']!r} is not a GS1 batch number",
                "Give 1 to 20 letters, digits or signs, as printed after (10)",
            )
        )
    expiry = _iso_date(fields["expiry"])
    if expiry is None:
        findings.append(
            Finding(
                at,
                f"expiry {fields['expiry']!r} is not a date",
                "Write it as year-month-day, for example 2027-03-31",
            )
        )
    quantity = _quantity(fields.get("quantity", ""))
    if quantity is None:
        findings.append(
            Finding(
                at,
                f"quantity {fields['quantity']!r} is not a whole number of at least 1",
                "Give the number of units without separators or decimals",
            )
        )
    if findings or expiry is None or quantity is None:
        return findings, None
    return [], AsnLine(
        number=0,
        gtin=gtin,
        batch=batch,
        expiry=expiry,
        quantity=quantity,
        unit=fields.get("unit") or "carton",
        sku=fields.get("sku", ""),
        description=fields.get("description", ""),
        supplier=fields.get("supplier", ""),
        order=fields.get("order", ""),
    )


def _iso_date(text: str) -> date | None:
    if not _ISO_DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _quantity(text: str) -> int | None:
    """1 where nothing is written: a line without a quantity announces one carton."""
    if not text:
        return 1
    if not _QUANTITY.fullmatch(text):
        return None
    number = int(text)
    return number if 1 <= number <= MAX_QUANTITY else None
