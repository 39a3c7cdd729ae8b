"""A row of a list as it would be written in its file."""

from __future__ import annotations

from erp_link.domain.shelf.lists import Contact, ListRow, PackCode, PlaceName, Planned, Price


def written(row: ListRow) -> tuple[str, ...]:
    """The cells of a row, in the order of `reading.COLUMNS`: read again they give the same row."""
    match row:
        case Contact(supplier, name, contact, phone, email):
            return supplier, name, contact, phone, email
        case Price(gtin, amount, currency, digits, on, source, supplier):
            return gtin, _decimal(amount, digits), currency, on, source, supplier
        case PackCode(gtin, code, units):
            return gtin, code, str(units)
        case Planned(place, gtin):
            return place, gtin
        case PlaceName(place, name):
            return place, name


def _decimal(amount: int, digits: int) -> str:
    if not digits:
        return str(amount)
    text = str(amount).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}"
