"""What the words beside a value say it is: a batch, an expiry date, a production date, a GTIN.

Captions are damaged like everything else, so they are weighed, not matched: each line gets the
log odds of the best caption of every role. Production captions matter most: the production date
of one batch is often the expiry date of another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from vision.reading.align import AlignSettings, Stream, Trie, fit
from vision.reading.ctc import UNREADABLE, Charset


class Role(StrEnum):
    BATCH = "batch"
    EXPIRY = "expiry"
    PRODUCTION = "production"
    GTIN = "gtin"


CAPTIONS: Mapping[Role, tuple[str, ...]] = {
    Role.BATCH: (
        "LOT", "BATCH", "BATCH NO", "BATCH CODE", "LOT NO", "LOT NUMBER", "B/N", "批号", "生产批号",
        "批次", "批次号", "(10)",
    ),
    Role.EXPIRY: (
        "EXP", "EXPIRY", "EXPIRY DATE", "EXP DATE", "EXPIRES", "BBE", "BEST BEFORE", "BEST BY", "USE BY",
        "USE BEFORE", "BBD", "有效期至", "有效期", "保质期至", "保质期", "失效日期", "到期日",
        "此日期前", "限用日期", "(17)", "(15)",
    ),
    Role.PRODUCTION: (
        "MFG", "MFD", "MFG DATE", "PROD", "PROD DATE", "PRD", "PMD", "PACKED ON", "PRODUCED", "PACKED", "PKD", "MADE ON",
        "生产日期", "制造日期", "包装日期", "出厂日期", "(11)", "(13)",
    ),
    Role.GTIN: ("GTIN", "EAN", "UPC", "ITEM", "条码", "商品条码", "(01)", "(02)"),
}  # fmt: skip


def _open(word: str) -> str:
    """A pattern for `word` in which any character may be unreadable."""
    start = rf"(?<![A-Za-z{UNREADABLE}])" if word[0].isascii() and word[0].isalpha() else ""
    return start + "".join(r"\s*" if c == " " else f"[{re.escape(c)}{UNREADABLE}]" for c in word)


# One letter and a colon: plain in a text, but anything looks like it when weighed.
_SHORT: Mapping[Role, tuple[str, ...]] = {
    Role.BATCH: ("L:", "B:", "BN:"),
    Role.EXPIRY: ("E:", "BB:"),
    Role.PRODUCTION: ("P:", "M:", "PD:"),
    Role.GTIN: (),
}
_WORDS = {
    role: re.compile(
        "|".join(map(_open, sorted((*words, *_SHORT[role]), key=len, reverse=True))), re.IGNORECASE
    )
    for role, words in CAPTIONS.items()
}
_MOST_OPEN = 0.34


@dataclass(frozen=True, slots=True)
class CaptionMatcher:
    tries: Mapping[Role, Trie]
    settings: AlignSettings

    @classmethod
    def build(cls, charset: Charset, settings: AlignSettings) -> CaptionMatcher:
        tries = {role: Trie.build(words, charset) for role, words in CAPTIONS.items()}
        return cls(tries, settings)

    def weigh(self, stream: Stream) -> dict[Role, NDArray[np.float32]]:
        """Log odds (lines,) that a line holds a caption of each role."""
        return {
            role: fit(trie, stream, self.settings).max(axis=0) for role, trie in self.tries.items()
        }


def find_captions(text: str) -> tuple[tuple[Role, int, int], ...]:
    """Captions that stand plainly in `text`: role, start, end; the longest where they overlap. A
    third of a caption may be unreadable.
    """
    found = [
        (role, *match.span())
        for role, pattern in _WORDS.items()
        for match in pattern.finditer(text)
        if match.group().count(UNREADABLE) <= _MOST_OPEN * len(match.group())
    ]
    found.sort(key=lambda each: (each[1] - each[2], each[1]))
    kept: list[tuple[Role, int, int]] = []
    for role, start, end in found:
        if all(end <= s or e <= start for _, s, e in kept):
            kept.append((role, start, end))
    return tuple(sorted(kept, key=lambda each: each[1]))
