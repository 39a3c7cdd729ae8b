"""`tallyman bench symbols`: symbols on real photos, ours beside zxing-cpp's defaults.

Three counts for each: photos whose text is right, photos with a text that is not theirs, photos
with none. And the same photos with their code cut off, where every new text is a false one.
Photos: a folder with NAME.png (jpg) and the truth in NAME.txt, as in TALLYMAN_DATA.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contracts.errors import BadInputError, TallymanError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

CUT_SHARES = (0.3, 0.5, 0.7)
_KINDS = {".png", ".jpg", ".jpeg", ".gif"}


@dataclass(frozen=True, slots=True)
class Photo:
    path: Path
    truth: str


@dataclass(frozen=True, slots=True)
class Texts:
    """What stands in one photo for two readers, and what it cost them in processor time."""

    photo: Photo
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    ours_ms: float
    theirs_ms: float


def symbols(
    *,
    folder: Annotated[
        Path | None, typer.Option("--set", help="Photos with their text beside them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
    every: Annotated[int, typer.Option("--every", min=1, help="Only every n-th photo.")] = 1,
) -> None:
    """Measure symbol decoding on photos: right, wrong, none, and false texts of cut-off codes."""
    from appliance.bench.facts import commit, machine

    root = Path(__file__).resolve().parents[2]
    data = Path(os.environ.get("TALLYMAN_DATA", root.parent / "shared" / "data"))
    photos = find_photos(folder or data / "labels" / "barcodes_zxing")[::every]
    result = {"bench": "symbols", "machine": machine(), "commit": commit(), **measure(photos)}
    if not as_json:
        for name in ("ours", "zxing_default"):
            sys.stdout.write(f"{name}: {result[name]}\n")
    sys.stdout.write(json.dumps(result) + "\n")


def find_photos(folder: Path) -> tuple[Photo, ...]:
    """Photos under `folder` that have their text beside them. Raises BadInputError for none."""
    found = [
        Photo(path, text.read_bytes().decode("utf-8", errors="replace"))
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in _KINDS and (text := path.with_suffix(".txt")).exists()
    ]
    if not found:
        raise BadInputError(f"{folder} holds no photos", mend="Put NAME.txt beside NAME.png")
    return tuple(found)


def measure(photos: Sequence[Photo]) -> dict[str, Any]:
    """The figures of both readers on `photos`, and on the same photos with their codes cut off."""
    read = list(read_both(photos))
    cut = [new for photo in photos for new in false_texts_of_cut_codes(photo)]
    return {
        "photos": len(read),
        "ours": {
            **_counts((each.photo.truth, each.ours) for each in read),
            "mean_cpu_ms": _mean([each.ours_ms for each in read]),
            "false_on_cut_codes": sum(len(ours) for ours, _ in cut),
        },
        "zxing_default": {
            **_counts((each.photo.truth, each.theirs) for each in read),
            "mean_cpu_ms": _mean([each.theirs_ms for each in read]),
            "false_on_cut_codes": sum(len(theirs) for _, theirs in cut),
        },
        "cut_photos": len(cut),
        "false_beyond_zxing": sum(len(set(each.ours) - set(each.theirs)) for each in read)
        + sum(len(ours - theirs) for ours, theirs in cut),
    }


def read_both(photos: Iterable[Photo]) -> Iterator[Texts]:
    """Texts of every photo that decodes as a picture; the others are refused, by both alike."""
    from vision.reading.symbols import read_symbols

    for photo in photos:
        frame = _frame(photo)
        if frame is None:
            continue
        start = time.process_time()
        ours = tuple(each.symbol.text for each in read_symbols(frame))
        middle = time.process_time()
        theirs = _default(frame)
        end = time.process_time()
        yield Texts(photo, ours, theirs, 1000 * (middle - start), 1000 * (end - middle))


def false_texts_of_cut_codes(photo: Photo) -> Iterator[tuple[set[str], set[str]]]:
    """What ours and zxing-cpp's defaults find on parts of a photo that end within its codes, less
    what stands on the whole photo: for each part two sets of false texts.
    """
    import numpy as np
    import zxingcpp

    from vision.reading.symbols import read_symbols

    frame = _frame(photo)
    if frame is None:
        return
    codes = zxingcpp.read_barcodes(frame)
    known = {code.text for code in codes} | {each.symbol.text for each in read_symbols(frame)}
    for code in codes:
        at = code.position
        quad = np.array(
            [(p.x, p.y) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)]
        )
        low, high = quad.min(axis=0), quad.max(axis=0)
        for share in CUT_SHARES:
            x, y = (low + share * (high - low)).astype(int)
            for part in (frame[:, :x], frame[:, x:], frame[:y], frame[y:]):
                if min(part.shape[:2]) > 20:  # noqa: PLR2004 -- less than any code, in pixels
                    whole = np.ascontiguousarray(part)
                    ours = {each.symbol.text for each in read_symbols(whole)}
                    yield ours - known, set(_default(whole)) - known


def plain_text(text: str) -> str:
    """A text as truth files write it: no brackets of element strings, no white space, control
    characters as themselves, and no leading zero that only says "this is a UPC".
    """
    shown = "".join(chr(ord(c) - 0x2400) if 0x2400 <= ord(c) < 0x2421 else c for c in text)  # noqa: PLR2004 -- Unicode's control pictures
    kept = "".join(c for c in shown if not c.isspace() and c >= " " and c not in "()")
    for number in (kept, kept.removeprefix("01")):
        if number.isdigit() and len(number) in {12, 13, 14}:
            return number.zfill(14)
        if number.isdigit() and len(number) == 8:  # noqa: PLR2004 -- UPC-E, written as printed
            return _expanded(number)
    return kept


def _expanded(upce: str) -> str:
    """UPC-E as the UPC-A that it stands for (GS1 General Specifications, 5.2.2.4.2)."""
    body, last = upce[1:7], upce[6]
    if last in "012":
        full = body[:2] + last + "0000" + body[2:5]
    elif last == "3":
        full = body[:3] + "00000" + body[3:5]
    elif last == "4":
        full = body[:4] + "00000" + body[4]
    else:
        full = body[:5] + "0000" + last
    return (upce[0] + full + upce[7]).zfill(14)


def _counts(answers: Iterable[tuple[str, Sequence[str]]]) -> dict[str, int]:
    counts = {"right": 0, "wrong": 0, "none": 0}
    for truth, texts in answers:
        said = {plain_text(text) for text in texts}
        same = {plain_text(truth)}
        counts["right"] += bool(said & same)
        counts["wrong"] += bool(said - same)
        counts["none"] += not texts
    return counts


def _frame(photo: Photo) -> Picture | None:
    from vision.frames import decode_frame

    try:
        return decode_frame(photo.path.read_bytes(), name=photo.path.name)
    except TallymanError:
        return None


def _default(frame: Picture) -> tuple[str, ...]:
    import zxingcpp

    return tuple(code.text for code in zxingcpp.read_barcodes(frame))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / max(1, len(values)), 2)
