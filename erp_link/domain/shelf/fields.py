"""Single fields of the site's lists: read strictly, refused with how to mend them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from contracts.errors import BadInputError
from contracts.gs1 import normalise_gtin
from erp_link.domain.places import is_account

_LONGEST = 120
_CURRENCY = re.compile(r"[A-Z]{3}")
_MONEY = re.compile(r"(\d{1,12})(?:\.(\d{1,6}))?")
_PHONE = re.compile(r"\+?\d{3,20}")
_PHONE_MARKS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]")
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s,;<>\"]{2,}")
_MOST_UNITS = 100_000
_NO_DIGITS = frozenset(["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"])
_THREE_DIGITS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def text_of(cells: Mapping[str, str], column: str, *, needed: bool = False) -> str:
    """A text of at most 120 characters, trimmed. Raises BadInputError."""
    value = cells.get(column, "").strip()
    if needed and not value:
        raise BadInputError(f"{column} is empty", mend=f"Fill in {column}")
    if len(value) > _LONGEST or not value.isprintable():
        raise BadInputError(
            f"{column} is no text of at most {_LONGEST} characters", mend="Shorten it"
        )
    return value


def gtin_of(cells: Mapping[str, str], column: str) -> str:
    """A GTIN as 14 digits. Raises BadInputError."""
    return normalise_gtin(text_of(cells, column, needed=True))


def place_of(cells: Mapping[str, str]) -> str:
    """A place in the house. Raises BadInputError."""
    place = text_of(cells, "place", needed=True)
    if is_account(place):
        raise BadInputError(f"{place} is no place in the house", mend="Name a slot")
    return place


def phone_of(cells: Mapping[str, str]) -> str:
    """A number as `tel:` takes it, without the marks that people write between (RFC 3966, 5.1.1)."""
    written = text_of(cells, "phone")
    number = _PHONE_MARKS.sub("", written.replace("＋", "+"))
    if written and not (number.isascii() and _PHONE.fullmatch(number)):
        raise BadInputError(
            f"phone {written!r} cannot be called",
            mend="Write digits, with + and the country first where it is abroad",
        )
    return number


def email_of(cells: Mapping[str, str]) -> str:
    """An address that mail programs take, or none. Raises BadInputError."""
    written = text_of(cells, "email")
    if written and _EMAIL.fullmatch(written) is None:
        raise BadInputError(f"email {written!r} is no address", mend="Write name@example.com")
    return written


def currency_of(cells: Mapping[str, str]) -> str:
    """An ISO 4217 code. Raises BadInputError."""
    written = text_of(cells, "currency", needed=True).upper()
    if _CURRENCY.fullmatch(written) is None:
        raise BadInputError(
            f"currency {written!r} is no ISO 4217 code", mend="Write CNY, EUR or USD"
        )
    return written


def usual_digits(currency: str) -> int:
    """Decimals of a currency's smallest coin (ISO 4217)."""
    if currency in _NO_DIGITS:
        return 0
    return 3 if currency in _THREE_DIGITS else 2


def money_of(cells: Mapping[str, str], currency: str) -> tuple[int, int]:
    """The price as a whole number and its decimals: 12.5 CNY is (1250, 2), 0.125 is (125, 3)."""
    written = text_of(cells, "price", needed=True)
    found = _MONEY.fullmatch(written) if written.isascii() else None
    if found is None:
        raise BadInputError(
            f"price {written!r} is no number",
            mend="Write digits with a point: 1299.50, without a currency sign",
        )
    decimals = found[2] or ""
    digits = max(len(decimals.rstrip("0")), usual_digits(currency))
    return int(found[1] + decimals.ljust(digits, "0")[:digits]), digits


def units_of(cells: Mapping[str, str], column: str) -> int:
    """Base units in a carton. Raises BadInputError."""
    written = text_of(cells, column, needed=True)
    if not (written.isascii() and written.isdigit() and 1 <= int(written) <= _MOST_UNITS):
        raise BadInputError(
            f"{column} {written!r} is no number from 1 to {_MOST_UNITS}",
            mend="Write how many base units are in one carton",
        )
    return int(written)


def day_of(cells: Mapping[str, str], column: str) -> str:
    """An ISO 8601 date, or empty. Raises BadInputError."""
    written = text_of(cells, column)
    if not written:
        return ""
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError as error:
        raise BadInputError(
            f"{column} {written!r} is no date", mend="Write year-month-day: 2026-11-22"
        ) from error
