"""Thin cracks on real parts: solar cells split by module, cracked workpieces part by part.

Nothing here is trained into what is released: profiles are made, measured and thrown away.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.bench.inspecting.photos import (
    Picture,
    auroc,
    fails,
    interval,
    recall_at,
    shortcut,
    shortcut_score,
)
from contracts.errors import BadInputError
from vision.defects.cracks.learning import Cracked, learn_cracks
from vision.defects.cracks.network import PX_PER_PLACE, CrackNetwork, inner_peak
from vision.defects.inspector import DefectInspector

CELLS_OF_A_MODULE = 60
"""The files are in the modules' order and do not name them: a run of so many of one type is taken
for a module, so that hardly any module lies on both sides of a split.
"""
SURE = (0.0, 1.0)
"""Only cells that the experts were sure of; in between they were not."""
_WORKPIECES = "defects/workpiece_crack"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    module: str
    image: Picture
    broken: bool
    shortcut: tuple[float, ...]


def solar_folder() -> Path | None:
    """Where the PyPI package elpv-dataset (non-commercial: measure only) keeps its pictures."""
    found = importlib.util.find_spec("elpv_dataset")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "data"


def cells(folder: Path, kind: str) -> list[Cell]:
    """The sure cells of a kind (`mono` or `poly`), with the module that each belongs to."""
    rows = [line.split() for line in (folder / "labels.csv").read_text().splitlines()]
    found, run, place, before = [], 0, 0, ""
    for name, broken, made in rows:
        run, place = (run + 1, 0) if made != before else (run, place + 1)
        before = made
        if made == kind and float(broken) in SURE:
            data = (folder / name).read_bytes()
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            if image is None:
                raise BadInputError(f"{folder / name} is no picture", mend="Install the set again")
            picture = np.asarray(image, np.uint8)
            module = f"{run}-{place // CELLS_OF_A_MODULE}"
            found.append(Cell(module, picture, float(broken) == 1.0, shortcut(picture, len(data))))
    return found


def measure_cells(
    inspector: DefectInspector,
    found: Sequence[Cell],
    *,
    good: int,
    most: int,
    seconds: float,
    seed: int,
    say: Say,
) -> dict[str, Any]:
    """One split by module: enrol `good` sound cells, learn cracks, rank at most `most` others."""
    draw = np.random.default_rng(seed)
    modules = draw.permutation(sorted({cell.module for cell in found})).tolist()
    enrolled_from = set(modules[: len(modules) // 2])
    sound = [cell for cell in found if cell.module in enrolled_from and not cell.broken]
    taken = [sound[n] for n in draw.permutation(len(sound))[:good]]
    others = [cell for cell in found if cell.module not in enrolled_from]
    others = [others[n] for n in draw.permutation(len(others))[:most]]
    images = [cell.image for cell in taken]
    items = [f"cell {number}" for number in range(len(taken))]
    quick = inspector.enrol(images, product="cell", items=items)
    learned = inspector.refine(quick, images, items=items, seconds=seconds)
    plain = DefectInspector(inspector.backbone, inspector.model_set)
    bank = plain.enrol(images, product="cell", items=items)

    def ranked(name: str, score: Callable[[Cell], float]) -> dict[str, Any]:
        scores = [(cell, score(cell)) for cell in others]
        fine = [(cell.module, value) for cell, value in scores if not cell.broken]
        bad = [(cell.module, value) for cell, value in scores if cell.broken]
        values = [value for _, value in fine], [value for _, value in bad]
        row = {
            "auroc": round(auroc(*values), 3),
            "interval": [round(edge, 3) for edge in interval(fine, bad)],
            "recall_at_5": round(recall_at(*values, 5), 3),
        }
        say(f"  split {seed} {name:<22} AUROC {row['auroc']:.3f} {row['interval']}")
        return row

    rows = {
        "bank": ranked("memory of patches", lambda c: _score(plain, c.image, bank)),
        "base": ranked("with the base network", lambda c: _score(inspector, c.image, quick)),
        "learned": ranked("with cracks learned", lambda c: _score(inspector, c.image, learned)),
        "shortcut": ranked(
            "shortcut", lambda c: shortcut_score([t.shortcut for t in taken], c.shortcut)
        ),
    }
    return {
        "seed": seed,
        "good": len(taken),
        "tested_good": sum(not cell.broken for cell in others),
        "tested_broken": sum(cell.broken for cell in others),
        "says_little": fails(rows["learned"]["auroc"], rows["shortcut"]["auroc"]),
        **rows,
    }


def _score(inspector: DefectInspector, image: Picture, profile: Any) -> float:
    return inspector.inspect(image, profile, name="").inspection.score


@dataclass(frozen=True, slots=True, eq=False)
class Workpiece:
    """`boxes` are (x, y, width, height) of the cracks, in pixels."""

    part: str
    image: Picture
    boxes: tuple[tuple[float, float, float, float], ...]


def workpieces(data: Path) -> list[Workpiece]:
    """Cracked metal parts with YOLO boxes; none of them is sound."""
    found = []
    for path in sorted((data / _WORKPIECES).rglob("*.jpg")):
        label = path.with_suffix(".txt")
        if not label.exists():
            label = path.parent.parent / "labels" / label.name
        image = cv2.imread(str(path))
        if image is None or not label.exists():
            continue
        height, width = image.shape[:2]
        rows = [[float(v) for v in line.split()[1:5]] for line in label.read_text().splitlines()]
        boxes = tuple(
            ((x - w / 2) * width, (y - h / 2) * height, w * width, h * height)
            for x, y, w, h in rows
        )
        if boxes:
            found.append(Workpiece(path.name.split("_")[0], np.asarray(image, np.uint8), boxes))
    return found


def measure_workpieces(
    network: CrackNetwork, found: Sequence[Workpiece], *, seconds: float, say: Say
) -> dict[str, Any]:
    """Is the strongest place in a crack's box? By the base network, and by one that learned from
    the other parts only.
    """
    rows: dict[str, Any] = {}
    hits = {"base": 0, "learned": 0}
    for part in sorted({piece.part for piece in found}):
        mine = [piece for piece in found if piece.part == part]
        others = [piece for piece in found if piece.part != part]
        own = learn_cracks(
            network,
            [_without_crack(piece) for piece in others],
            cracked=[Cracked(piece.image, _mask(piece)) for piece in others],
            seconds=seconds,
        )
        told = {
            "base": sum(_hits(network, piece, None) for piece in mine),
            "learned": sum(_hits(network, piece, own) for piece in mine),
        }
        rows[part] = {"pictures": len(mine), **told}
        hits = {name: hits[name] + told[name] for name in hits}
        say(f"  {part:<10} {told['base']} by the base, {told['learned']} learned, of {len(mine)}")
    area = float(np.mean([_mask(piece).mean() for piece in found]))
    return {
        "pictures": len(found),
        "chance_percent": round(100 * area, 1),
        **{f"{name}_percent": round(100 * count / len(found), 1) for name, count in hits.items()},
        "parts": rows,
    }


def _mask(piece: Workpiece, grow: int = 0) -> NDArray[np.bool_]:
    mask = np.zeros(piece.image.shape[:2], np.bool_)
    for x, y, width, height in piece.boxes:
        rows = slice(max(0, int(y) - grow), int(y + height) + 1 + grow)
        mask[rows, max(0, int(x) - grow) : int(x + width) + 1 + grow] = True
    return mask


def _without_crack(piece: Workpiece) -> Picture:
    """What the part would look like whole: its cracks painted over from around them."""
    holes = _mask(piece, 3).astype(np.uint8)
    return np.asarray(cv2.inpaint(piece.image, holes, 5, cv2.INPAINT_TELEA), np.uint8)


def _hits(network: CrackNetwork, piece: Workpiece, own: NDArray[np.float16] | None) -> bool:
    heat = network.see(piece.image, own)
    row, column = inner_peak(heat)
    scale = piece.image.shape[0] / (heat.shape[0] * PX_PER_PLACE)
    x, y = ((place + 0.5) * PX_PER_PLACE * scale for place in (column, row))
    return any(
        left <= x <= left + width and top <= y <= top + height
        for left, top, width, height in piece.boxes
    )
