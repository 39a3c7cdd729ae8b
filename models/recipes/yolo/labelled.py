"""A folder of pictures with boxes drawn by people, as most labelling programs write it.

Beside each picture, or in a folder `labels` beside its folder `images`, stands NAME.txt with one box
a line: class number, then middle, width and height as shares of the picture. An empty file says
that a person looked and the part is good; a picture without a file was not looked at and is left
out. Class names come from `classes.txt` or any `*.names`, one a line.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contracts.errors import BadInputError
from vision.frames import SUFFIXES

CALIBRATED_SHARE, CHECKED_SHARE = 0.3, 0.1


@dataclass(frozen=True, slots=True)
class Labelled:
    """`boxes` are lines as they stand in the file; none: a good part."""

    picture: Path
    item: str
    boxes: tuple[str, ...]


def read_folder(folder: Path, item_pattern: str) -> tuple[list[Labelled], tuple[str, ...]]:
    """Every labelled picture with the physical item it shows, and the names of the classes.

    `item_pattern`: its first group in a file name is the item. Raises BadInputError.
    """
    classes = _classes(folder)
    wanted = re.compile(item_pattern)
    found = []
    for picture in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        label = _label_of(picture)
        if label is None:
            continue
        match = wanted.search(picture.name)
        if match is None:
            raise BadInputError(
                f"{picture} does not match the item pattern {item_pattern!r}",
                mend="Its first group must be the part's name",
            )
        lines = tuple(line for line in label.read_text().splitlines() if line.strip())
        for number, line in enumerate(lines, 1):
            _check(line, len(classes), f"{label}, line {number}")
        found.append(Labelled(picture, match.group(1), lines))
    if not any(each.boxes for each in found):
        raise BadInputError(f"{folder} has no picture with a box", mend="Label some defects first")
    return found, classes


def split(found: Sequence[Labelled], seed: int) -> dict[str, list[Labelled]]:
    """`train`, `check` and `calibrate`, by item: all pictures of one part stand on one side.

    Good and defective parts are dealt apart, so that both are on every side where there are enough.
    """
    parts: dict[str, list[Labelled]] = {"train": [], "check": [], "calibrate": []}
    random = np.random.default_rng(seed)
    bad = {each.item for each in found if each.boxes}
    for names in (sorted(bad), sorted({each.item for each in found} - bad)):
        order = [names[n] for n in random.permutation(len(names))]
        held, checked = (round(share * len(order)) for share in (CALIBRATED_SHARE, CHECKED_SHARE))
        side = dict.fromkeys(order, "train")
        side |= dict.fromkeys(order[:held], "calibrate")
        side |= dict.fromkeys(order[held : held + checked], "check")
        for each in found:
            if each.item in side:
                parts[side[each.item]].append(each)
    return parts


def lay_out(parts: dict[str, list[Labelled]], classes: Sequence[str], folder: Path) -> Path:
    """The layout that the training wants, and its YAML file."""
    for side in ("train", "check"):
        for kind in ("images", "labels"):
            (folder / kind / side).mkdir(parents=True)
        for number, each in enumerate(parts[side]):
            name = f"{number:06}"
            picture = folder / "images" / side / f"{name}{each.picture.suffix.lower()}"
            shutil.copyfile(each.picture, picture)
            text = "".join(f"{line}\n" for line in each.boxes)
            (folder / "labels" / side / f"{name}.txt").write_text(text)
    path = folder / "data.yaml"
    checked = "check" if parts["check"] else "train"
    names = "".join(f"  {n}: {name}\n" for n, name in enumerate(classes))
    path.write_text(
        f"path: {folder}\ntrain: images/train\nval: images/{checked}\nnames:\n{names}",
        encoding="utf-8",
    )
    return path


def _classes(folder: Path) -> tuple[str, ...]:
    files = [*folder.glob("classes.txt"), *sorted(folder.glob("*.names"))]
    names = [line.strip() for line in files[0].read_text().splitlines()] if files else []
    names = [name for name in names if name]
    if not names:
        raise BadInputError(
            f"{folder} names no classes", mend="Write classes.txt, one class a line, 0 first"
        )
    if wrong := [name for name in names if not re.fullmatch(r"[\w-]+", name)]:
        raise BadInputError(
            f"{files[0]}: {wrong[0]!r} is no class name", mend="Letters, digits, _ and - only"
        )
    return tuple(names)


def _label_of(picture: Path) -> Path | None:
    beside = picture.with_suffix(".txt")
    parts = list(picture.parts)
    if "images" in parts:
        at = len(parts) - 1 - parts[::-1].index("images")
        apart = Path(*parts[:at], "labels", *parts[at + 1 :]).with_suffix(".txt")
        return next((path for path in (beside, apart) if path.is_file()), None)
    return beside if beside.is_file() else None


def _check(line: str, classes: int, where: str) -> None:
    try:
        kind, *box = line.split()
        number, values = int(kind), [float(value) for value in box]
    except ValueError:
        number, values = -1, []
    if not 0 <= number < classes or len(values) != 4 or not all(0 <= v <= 1 for v in values):
        raise BadInputError(
            f"{where}: {line!r} is no box of {classes} classes",
            mend="Class number, then middle x, middle y, width, height, each 0..1",
        )
