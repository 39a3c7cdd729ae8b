"""What ten taught misses are worth: recall at 5 % false alarms before and after, and how long.

Three sets. Cookies: photos, broken ones taught. Circuit boards: squares cut from aligned boards,
six sorts of fault a few pixels wide. Plates: made, with specks that set the limit and faults that
stay below it. A split is by physical item (cookie, board, plate): what is taught, enrolled and
measured never shares one. Taught are pictures that the untaught profile passed. Beside every figure
stands what a shortcut reaches that sees only colour, contrast and edges.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.bench.inspecting.plates import FAULTS, plate
from appliance.bench.inspecting.remembered import cookies, remembering
from contracts.inspection import DefectKind, InspectDecision, Inspection
from vision.defects.backbone import analysis_size
from vision.defects.inspector import DefectInspector
from vision.defects.places import cells
from vision.defects.profile import Profile
from vision.frames import decode_frame

Picture = NDArray[np.uint8]
ENROLLED = 24
FEW_ENROLLED, FEWEST_MEASURED = 22, 8
TAUGHT = 10
FALSE_ALARMS = 0.05
MOST_MEASURED = 60
_BOARDS = "defects/deeppcb"
_SQUARE_PX = 160
_SAME_COOKIE = 0.02


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of one physical item; `kind` is the class of its fault, empty where it is good."""

    item: str
    image: Picture
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    enrolled: list[Shot]
    teach: list[Shot]
    good: list[Shot]
    bad: list[Shot]


def lessons(
    inspector: DefectInspector, data: Path | None, *, splits: int = 4, plates: int = 60
) -> dict[str, Any]:
    """A table for each set; sets that `data` does not hold are left out.

    Figures are means over the splits, with the least gain of a split beside them.
    """
    seeing = remembering(inspector)
    sets = {"plates": _plates(plates)}
    if data is not None and (data / "defects").is_dir():
        sets |= {"cookies": _cookies(seeing, data), "boards": _boards(data)}
    return {name: _over_splits(seeing, shots, splits) for name, shots in sets.items()}


def recall_at(good: Sequence[float], bad: Sequence[float], share: float = FALSE_ALARMS) -> float:
    """The share of bad scores above all but `share` of the good ones."""
    ranked = sorted(good, reverse=True)
    limit = ranked[min(int(share * len(ranked)), len(ranked) - 1)]
    return sum(score > limit for score in bad) / len(bad)


def _over_splits(
    inspector: DefectInspector, shots: Sequence[Shot], splits: int
) -> dict[str, float | int | None]:
    rows = [_measure(inspector, split_of(shots, seed)) for seed in range(splits)]
    found: dict[str, float | int | None] = {"splits": splits}
    for name in rows[0]:
        told = [row[name] for row in rows if row[name] is not None]
        found[name] = round(sum(told) / len(told), 3) if told else None
    gains = [row["recall_after"] - row["recall_before"] for row in rows]
    found |= {"gain": round(sum(gains) / splits, 3), "gain_least": round(min(gains), 3)}
    return found


