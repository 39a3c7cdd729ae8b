"""Which files of a folder show one carton, for a replay.

Two layouts, decided by file name alone and never mixed up:
- flat: `carton-01.label.jpg` and `carton-01.inspect.jpg` show carton `carton-01`; a second
  picture of the same camera is `carton-01.label.2.jpg`; a file that names no camera
  (`carton-01.jpg`) belongs to the first camera;
- subfolders: `carton-01/label.jpg`, `carton-01/inspect.jpg`, `carton-01/label.2.jpg`.
Cartons come in name order with numbers read as numbers (2 before 10).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from contracts.errors import BadInputError

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class ReplayCarton:
    """`files` maps a camera to its pictures of this carton, relative to the folder."""

    stem: str
    files: dict[str, tuple[PurePath, ...]]


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts `carton-2` before `carton-10`."""
    return tuple(
        (0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part)
        for part in _DIGITS.split(name)
        if part
    )


def carton_and_camera(file: PurePath, cameras: Sequence[str]) -> tuple[str, str]:
    """The carton and the camera that a replay file's relative path names."""
    words = file.name[: -len(file.suffix)].split(".") if file.suffix else [file.name]
    tail = words[:-1] if len(words) > 1 and words[-1].isdigit() else words
    if tail[-1] in cameras:
        stem = ".".join(tail[:-1]) or str(file.parent)
        where = file.parent if tail[:-1] else PurePath()
        return str(where / stem), tail[-1]
    return str(file.parent / ".".join(words)), cameras[0]


def pair(files: Iterable[PurePath], cameras: Sequence[str]) -> list[ReplayCarton]:
    """Group relative paths into cartons, in name order; what is no picture is left out."""
    cartons: dict[str, dict[str, list[PurePath]]] = {}
    for file in sorted(files, key=lambda each: natural(str(each))):
        if file.suffix.lower() in PICTURES:
            stem, camera = carton_and_camera(file, cameras)
            cartons.setdefault(stem, {}).setdefault(camera, []).append(file)
    return [
        ReplayCarton(stem, {camera: tuple(found) for camera, found in of.items()})
        for stem, of in sorted(cartons.items(), key=lambda item: natural(item[0]))
    ]


def list_pictures(folder: Path) -> list[PurePath]:
    """Relative paths of the pictures in `folder` and one level below.

    Raises BadInputError where there is no such folder.
    """
    if not folder.is_dir():
        raise BadInputError(
            f"replay folder {folder} does not exist", mend="Name a folder that holds pictures"
        )
    found = (*folder.glob("*"), *folder.glob("*/*"))
    return [PurePath(path.relative_to(folder)) for path in found if path.is_file()]
