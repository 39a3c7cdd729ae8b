"""The site's lists for its shelves: who to call, what was paid, which carton codes stand for which
product, where each product belongs, and in which order people walk.

A list is imported whole and replaces the one before; a list with one wrong line changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from contracts.errors import BadInputError


class ListKind(StrEnum):
    CONTACTS = "contacts"
    PRICES = "prices"
    CODES = "codes"
    PLANOGRAM = "planogram"
    PLACES = "places"


@dataclass(frozen=True, slots=True)
class Contact:
    """`phone` as `tel:` takes it: digits, `+` first where international; empty where unknown."""

    supplier: str
    name: str = ""
    contact: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """What one base unit cost: `amount` in 10 ** -`digits` of the currency (ISO 4217)."""

    gtin: str
    amount: int
    currency: str
    digits: int
    on: str = ""
    """ISO 8601 date of the purchase."""
    source: str = ""
    supplier: str = ""


@dataclass(frozen=True, slots=True)
class PackCode:
    """`code`, a GTIN, stands for `units` base units of the product."""

    gtin: str
    code: str
    units: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A product's place on the shelves."""

    place: str
    gtin: str


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A place in the order of the list, which is the order in which people walk."""

    place: str
    name: str = ""


ListRow = Contact | Price | PackCode | Planned | PlaceName
ROWS: dict[ListKind, type[ListRow]] = {
    ListKind.CONTACTS: Contact,
    ListKind.PRICES: Price,
    ListKind.CODES: PackCode,
    ListKind.PLANOGRAM: Planned,
    ListKind.PLACES: PlaceName,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong in one line of the file (None: in the file), and how to mend it."""

    line: int | None
    what: str
    mend: str


class BadShelfListError(BadInputError):
    """A list that cannot be imported; nothing of it is kept. `data["findings"]`: its wrong lines."""

    code = "bad_shelf_list"


def refuse(name: str, findings: Sequence[Finding]) -> BadShelfListError:
    """The error for a file with these findings, of which there is at least one."""
    first = findings[0]
    where = f"{name}, line {first.line}" if first.line is not None else name
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    told = [{"line": each.line, "what": each.what, "mend": each.mend} for each in findings]
    return BadShelfListError(
        f"{where}: {first.what}{more}", mend=first.mend, file=name, findings=told
    )
