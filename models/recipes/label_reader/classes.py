"""The characters that the recogniser tells apart: digits, capitals (small letters count as
capitals), the marks of dates, batches and element strings, and the Chinese of date captions.
"""

from __future__ import annotations

import string
from collections.abc import Iterable

MARKS = "-/.:()+,#&%*_'"
CHINESE = "批号次生产日期有效至保质限用失到月年包装制造出厂条码数量"
LETTERS = (*string.digits, *string.ascii_uppercase, *MARKS, *dict.fromkeys(CHINESE), " ")
BLANK = 0
UNREADABLE = len(LETTERS) + 1
"""Last class of the second head; the blank is 0, letters follow."""

_FOLD = str.maketrans("（），：；。－／～", "(),:;.-/~")
_AT = {letter: i for i, letter in enumerate(LETTERS, start=1)}


def fold(text: str) -> str:
    """`text` as the reader says it: full-width forms and small letters folded."""
    return text.translate(_FOLD).upper()


def encode(text: str) -> list[int]:
    """Classes of `text`; characters that the reader does not know are left out."""
    return [_AT[c] for c in fold(text) if c in _AT]


def encode_seen(text: str, seen: Iterable[bool]) -> list[int]:
    """The same with UNREADABLE for what cannot be seen. `seen` skips spaces; a space beside
    something unreadable cannot be told from it and is left out.
    """
    flags = iter(seen)
    marked = [(c, c == " " or next(flags)) for c in fold(text)]
    out = []
    for i, (character, visible) in enumerate(marked):
        if character == " ":
            beside = marked[max(0, i - 1) : i + 2]
            if all(ok for _, ok in beside):
                out.append(_AT[" "])
        elif not visible:
            out.append(UNREADABLE)
        elif character in _AT:
            out.append(_AT[character])
    return out
