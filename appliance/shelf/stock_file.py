"""A stock list from a file, for reading pictures without a hub.

CSV with a header: `gtin` (8, 12, 13 or 14 digits), optional `name`, `product` (the GTIN of the base
unit, where the code is a carton's), `units`, `places` (separated by `;`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contracts.errors import BadInputError
from contracts.gs1 import normalise_gtin
from vision.shelf import ListedCode, StockList

_COLUMNS = {"gtin", "name", "product", "units", "places"}
_MOST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class FileList:
    """`codes` is None where no list was given; `names` by the product's 14 digits."""

    codes: StockList | None = None
    names: Mapping[str, str] = field(default_factory=dict)


def read_stock_file(path: Path | None) -> FileList:
    """The list in `path`, empty where that is None. Raises BadInputError with the wrong line."""
    if path is None:
        return FileList()
    try:
        data = path.read_bytes()
        if len(data) > _MOST_BYTES:
            raise BadInputError(f"{path} has more than 8 MiB", mend="Name a stock list")
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read as UTF-8: {error}", mend="Check it") from error
    rows = csv.DictReader(io.StringIO(text, newline=""))
    header = set(rows.fieldnames or ())
    if "gtin" not in header or not header <= _COLUMNS:
        raise BadInputError(
            f"{path}: the header is {', '.join(rows.fieldnames or ['nothing'])}",
            mend=f"Use gtin and any of {', '.join(sorted(_COLUMNS - {'gtin'}))}",
        )
    codes, names = [], {}
    for row in rows:
        code, name = _code(row, f"{path} line {rows.line_num}")
        codes.append(code)
        if name:
            names[code.product] = name
    return FileList(StockList(codes), names)


def _code(row: Mapping[str, str | None], where: str) -> tuple[ListedCode, str]:
    try:
        gtin = normalise_gtin(row["gtin"] or "")
        product = normalise_gtin(row["product"] or "") if row.get("product") else gtin
    except BadInputError as error:
        raise BadInputError(f"{where}: {error.message}", mend=error.mend) from error
    units = (row.get("units") or "1").strip()
    if not (units.isascii() and units.isdigit() and 0 < int(units) <= 1_000_000):  # noqa: PLR2004 -- a lorry
        raise BadInputError(f"{where}: units is {units!r}", mend="Use a whole number from 1 on")
    places = tuple(each.strip() for each in (row.get("places") or "").split(";") if each.strip())
    return ListedCode(gtin, product, int(units), places), (row.get("name") or "").strip()
