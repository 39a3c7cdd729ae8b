"""Pictures named on a command line: files and folders, the item on each, and marks of cracks."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import BadFrameError, BadInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.defects.cracks.learning import Cracked

_YOLO_WORDS = 5


def files_of(given: Sequence[Path]) -> Iterator[Path]:
    """Pictures in the order given; a folder's pictures by name, its folders too."""
    from vision.frames import SUFFIXES

    for path in given:
        if not path.is_dir():
            yield path
            continue
        inside = [p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES]
        if not inside:
            raise BadInputError(
                f"{path} holds no pictures", mend="Name a folder of JPEG, PNG or BMP"
            )
        yield from sorted(inside)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(h, w, 3) BGR. Raises BadFrameError."""
    from vision.frames import decode_frame

    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFrameError(
            f"{path} cannot be read: {error.strerror}", mend="Check the name"
        ) from error
    return decode_frame(data, name=str(path))


def decode_all(
    given: Sequence[Path],
    check: Callable[[str, NDArray[np.uint8]], None] = lambda _name, _picture: None,
) -> tuple[list[tuple[str, NDArray[np.uint8]]], int]:
    """Every picture with its name, and how many were told to be unusable: they cannot be read, or
    `check` raises BadFrameError.
    """
    pictures: list[tuple[str, NDArray[np.uint8]]] = []
    failed = 0
    for path in files_of(given):
        try:
            picture = read_picture(path)
            check(str(path), picture)
            pictures.append((str(path), picture))
        except BadFrameError as error:
            sys.stderr.write(f"tallyman: {error}\n")
            failed += 1
    return pictures, failed


def items_of(names: Sequence[str], pattern: str) -> list[str]:
    """The first group of `pattern` in each file's name. Raises BadInputError."""
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise BadInputError(
            f"--item-pattern {pattern!r} is no regular expression: {error}",
            mend="For example ^([^-]+)-",
        ) from error
    if not wanted.groups:
        raise BadInputError(
            f"--item-pattern {pattern!r} has no group",
            mend="Put the item in parentheses: ^([^-]+)-",
        )
    found = []
    for name in names:
        match = wanted.search(Path(name).name)
        if match is None:
            raise BadInputError(
                f"{name} does not match --item-pattern {pattern!r}", mend="Mend the pattern"
            )
        found.append(match.group(1))
    return found


def read_cracked(path: Path) -> Cracked:
    """A really cracked part with where it is cracked: NAME_mask.png (not black where it is) or
    NAME.txt (YOLO boxes) beside it, or in a folder `labels` beside its folder.

    Raises BadInputError where there is neither or it does not fit.
    """
    from vision.defects.cracks.learning import Cracked
    from vision.defects.marks import mask_in_boxes

    image = read_picture(path)
    drawn = path.with_name(f"{path.stem}_mask.png")
    if drawn.is_file():
        mask = read_picture(drawn).max(axis=2) > 0
        if mask.shape != image.shape[:2] or not mask.any():
            raise BadInputError(
                f"{drawn} is empty or not of the size of {path.name}",
                mend="Draw the crack in white on black, in the picture's own size",
            )
        return Cracked(image, mask)
    beside = (path.with_suffix(".txt"), path.parent.parent / "labels" / f"{path.stem}.txt")
    for labels in beside:
        if labels.is_file():
            return Cracked(image, mask_in_boxes(image, _boxes(labels)))
    raise BadInputError(
        f"Nothing says where {path} is cracked",
        mend=f"Put {drawn.name} or {beside[0].name} (YOLO boxes) beside it",
    )


def _boxes(path: Path) -> list[tuple[float, float, float, float]]:
    """Centre x, y, width, height as shares of the picture, one line each."""
    boxes = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        try:
            x, y, width, height = (float(word) for word in words[1:_YOLO_WORDS])
        except ValueError as error:
            raise BadInputError(
                f"{path} line {number} is no YOLO box: {line!r}",
                mend="One line a box: class x y width height, as shares of the picture",
            ) from error
        boxes.append((x, y, width, height))
    if not boxes:
        raise BadInputError(f"{path} names no box", mend="Mark where the part is cracked")
    return boxes
