"""What a body must be before it counts; an entry that is not is kept, told, and books nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from contracts.device_log import (
    Adjusted,
    Carried,
    Counted,
    Fact,
    Flagged,
    Held,
    Moved,
    Observed,
    Received,
    Released,
    Shipped,
    TicketOpened,
)
from contracts.errors import BadInputError
from contracts.stock import BatchKey, HoldKind
from erp_link.domain.places import is_account

MOST_UNITS = 1_000_000_000
"""More than a warehouse holds: a larger number is a slip of the keys."""
_LONGEST = 500
_MOST_NAMES = 500
_MOST_PHOTOS = 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BadBodyError(BadInputError):
    """An entry whose values cannot be used; data has `field`."""

    code = "bad_body"


def check(fact: Fact) -> None:
    """Raises BadBodyError with the field and how to mend it."""
    match fact:
        case Carried(version, seen):
            _number("version", version, least=0)
            for device, seq in seen.items():
                _text("seen", device)
                _number("seen", seq, least=0)
        case Counted(batch, location, counted, expected):
            _goods(batch, location)
            _number("counted", counted, least=0)
            _number("expected", expected, least=-MOST_UNITS)
        case Adjusted(batch, location, change, reason):
            _goods(batch, location)
            _number("change", change, least=-MOST_UNITS)
            if not change:
                raise _bad("change", "0 changes nothing")
            _text("reason", reason, empty=True)
        case Moved() | Received() | Shipped() | Observed():
            _check_goods(fact)
        case Held() | Released() | Flagged() | TicketOpened():
            _check_words(fact)


def _check_goods(fact: Moved | Received | Shipped | Observed) -> None:
    match fact:
        case Moved(batch, quantity, source, target):
            _goods(batch, source, target)
            _number("quantity", quantity)
            if source == target:
                raise _bad("target", f"the goods were in {target} already")
        case Received(batch, quantity, location, expiry):
            _goods(batch, location)
            _number("quantity", quantity)
            if expiry:
                _day("expiry", expiry)
        case Shipped(batch, quantity, quota, order, location):
            _goods(batch, *([location] if location else ()))
            _number("quantity", quantity)
            _text("quota", quota)
            _text("order", order, empty=True)
        case Observed(batch, expiry, location):
            _goods(batch, *([location] if location else ()))
            _day("expiry", expiry)


def _check_words(fact: Held | Released | Flagged | TicketOpened) -> None:
    match fact:
        case Held(kind, note, batch, cartons, location, supplier):
            _text("note", note, empty=True)
            _names("cartons", cartons)
            named = {
                HoldKind.BATCH: batch is not None,
                HoldKind.CARTONS: bool(cartons) and batch is not None,
                HoldKind.LOCATION: bool(location),
                HoldKind.SUPPLIER: bool(supplier),
            }
            if not named.get(kind, False):
                raise _bad("kind", f"a hold of kind {kind} does not say what it covers")
            _maybe_goods(batch, location)
        case Released(holds, reason):
            if not holds:
                raise _bad("holds", "a release names the holds that it saw")
            _names("holds", holds)
            _text("reason", reason)
        case Flagged(flag, location, gtin, batch, note, photos):
            _photos(photos)
            _text("flag", flag)
            _text("gtin", gtin, empty=True)
            _text("note", note, empty=True)
            _maybe_goods(batch, location)
        case TicketOpened(note, batch, location, photos):
            _photos(photos)
            _text("note", note)
            _maybe_goods(batch, location)


def _goods(batch: BatchKey, *locations: str) -> None:
    _text("supplier", batch.supplier, empty=True)
    _text("lot", batch.lot)
    if not (batch.gtin.isdecimal() and batch.gtin.isascii() and len(batch.gtin) <= 14):  # noqa: PLR2004 -- GTIN-14 is the longest
        raise _bad("gtin", f"{batch.gtin[:40]!r} is no GTIN")
    for location in locations:
        _text("location", location)
        if is_account(location):
            raise _bad("location", f"{location[:40]!r} is no place in the house")


def _maybe_goods(batch: BatchKey | None, location: str) -> None:
    if location and is_account(location):
        raise _bad("location", f"{location[:40]!r} is no place in the house")
    _text("location", location, empty=True)
    if batch is not None:
        _goods(batch)


def _number(name: str, value: int, *, least: int = 1) -> None:
    if not least <= value <= (MOST_UNITS if name != "version" else 2**53):
        raise _bad(name, f"{value} is not between {least} and {MOST_UNITS}")


def _text(name: str, value: str, *, empty: bool = False) -> None:
    if len(value) > _LONGEST or not (empty or value.strip()) or "\0" in value:
        raise _bad(name, "it is empty" if not value.strip() else "it is no text of 500 characters")


def _names(name: str, values: Iterable[str]) -> None:
    every = list(values)
    if len(every) > _MOST_NAMES or len(set(every)) != len(every):
        raise _bad(name, f"{len(every)} names, more than {_MOST_NAMES} or some twice")
    for each in every:
        _text(name, each)


def _photos(names: tuple[str, ...]) -> None:
    if len(names) > _MOST_PHOTOS or len(set(names)) != len(names):
        raise _bad("photos", f"{len(names)} photos, more than {_MOST_PHOTOS} or some twice")
    for each in names:
        if _SHA256.fullmatch(each) is None:
            raise _bad("photos", f"{each[:80]!r} is no SHA-256 in lower-case hex")


def _day(name: str, value: str) -> None:
    try:
        good = date.fromisoformat(value).isoformat() == value
    except ValueError:
        good = False
    if not good:
        raise _bad(name, f"{value[:40]!r} is no date of the form 2027-06-30")


def _bad(name: str, why: str) -> BadBodyError:
    return BadBodyError(
        f"The field {name} cannot be used: {why}",
        mend="Mend the device's software, and write what was seen as a new entry",
        field=name,
    )
