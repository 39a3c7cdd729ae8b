"""GTINs as people write them (GS1 General Specifications, 7.9)."""

from __future__ import annotations

import re
from collections.abc import Collection

from contracts.gs1 import check_digit, has_valid_check_digit
from erp_link.domain.master_data.findings import Checked, ask, clean, mend
from erp_link.domain.master_data.text import digits_of, tidy

_LENGTHS = (8, 12, 13, 14)
_FULL = 14
_SEPARATORS = re.compile(r"[\s\-./]")
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?e\+?\d{1,2}", re.IGNORECASE)
_MOST_CHOICES = 4


def check_gtin(name: str, written: str, known: Collection[str] = ()) -> Checked:
    """A GTIN-8, -12, -13 or -14 as 14 digits. `known` are the house's own, to propose from."""
    text, dirt = tidy(written)
    if not text:
        return ask(name, "gtin_missing", written)
    if _SHORTENED.fullmatch(text):
        return ask(name, "gtin_shortened", written)
    digits = _SEPARATORS.sub("", text)
    if digits != text:
        dirt = dirt or "separators"
    if not digits.isdigit():
        return _with_letters(name, written, digits, known)
    if len(digits) not in _LENGTHS:
        return _of_wrong_length(name, written, digits, known)
    if not has_valid_check_digit(digits):
        return _of_wrong_digit(name, written, digits, known)
    number = digits.zfill(_FULL)
    return mend(name, dirt, written, number) if dirt else clean(number)


def _with_letters(name: str, written: str, text: str, known: Collection[str]) -> Checked:
    meant = digits_of(text)
    if meant.isdigit() and _is_gtin(meant):
        return mend(name, "letters", written, meant.zfill(_FULL))
    return ask(name, "gtin_not_digits", written, _near(meant, known))


def _of_wrong_digit(name: str, written: str, digits: str, known: Collection[str]) -> Checked:
    """The mistyped digit may be any: the house's own numbers first, then another check digit."""
    digit = check_digit(digits[:-1])
    right = (digits[:-1] + digit).zfill(_FULL)
    choices = tuple(dict.fromkeys((*_near(digits, known), right)))
    return ask(name, "gtin_check_digit", written, choices, digit=digit)


def _of_wrong_length(name: str, written: str, digits: str, known: Collection[str]) -> Checked:
    """A spreadsheet takes the zeros off the left: put back, the check digit must be right."""
    for length in _LENGTHS[:-1]:
        if len(digits) < length and _is_gtin(digits.zfill(length)):
            return mend(name, "zeros_lost", written, digits.zfill(_FULL))
    return ask(name, "gtin_length", written, _near(digits, known), length=len(digits))


def _is_gtin(digits: str) -> bool:
    return len(digits) in _LENGTHS and has_valid_check_digit(digits)


def _near(digits: str, known: Collection[str]) -> tuple[str, ...]:
    """The house's own GTINs that are one slip of the finger away."""
    wanted = digits.zfill(_FULL)
    return tuple(sorted(each for each in known if _one_slip(wanted, each)))[:_MOST_CHOICES]


def _one_slip(one: str, other: str) -> bool:
    """One digit typed wrongly, or two neighbours swapped."""
    if len(one) != len(other):
        return False
    at = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(at) == 1:
        return True
    swapped = len(at) == 2 and at[1] == at[0] + 1  # noqa: PLR2004 -- two neighbours
    return swapped and one[at[0]] == other[at[1]] and one[at[1]] == other[at[0]]
