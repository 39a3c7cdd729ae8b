"""Printed lines as glyphs: what a perfect, doubtful or blinded recogniser would have seen."""

from __future__ import annotations

import string
from datetime import date

import numpy as np

from contracts.asn import AsnLine, ExpectedLine
from vision.reading.ctc import Charset, Glyphs

CHARSET = Charset(
    (*string.digits, *string.ascii_letters, *string.punctuation, *"批号年月日（：", " ")
)


def glyphs(text: str, *, sure: float = 0.97, hidden: str = "~") -> Glyphs:
    """`text` as read with `sure`; `~` stands for a character nothing is left of."""
    rows = []
    for letter in text:
        if letter == hidden:
            continue
        row = np.full(1 + len(CHARSET.letters), (1 - sure) / len(CHARSET.letters), np.float32)
        row[1 + CHARSET.index[letter]] = sure
        rows.append(row)
    shown = [i for i, letter in enumerate(text) if letter != hidden]
    return Glyphs(
        np.array(rows, np.float32).reshape(-1, 1 + len(CHARSET.letters)),
        np.array([(i + 0.5) / len(text) for i in shown], np.float32),
    )


def line(number: int, gtin: str, batch: str, expiry: str) -> ExpectedLine:
    return ExpectedLine(AsnLine(number, gtin, batch, date.fromisoformat(expiry)))
