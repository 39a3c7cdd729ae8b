"""`tallyman bench condition`: carton condition on made cartons and on real parcel sides.

Made cartons: enrolled from good ones only, judged on others; false alarms, recall and named kind for
each damage, with the time of one frame. Real sides: parcels photographed again later (unfolded sides
of the test data), one reference each; beside the figure stands what a shortcut reaches (mean colour,
border colour, sharpness) and how the set's own similarity measures rank. Sides whose later picture
is the reference's own are left out: they show nothing.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contracts.errors import BadInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

GOOD_CARTONS = 21
_PARCELS = "boxes/tampar"
_FIELDS = {"top": (0, 1), "left": (1, 0), "center": (1, 1), "right": (1, 2), "bottom": (2, 1)}
"""Row and column of each side in an unfolded parcel."""
_FIELD_PX = 400


@dataclass(frozen=True, slots=True)
class Pair:
    """A parcel's side, then and later; `peer` is the set's own structural similarity, turned."""

    name: str
    tampered: bool
    reference: Picture
    later: Picture
    peer: float


def condition(
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="Test data; default: TALLYMAN_DATA.")
    ] = None,
    cartons: Annotated[int, typer.Option("--cartons", min=1, help="Judged a kind.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
) -> None:
    """Measure how damaged cartons are told from good ones, on one thread."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import cv2

    from appliance.bench.facts import commit, machine, peak_rss_mb

    cv2.setNumThreads(1)
    folder = data or Path(
        os.environ.get(
            "TALLYMAN_DATA", Path(__file__).resolve().parents[3].parent / "shared" / "data"
        )
    )
    result: dict[str, Any] = {
        "bench": "condition",
        "machine": machine(),
        "commit": commit(),
        "model_set": None,
        "made": made_cartons(cartons),
        "parcels": parcels(folder / _PARCELS),
    }
    result["rss_mb"] = round(peak_rss_mb(), 1)
    if not as_json:
        for name, found in result["made"].items():
            sys.stdout.write(f"{name}: {found}\n")
        sys.stdout.write(f"real sides: {result['parcels']}\n")
    sys.stdout.write(json.dumps(result) + "\n")


