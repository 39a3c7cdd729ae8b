"""Cookies, real photos: how broken ones rank, what is decided under a bound, and at what cost.

Splits are by physical cookie; photos nearly alike are of one. Photos are by hand, without a fixed
camera, so scenes and light vary more than at a station.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.bench.facts import median, percentile
from appliance.bench.inspecting.photos import Picture, auroc, fails, shortcut, shortcut_score
from appliance.bench.inspecting.remembered import COOKIES
from contracts.errors import BadInputError
from contracts.inspection import InspectDecision
from vision.defects.backbone import analysis_size
from vision.defects.inspector import DefectInspector
from vision.defects.places import cells
from vision.frames import decode_frame

ENROLLED = (1, 5, 10)
ENROLLED_FOR_VERDICTS = 22
SPEED_SIDE_PX = 512
SPEED_ROUNDS = 60
DARKER = 0.85
_SAME_ITEM = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    item: str
    image: Picture
    shortcut: tuple[float, ...]


def photos(inspector: DefectInspector, data: Path, kind: str) -> list[Photo]:
    """Photos with the item each one shows. Raises BadInputError where there are none."""
    paths = sorted((data / COOKIES).glob(f"{kind}-*.jpg"))
    if not paths:
        raise BadInputError(f"No photos in {data / COOKIES}", mend="Name the test data with --data")
    found: list[Photo] = []
    known: list[NDArray[np.float32]] = []
    for path in paths:
        content = path.read_bytes()
        image = decode_frame(content, name=path.name)
        height, width = image.shape[:2]
        looks = cells(inspector.backbone.patches(image, analysis_size(width, height)))
        far = [1.0 - float((looks * one).sum(axis=2).mean()) for one in known]
        nearest = int(np.argmin(far)) if far else -1
        same = bool(far) and far[nearest] < _SAME_ITEM
        known.append(looks)
        item = found[nearest].item if same else path.stem
        found.append(Photo(item, image, shortcut(image, len(content))))
    return found


def ranked(
    inspector: DefectInspector, good: Sequence[Photo], bad: Sequence[Photo], splits: int
) -> dict[str, Any]:
    """AUROC by number of good cookies, with and without cracks, a shortcut beside them."""
    plain = DefectInspector(inspector.backbone, inspector.model_set)
    found = {}
    for count in ENROLLED:
        rows: dict[str, list[float]] = {"ours": [], "without_cracks": [], "shortcut": []}
        seconds = []
        for seed in range(splits):
            enrolled, held_out = _split(good, count, seed)
            for name, eye in (("ours", inspector), ("without_cracks", plain)):
                began = time.perf_counter()
                profile = _enrol(eye, enrolled)
                if eye is inspector:
                    seconds.append(time.perf_counter() - began)
                score = _scorer(eye, profile)
                rows[name].append(auroc([*map(score, held_out)], [*map(score, bad)]))
            usual = [photo.shortcut for photo in enrolled]
            cheap = [
                [shortcut_score(usual, photo.shortcut) for photo in shown]
                for shown in (held_out, bad)
            ]
            rows["shortcut"].append(auroc(*cheap))
        mean = {name: float(np.mean(values)) for name, values in rows.items()}
        found[str(count)] = {
            "mean": round(mean["ours"], 3),
            "median": round(median(rows["ours"]), 3),
            "worst": round(min(rows["ours"]), 3),
            "crack_cost": round(mean["without_cracks"] - mean["ours"], 4),
            "shortcut_mean": round(mean["shortcut"], 3),
            "says_little": fails(mean["ours"], mean["shortcut"]),
            "enrol_s": round(median(seconds), 2),
        }
    return found


def verdicts(
    inspector: DefectInspector, good: Sequence[Photo], bad: Sequence[Photo], splits: int
) -> dict[str, Any]:
    """Decisions on single pictures under a stated bound, and under a lamp 15 % darker."""
    counts = {name: dict.fromkeys(InspectDecision, 0) for name in ("good", "bad", "darker")}
    bound: int | None = None
    items = 0
    for seed in range(splits):
        enrolled, held_out = _split(good, ENROLLED_FOR_VERDICTS, seed)
        profile = _enrol(inspector, enrolled)
        bound, items = profile.facts.bound_percent, profile.good_items
        darker = [
            Photo(photo.item, (photo.image * DARKER).astype(np.uint8), ()) for photo in held_out
        ]
        for name, shown in (("good", held_out), ("bad", bad), ("darker", darker)):
            for photo in shown:
                seen = inspector.inspect(photo.image, profile, name="").inspection
                counts[name][seen.decision] += 1
    return {
        "enrolled_items": items,
        "bound_percent": bound,
        **{
            f"{name}_percent": {
                decision.value: round(100 * count / max(1, sum(found.values())), 1)
                for decision, count in found.items()
            }
            for name, found in counts.items()
        },
    }


def speed(inspector: DefectInspector, good: Sequence[Photo]) -> dict[str, Any]:
    """Milliseconds of `inspect` on decoded frames with heatmap, and size of the profile."""
    side = (SPEED_SIDE_PX, SPEED_SIDE_PX)
    frames = [np.asarray(cv2.resize(photo.image, side), np.uint8) for photo in good]
    plain = DefectInspector(inspector.backbone, inspector.model_set)
    found: dict[str, Any] = {"frame_px": SPEED_SIDE_PX, "threads": 1}
    for name, eye in (("", inspector), ("without_cracks_", plain)):
        profile = eye.enrol(frames[:ENROLLED_FOR_VERDICTS], product="cookie")
        times, processor = [], []
        for number in range(SPEED_ROUNDS):
            before = time.process_time()
            seen = eye.inspect(frames[number % len(frames)], profile, name="").inspection
            processor.append((time.process_time() - before) * 1000)
            times.append(seen.elapsed_ms)
        found |= {
            f"{name}p50_ms": round(median(times), 1),
            f"{name}p95_ms": round(percentile(times, 95), 1),
            # The processor's own time: what stays the same on a machine that does other work too.
            f"{name}cpu_p50_ms": round(median(processor), 1),
            f"{name}profile_kb": round(len(profile.to_bytes()) / 1024, 1),
        }
    return found


def _split(shown: Sequence[Photo], items: int, seed: int) -> tuple[list[Photo], list[Photo]]:
    """One photo each of `items` drawn items, and every photo of the other items."""
    names = sorted({photo.item for photo in shown})
    drawn = {names[n] for n in np.random.default_rng(seed).permutation(len(names))[:items]}
    first = {photo.item: photo for photo in reversed(shown)}
    return [first[name] for name in sorted(drawn)], [p for p in shown if p.item not in drawn]


def _enrol(inspector: DefectInspector, enrolled: Sequence[Photo]) -> Any:
    images, items = [p.image for p in enrolled], [p.item for p in enrolled]
    return inspector.enrol(images, product="cookie", items=items)


def _scorer(inspector: DefectInspector, profile: Any) -> Callable[[Photo], float]:
    return lambda photo: inspector.inspect(photo.image, profile, name="").inspection.score
