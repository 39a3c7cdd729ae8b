"""Symbols on real photos, ours beside zxing-cpp's own defaults.

`barcodes_zxing`: photos of codes with their text, and the same ones cut off (bench/symbols_read).
`shipping_ups`: cartons with two linear codes and a MaxiCode, all of which must be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from appliance.bench.symbols_read import find_photos, measure
from contracts.errors import BadInputError
from vision.frames import decode_frame
from vision.reading.symbols import read_symbols


def real_photos(labels: Path) -> dict[str, Any]:
    """The figures of both sets under `labels`. Raises BadInputError where one is absent."""
    return {
        "barcodes_zxing": measure(find_photos(labels / "barcodes_zxing")),
        "shipping_ups": shipping_cartons(labels / "shipping_ups"),
    }


def shipping_cartons(folder: Path) -> dict[str, Any]:
    """`codes` on so many `photos`, and for `ours` and `zxing_default`: `right` codes, photos with a
    `wrong` text, photos with `none`. Texts are compared by letters and digits: notes and decoders
    write control characters differently.
    """
    paths = sorted(folder.rglob("*.JPG"))
    notes = sorted(folder.rglob("annotations_min.json"))
    if not (paths and notes):
        raise BadInputError(f"No cartons in {folder}", mend="Set TALLYMAN_DATA to the test data")
    said: dict[str, Any] = msgspec.json.decode(notes[0].read_bytes(), type=dict[str, Any])
    truth = {
        each["id"]: {_plain(code["value"]) for code in each["barcodes"]} for each in said["images"]
    }
    readers: dict[str, Callable[[NDArray[np.uint8]], list[str]]] = {
        "ours": lambda image: [each.symbol.text for each in read_symbols(image)],
        "zxing_default": lambda image: [code.text for code in zxingcpp.read_barcodes(image)],
    }
    counts = {name: {"right": 0, "wrong": 0, "none": 0} for name in readers}
    for path in paths:
        image = decode_frame(path.read_bytes(), name=path.name)
        for name, read in readers.items():
            texts = {_plain(text) for text in read(image)}
            counts[name]["right"] += len(texts & truth[path.stem])
            counts[name]["wrong"] += bool(texts - truth[path.stem])
            counts[name]["none"] += not texts
    codes = sum(len(truth[path.stem]) for path in paths)
    return {"photos": len(paths), "codes": codes, **counts}


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", text)