def made_cartons(count: int) -> dict[str, dict[str, Any]]:
    """For a printed and a plain supplier: shares in percent, processor milliseconds a frame."""
    from appliance.bench.inspecting.cartons import DAMAGES, Print, frame_of
    from vision.condition.enrolment import Shown
    from vision.condition.inspector import ConditionInspector

    inspector = ConditionInspector()
    results: dict[str, dict[str, Any]] = {}
    for name, supplier in (("printed", Print(1)), ("plain", Print(2, plain=True))):
        frames = [frame_of(supplier, seed) for seed in range(GOOD_CARTONS)]
        before = time.process_time()
        profile = inspector.enrol(
            [Shown(frame, str(n)) for n, frame in enumerate(frames)], product=name
        )
        found: dict[str, Any] = {
            "enrolled": GOOD_CARTONS,
            "enrol_cpu_s": round(time.process_time() - before, 2),
            "bound_percent": profile.sides[0].facts.bound_percent,
            "profile_kb": round(len(profile.to_bytes()) / 1024, 1),
        }
        times = []
        for damage in ("", *DAMAGES):
            seen = []
            for seed in range(1000, 1000 + count):
                frame = frame_of(supplier, seed, damage=damage)
                before = time.process_time()
                seen.append(inspector.check(frame, profile))
                times.append((time.process_time() - before) * 1000)
            found[damage or "whole"] = {
                "damaged_percent": _percent([one.decision == "defect" for one in seen]),
                "review_percent": _percent([one.decision == "review" for one in seen]),
                "kind_right_percent": _percent(
                    [damage in {part.kind for part in one.findings} for one in seen]
                )
                if damage
                else None,
            }
        found["cpu_p50_ms"] = round(sorted(times)[len(times) // 2], 1)
        results[name] = found
    return results


def parcels(folder: Path) -> dict[str, Any]:
    """Ranking of tampered sides over untouched ones, from one reference each."""
    from appliance.bench.inspecting.photos import auroc

    pairs = [pair for pair in read_pairs(folder) if not _same(pair)]
    ours, shortcut = [change_of(pair) for pair in pairs], [_shortcut(pair) for pair in pairs]
    peer = [pair.peer for pair in pairs]

    def ranked(scores: list[float]) -> float:
        bad = [score for score, pair in zip(scores, pairs, strict=True) if pair.tampered]
        good = [score for score, pair in zip(scores, pairs, strict=True) if not pair.tampered]
        return round(auroc(good, bad), 3)

    return {
        "sides": len(pairs),
        "tampered": sum(pair.tampered for pair in pairs),
        "auroc": ranked(ours),
        "shortcut": ranked(shortcut),
        "peer_ms_ssim": ranked(peer),
        "scores": {
            f"{pair.name} {'tampered' if pair.tampered else 'untouched'}": round(score, 1)
            for pair, score in zip(pairs, ours, strict=True)
        },
    }


def read_pairs(folder: Path) -> list[Pair]:
    """Every later side with its reference. Raises BadInputError where the data is not."""
    import cv2
    import numpy as np

    table = folder / "misc" / "simscores_validation.csv"
    if not table.is_file():
        raise BadInputError(f"{table} is not there", mend="Name the test data with --data")
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["gt_keypoints"] == "True"]
    pairs = []
    for row in rows:
        if row["compare_type"] != "laplacian":
            continue
        sample, side = folder / "tampar_sample", row["sideface_name"]
        reference = sample / "uvmaps" / f"id_{int(row['parcel_id']):02}_uvmap.png"
        fields = []
        for path in (reference, sample / row["view"]):
            picture = cv2.imread(str(path))
            if picture is None:
                raise BadInputError(f"{path} is not there", mend="Name the test data with --data")
            down, across = (_FIELD_PX * n for n in _FIELDS[side])
            field = picture[down : down + _FIELD_PX, across : across + _FIELD_PX]
            fields.append(np.ascontiguousarray(field, np.uint8))
        name = f"{Path(row['view']).name[:18]} {side}"
        tampered = row["tampered"] == "True"
        pairs.append(Pair(name, tampered, fields[0], fields[1], -float(row["msssim"])))
    return pairs


def change_of(pair: Pair) -> float:
    """The side's score against its one reference, whether or not it is seen well enough."""
    import numpy as np

    from vision.condition.align import look_over, place
    from vision.condition.appearance import look_at
    from vision.condition.band import changes
    from vision.condition.enrolment import Shown, score_of
    from vision.condition.inspector import ConditionInspector

    edge = float(_FIELD_PX)
    corners = np.array([(0, 0), (edge, 0), (edge, edge), (0, edge)], np.float32)
    shown = Shown(pair.reference, "reference", corners=corners)
    side = ConditionInspector().enrol([shown], product=pair.name).sides[0]
    placed = place(look_over(pair.later), side.reference, corners=corners)
    if placed is None:
        raise BadInputError(f"{pair.name} cannot be laid over its reference", mend="Report this")
    found = changes(look_at(placed.side, None, side.anchor), side.band, ignored=side.ignored)
    return score_of(found, side.facts.scales)


def _same(pair: Pair) -> bool:
    return bool((pair.reference == pair.later).all())


def _shortcut(pair: Pair) -> float:
    """What needs no comparing of places: mean colour, border colour, sharpness."""
    import numpy as np

    from vision.condition.enrolment import sharpness_of

    def measures(picture: Picture) -> list[float]:
        rim = np.concatenate([picture[:8].reshape(-1, 3), picture[-8:].reshape(-1, 3)])
        colours = [*picture.mean(axis=(0, 1)), *rim.mean(axis=0)]
        return [*(float(value) / 255 for value in colours), sharpness_of(picture)]

    then, later = measures(pair.reference), measures(pair.later)
    return sum(abs(a - b) for a, b in zip(then, later, strict=True)) / len(then)


def _percent(found: list[bool]) -> float:
    return round(100 * sum(found) / len(found), 1)
