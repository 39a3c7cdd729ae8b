"""A list as a file: CSV in UTF-8 with a header in English or Chinese, its columns in any order.

Every wrong line is told, with its number in the file, and nothing is guessed.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Callable, Mapping, Sequence

from contracts.errors import BadInputError
from erp_link.domain.shelf.fields import (
    currency_of,
    day_of,
    email_of,
    gtin_of,
    money_of,
    phone_of,
    place_of,
    text_of,
    units_of,
)
from erp_link.domain.shelf.lists import (
    Contact,
    Finding,
    ListKind,
    ListRow,
    PackCode,
    PlaceName,
    Planned,
    Price,
    refuse,
)

MOST_BYTES = 8 * 1024 * 1024
MOST_ROWS = 50_000
_MOST_FINDINGS = 50
Cells = Mapping[str, str]

COLUMNS: Mapping[ListKind, Mapping[str, tuple[str, ...]]] = {
    ListKind.CONTACTS: {
        "supplier": ("供应商", "供应商编号", "supplier_id"),
        "name": ("名称", "供应商名称"),
        "contact": ("联系人",),
        "phone": ("电话", "手机", "tel"),
        "email": ("邮箱", "电子邮件", "e-mail"),
    },
    ListKind.PRICES: {
        "gtin": ("条码", "商品条码", "ean"),
        "price": ("单价", "价格", "进价"),
        "currency": ("币种", "货币"),
        "on": ("日期", "date"),
        "source": ("来源", "订单", "order"),
        "supplier": ("供应商", "供应商编号"),
    },
    ListKind.CODES: {
        "gtin": ("条码", "商品条码", "ean"),
        "code": ("箱码", "外箱条码"),
        "units": ("数量", "装箱数", "quantity"),
    },
    ListKind.PLANOGRAM: {
        "place": ("货位", "库位", "location"),
        "gtin": ("条码", "商品条码", "ean"),
    },
    ListKind.PLACES: {"place": ("货位", "库位", "location"), "name": ("名称",)},
}
"""Of each list its columns, with the other headers that mean them."""
NEEDED: Mapping[ListKind, frozenset[str]] = {
    ListKind.CONTACTS: frozenset({"supplier"}),
    ListKind.PRICES: frozenset({"gtin", "price", "currency"}),
    ListKind.CODES: frozenset({"gtin", "code", "units"}),
    ListKind.PLANOGRAM: frozenset({"place", "gtin"}),
    ListKind.PLACES: frozenset({"place"}),
}


def read_list(kind: ListKind, data: bytes, *, name: str) -> tuple[ListRow, ...]:
    """The rows of a file. A file with a header alone is an empty list.

    Raises BadShelfListError with every wrong line (the first 50).
    """
    lines, columns = _lines(kind, data, name=name)
    make, findings = _ROW[kind], []
    rows: list[ListRow] = []
    seen: dict[object, int] = {}
    for at, cells in lines:
        try:
            row = make(dict(zip(columns, cells, strict=True)))
        except BadInputError as error:
            findings.append(Finding(at, error.message, error.mend))
            continue
        key = _key(row)
        if key in seen:
            findings.append(
                Finding(at, f"it says the same as line {seen[key]}", "Take one of them out")
            )
        seen.setdefault(key, at)
        rows.append(row)
    findings += _crossed(kind, rows)
    if findings:
        raise refuse(name, findings[:_MOST_FINDINGS])
    return tuple(rows)


def _lines(
    kind: ListKind, data: bytes, *, name: str
) -> tuple[list[tuple[int, list[str]]], list[str]]:
    if len(data) > MOST_BYTES:
        raise refuse(name, [Finding(None, "it is larger than 8 MiB", "Split the list")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        mend = "Save it as CSV UTF-8, not GBK or Windows-1252"
        raise refuse(name, [Finding(line, "it is not UTF-8", mend)]) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] | None = None
    lines: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for row in reader:
            at, start = start, reader.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if columns is None:
                columns = _columns(kind, row, name=name, line=at)
                continue
            if len(row) != len(columns):
                what = f"it has {len(row)} fields, the header has {len(columns)}"
                raise refuse(name, [Finding(at, what, "Quote what holds a comma")])
            lines.append((at, row))
            if len(lines) > MOST_ROWS:
                raise refuse(name, [Finding(at, f"more than {MOST_ROWS} rows", "Split the list")])
    except csv.Error as error:
        what = f"the line cannot be split: {error}"
        raise refuse(name, [Finding(start, what, "Close every quote")]) from error
    if columns is None:
        mend = f"Write the header {','.join(COLUMNS[kind])} and a row for each entry"
        raise refuse(name, [Finding(None, "it is empty", mend)])
    return lines, columns


def _columns(kind: ListKind, header: Sequence[str], *, name: str, line: int) -> list[str]:
    known = COLUMNS[kind]
    means = {other: own for own, others in known.items() for other in (own, *others)}
    columns: list[str] = []
    for cell in header:
        written = cell.strip().casefold().replace(" ", "_")
        own = means.get(written)
        if own is None or own in columns:
            near = difflib.get_close_matches(written, means, n=1)
            what = f"the column {cell.strip()!r} is " + (
                "not known" if own is None else "there twice"
            )
            hint = f"Did you mean {near[0]}? " if near and own is None else ""
            mend = f"{hint}A list of {kind} has the columns {', '.join(known)}"
            raise refuse(name, [Finding(line, what, mend)])
        columns.append(own)
    missing = sorted(NEEDED[kind] - set(columns))
    if missing:
        what = f"the column {missing[0]} is missing"
        raise refuse(name, [Finding(line, what, f"Write the header {','.join(known)}")])
    return columns


def _contact(cells: Cells) -> Contact:
    return Contact(
        text_of(cells, "supplier", needed=True),
        text_of(cells, "name"),
        text_of(cells, "contact"),
        phone_of(cells),
        email_of(cells),
    )


def _price(cells: Cells) -> Price:
    currency = currency_of(cells)
    amount, digits = money_of(cells, currency)
    return Price(
        gtin_of(cells, "gtin"),
        amount,
        currency,
        digits,
        day_of(cells, "on"),
        text_of(cells, "source"),
        text_of(cells, "supplier"),
    )


def _code(cells: Cells) -> PackCode:
    return PackCode(gtin_of(cells, "gtin"), gtin_of(cells, "code"), units_of(cells, "units"))


def _planned(cells: Cells) -> Planned:
    return Planned(place_of(cells), gtin_of(cells, "gtin"))


def _place(cells: Cells) -> PlaceName:
    return PlaceName(place_of(cells), text_of(cells, "name"))


_ROW: Mapping[ListKind, Callable[[Cells], ListRow]] = {
    ListKind.CONTACTS: _contact,
    ListKind.PRICES: _price,
    ListKind.CODES: _code,
    ListKind.PLANOGRAM: _planned,
    ListKind.PLACES: _place,
}


def _key(row: ListRow) -> object:
    """What may stand in a list once."""
    match row:
        case Contact(supplier):
            return supplier
        case Price(gtin=gtin, on=on, supplier=supplier):
            return gtin, on, supplier
        case PackCode(code=code):
            return code
        case Planned(place, gtin):
            return place, gtin
        case PlaceName(place):
            return place


def _crossed(kind: ListKind, rows: Sequence[ListRow]) -> list[Finding]:
    """A carton's code that is another product's own would stand for two products."""
    if kind is not ListKind.CODES:
        return []
    codes = [row for row in rows if isinstance(row, PackCode)]
    own = {row.gtin for row in codes}
    return [
        Finding(
            None,
            f"the code {row.code} is a carton of {row.gtin} and a product of its own",
            "Give the carton's own GTIN",
        )
        for row in codes
        if row.code in own and row.code != row.gtin
    ]
