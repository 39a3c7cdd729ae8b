"""GS1 identification keys: check digits and normal forms (GS1 General Specifications, 7.9)."""

from __future__ import annotations

import re

from contracts.errors import BadInputError

_GTIN_LENGTHS = frozenset({8, 12, 13, 14})
# GS1 General Specifications, figure 7.11-1: the 82 characters a batch/lot may use, at most 20.
_LOT = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}")


def check_digit(digits: str) -> str:
    """The modulo-10 check digit for `digits` (the number without its check digit)."""
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


def has_valid_check_digit(number: str) -> bool:
    """True when `number` is ASCII digits and its last one is the check digit of the rest."""
    return (
        len(number) > 1
        and number.isascii()
        and number.isdigit()
        and check_digit(number[:-1]) == number[-1]
    )


def normalise_gtin(text: str) -> str:
    """GTIN-8/12/13/14 as 14 digits, zero-filled on the left.

    Raises BadInputError naming what is wrong: wrong length, not digits, wrong check digit.
    """
    number = text.strip()
    if not (number.isascii() and number.isdigit()) or len(number) not in _GTIN_LENGTHS:
        raise BadInputError(
            f"GTIN {text!r} is not 8, 12, 13 or 14 digits", mend="Check the number on the label"
        )
    if not has_valid_check_digit(number):
        raise BadInputError(
            f"GTIN {text!r} ends in {number[-1]}, its check digit is {check_digit(number[:-1])}",
            mend="Correct the digit that was mistyped",
        )
    return number.zfill(14)


def is_lot(text: str) -> bool:
    """True when `text` may be a GS1 batch/lot number (AI 10)."""
    return _LOT.fullmatch(text) is not None