def split_of(shots: Sequence[Shot], seed: int) -> Split:
    """Half of the items to enrol from (one picture each) and to teach with, half to measure."""
    order = np.random.default_rng(seed).permutation(len(shots))
    shots = [shots[n] for n in order]
    good = list(dict.fromkeys(one.item for one in shots if not one.kind))
    bad = list(dict.fromkeys(one.item for one in shots if one.kind))
    if set(good) & set(bad):
        items = list(dict.fromkeys(one.item for one in shots))
        half = set(items[: len(items) // 2])
    else:
        # Where good items are few, most are needed to state a bound at all.
        known = max(len(good) // 2, min(FEW_ENROLLED, len(good) - FEWEST_MEASURED))
        half = {*good[:known], *bad[: len(bad) // 2]}
    first = {one.item: one for one in reversed(shots) if not one.kind and one.item in half}
    return Split(
        enrolled=list(first.values())[:ENROLLED],
        teach=[one for one in shots if one.kind and one.item in half],
        good=[one for one in shots if not one.kind and one.item not in half][:MOST_MEASURED],
        bad=[one for one in shots if one.kind and one.item not in half][:MOST_MEASURED],
    )


def _measure(inspector: DefectInspector, split: Split) -> dict[str, Any]:
    profile = inspector.enrol(
        [one.image for one in split.enrolled],
        product="goods",
        items=[one.item for one in split.enrolled],
    )
    missed = [
        one
        for one in split.teach
        if _judge(inspector, profile, one).decision is not InspectDecision.DEFECT
    ][:TAUGHT]
    started = time.perf_counter()
    made = profile
    for one in missed:
        defect = one.kind if one.kind in set(DefectKind) else ""
        made = inspector.teach(made, one.image, kind="miss", defect=defect)
    again = [_judge(inspector, made, one) for one in missed]
    elapsed = time.perf_counter() - started
    before = _Judged.of(inspector, profile, split)
    after = _Judged.of(inspector, made, split)
    named = [
        (region.kind, shot.kind)
        for seen, shot in zip(after.bad, split.bad, strict=True)
        for region in seen.regions[:1]
        if region.kind != "anomaly"
    ]
    head = made.facts.head
    return {
        "enrolled": len(split.enrolled),
        "taught": len(missed),
        "teach_and_apply_s": elapsed,
        "recall_before": before.recall,
        "recall_after": after.recall,
        "flagged_bad_before": before.flagged(good=False),
        "flagged_bad_after": after.flagged(good=False),
        "flagged_good_before": before.flagged(good=True),
        "flagged_good_after": after.flagged(good=True),
        "taught_ones_pass": sum(one.decision is InspectDecision.PASS for one in again),
        "caught_by_others": head.caught if head else 0,
        "class_right": sum(a == b for a, b in named) / len(named) if named else None,
        "class_told": len(named) / len(split.bad) if named else None,
        "shortcut_recall": recall_at(
            _shortcut(split.enrolled, split.good), _shortcut(split.enrolled, split.bad)
        ),
        "profile_kb": len(made.to_bytes()) / 1024,
    }


@dataclass(frozen=True, slots=True)
class _Judged:
    good: list[Inspection]
    bad: list[Inspection]

    @classmethod
    def of(cls, inspector: DefectInspector, profile: Profile, split: Split) -> _Judged:
        return cls(
            [_judge(inspector, profile, one) for one in split.good],
            [_judge(inspector, profile, one) for one in split.bad],
        )

    @property
    def recall(self) -> float:
        return recall_at([one.score for one in self.good], [one.score for one in self.bad])

    def flagged(self, *, good: bool) -> float:
        seen = self.good if good else self.bad
        return sum(one.decision is not InspectDecision.PASS for one in seen) / len(seen)


def _judge(inspector: DefectInspector, profile: Profile, shot: Shot) -> Inspection:
    return inspector.inspect(shot.image, profile, name=shot.item).inspection


def _shortcut(enrolled: Sequence[Shot], shots: Sequence[Shot]) -> list[float]:
    """How far colour, contrast and edges lie from those of the enrolled pictures."""
    known = np.array([_plain(one.image) for one in enrolled])
    usual, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    return [float(np.abs((_plain(one.image) - usual) / spread).mean()) for one in shots]


def _plain(image: Picture) -> NDArray[np.float64]:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    edges = float(np.abs(cv2.Laplacian(grey, cv2.CV_16S)).mean())
    return np.array([*image.mean(axis=(0, 1)), float(grey.std()), edges])


def _plates(count: int) -> list[Shot]:
    good = [Shot(f"whole-{n}", plate(n)) for n in range(2 * count)]
    return good + [
        Shot(f"{fault}-{n}", plate(1000 * (1 + place) + n, fault=fault), fault)
        for place, fault in enumerate(FAULTS)
        for n in range(count // 2)
    ]


def _cookies(inspector: DefectInspector, data: Path) -> list[Shot]:
    """Photos of good cookies that are nearly alike show one cookie."""
    shots: list[Shot] = []
    known: list[NDArray[np.float32]] = []
    for number, image in enumerate(cookies(data, "normal")):
        height, width = image.shape[:2]
        looks = cells(inspector.backbone.patches(image, analysis_size(width, height)))
        far = [1.0 - float((looks * one).sum(axis=2).mean()) for one in known]
        same = int(np.argmin(far)) if far and min(far) < _SAME_COOKIE else None
        shots.append(Shot(f"whole-{number}" if same is None else shots[same].item, image))
        known.append(looks)
    broken = [
        Shot(f"broken-{n}", image, "tear") for n, image in enumerate(cookies(data, "anomaly"))
    ]
    return shots + broken


def _boards(data: Path) -> list[Shot]:
    """Squares of boards: good where no fault's box reaches in, bad where one's middle lies."""
    shots = []
    for truth in sorted((data / _BOARDS).glob("*/*_not/*.txt")):
        folder = truth.parent.with_name(truth.parent.name.removesuffix("_not"))
        path = folder / f"{truth.stem}_test.jpg"
        board = decode_frame(path.read_bytes(), name=path.name)
        lines = truth.read_text(encoding="ascii").splitlines()
        boxes = np.array([line.replace(",", " ").split() for line in lines if line.strip()], int)
        for top in range(0, board.shape[0], _SQUARE_PX):
            for left in range(0, board.shape[1], _SQUARE_PX):
                near = boxes - np.array([left, top, left, top, 0])
                x, y = (near[:, 0] + near[:, 2]) / 2, (near[:, 1] + near[:, 3]) / 2
                inside = (np.minimum(x, y) >= 0) & (np.maximum(x, y) < _SQUARE_PX)
                reaches = (near[:, 2:4].min(axis=1) > 0) & (near[:, :2].max(axis=1) < _SQUARE_PX)
                square = np.ascontiguousarray(
                    board[top : top + _SQUARE_PX, left : left + _SQUARE_PX]
                )
                if inside.any():
                    shots.append(Shot(truth.stem, square, f"type-{boxes[inside][0, 4]}"))
                elif not reaches.any():
                    shots.append(Shot(truth.stem, square))
    return shots
