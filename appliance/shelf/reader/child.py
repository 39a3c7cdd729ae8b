"""The reader's process: `python -m appliance.shelf.reader.child`, words on stdin and stdout.

Started by process.py. A picture from a phone is decoded here and not in the hub, so that native
code that falls over a hostile JPEG takes nothing with it. The networks that read the digits below
the bars are loaded with the first damaged code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import BinaryIO

import msgspec

from appliance.shelf.reader.looking import answer
from appliance.shelf.reader.words import (
    LENGTH,
    Look,
    Looked,
    Order,
    Problem,
    Stock,
    Trouble,
    Word,
    framed,
)
from contracts.errors import ArtefactRefusedError, BadInputError
from vision.shelf import DamagedReader, StockList

_NICE = 5
"""Below the core's own work."""


def serve(orders: BinaryIO, words: BinaryIO, damaged: Callable[[], DamagedReader]) -> None:
    """Answer orders until their end."""
    known = StockList()
    while True:
        head = orders.read(LENGTH)
        if len(head) < LENGTH:
            return
        order = msgspec.msgpack.decode(orders.read(int.from_bytes(head, "big")), type=Order)
        if isinstance(order, Stock):
            known = StockList(order.codes)
            continue
        words.write(framed(_looked(order, known, damaged)))
        words.flush()


def _looked(look: Look, known: StockList, damaged: Callable[[], DamagedReader]) -> Word:
    try:
        reader = damaged() if look.question.kind == "crop" else DamagedReader()
        return Looked(answer(look, known, reader))
    except BadInputError as error:
        return Trouble(Problem(error.code, error.message, error.mend))


@cache
def _damaged() -> DamagedReader:
    """With the newest label reader that holds; on bars alone where there is none."""
    from appliance.model_sets import READER, carried
    from vision.reading.reader import LabelReader

    try:
        model_set = carried(READER)
        return DamagedReader(LabelReader.load(model_set.folder, model_set=model_set.digest))
    except ArtefactRefusedError as error:
        sys.stderr.write(f"tallyman: digits below the bars are not read: {error}\n")
        return DamagedReader()


if __name__ == "__main__":
    os.nice(_NICE)
    # Whatever a library prints must not stand between our words.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, out, _damaged)
