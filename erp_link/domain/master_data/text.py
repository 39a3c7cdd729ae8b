"""Characters that look alike and are not: blanks, full-width forms, letters for digits."""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0b-\x1f\x7f]")
_BLANKS = re.compile(r"\s+")
_DASHES = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d", "-")
)
_TWINS = str.maketrans(
    {"O": "0", "Q": "0", "I": "1", "L": "1", "|": "1", "S": "5", "B": "8", "Z": "2"}
)
_NOT_CODE = re.compile(r"[\s\-_./]+")
_DIGIT_TWINS = str.maketrans({"O": "0", "o": "0", "I": "1", "l": "1", "|": "1"})


def tidy(written: str) -> tuple[str, str]:
    """The text as it is meant, and the weightiest thing that was wrong: hidden, full_width, blanks,
    or nothing.

    Full-width and other compatibility forms become plain ones (Unicode NFKC), dashes become the
    hyphen, blanks are one between words and none around them.
    """
    shown = _HIDDEN.sub("", written)
    plain = unicodedata.normalize("NFKC", shown).translate(_DASHES)
    tidied = _BLANKS.sub(" ", plain).strip()
    if tidied == written:
        return tidied, ""
    if shown != written:
        return tidied, "hidden"
    # A blank of another alphabet is a blank, not a letter of another width.
    if _BLANKS.sub("", plain) != _BLANKS.sub("", shown):
        return tidied, "full_width"
    return tidied, "blanks"


def digits_of(text: str) -> str:
    """The text with the letters that are typed for digits replaced."""
    return text.translate(_DIGIT_TWINS)


def same_code(text: str) -> str:
    """One key for codes that people take for each other: case, width, blanks, dashes, O and 0, I
    and 1. Two codes with one key may be one; nothing more is said.
    """
    plain, _ = tidy(text)
    return _NOT_CODE.sub("", plain).upper().translate(_TWINS)


def same_name(text: str) -> str:
    """As `same_code` for names: letters stay letters."""
    plain, _ = tidy(text)
    return _NOT_CODE.sub("", plain).casefold()
