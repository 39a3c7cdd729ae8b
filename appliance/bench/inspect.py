"""`tallyman bench inspect`: how well defects are seen, and at what cost. One part for each promise.

Every split is by physical item. Beside a figure stands what a shortcut reaches (colour, border,
sharpness, file size): a set on which that comes within 0.05 says little about seeing, and is marked.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from vision.defects.inspector import DefectInspector

_LEARN_SECONDS = 240.0


class Part(StrEnum):
    """What to measure."""

    COOKIES = "cookies"
    SPEED = "speed"
    CRACKS = "cracks"
    DRIFT = "drift"
    BOUNDS = "bounds"
    LESSONS = "lessons"


def inspect(
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="Test data; default: TALLYMAN_DATA.")
    ] = None,
    parts: Annotated[
        list[Part] | None,
        typer.Option("--part", help="Only this part; may be given again. Default: cookies, speed."),
    ] = None,
    splits: Annotated[int, typer.Option("--splits", min=1, help="Seeded splits.")] = 6,
    good: Annotated[int, typer.Option("--good", min=3, help="Cells enrolled for cracks.")] = 100,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, help="Learning cracks of one product.")
    ] = _LEARN_SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
    models: Annotated[Path | None, typer.Option("--models", help="Another backbone.")] = None,
) -> None:
    """Measure defect detection on real photos, and its speed at 512 x 512 px on one thread."""
    # One thread means one thread: numpy's matrix products read this when they are first loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import cv2

    from appliance.bench.facts import commit, machine, peak_rss_mb
    from appliance.cli.inspect import open_inspector

    cv2.setNumThreads(1)
    inspector = open_inspector(models, threads=1)
    folder = data or Path(
        os.environ.get(
            "TALLYMAN_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"
        )
    )

    def say(line: str) -> None:
        if not as_json:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    result: dict[str, Any] = {
        "bench": "inspect",
        "machine": machine(),
        "commit": commit(),
        "model_set": inspector.model_set,
        "crack_network": inspector.cracks.model_set if inspector.cracks else None,
    }
    for part in parts or [Part.COOKIES, Part.SPEED]:
        say(f"{part.value}:")
        if part is Part.CRACKS:
            found = _cracks(inspector, folder, splits, good, seconds, say)
        else:
            found = _MEASURES[part](inspector, folder, splits)
            _show(found, say)
        # DESIGN's contract has the times of one picture at the top of the line.
        result |= found if part is Part.SPEED else {part.value: found}
    result["rss_mb"] = round(peak_rss_mb(), 1)
    sys.stdout.write(json.dumps(result) + "\n")


def _cookies(inspector: DefectInspector, data: Path, splits: int) -> dict[str, Any]:
    from appliance.bench.inspecting.goods import photos, ranked, verdicts

    good, bad = photos(inspector, data, "normal"), photos(inspector, data, "anomaly")
    return {
        "good": len(good),
        "good_items": len({photo.item for photo in good}),
        "bad": len(bad),
        "splits": splits,
        "auroc": ranked(inspector, good, bad, splits),
        "verdicts": verdicts(inspector, good, bad, splits),
    }


def _speed(inspector: DefectInspector, data: Path, _: int) -> dict[str, Any]:
    from appliance.bench.inspecting.goods import photos, speed

    return speed(inspector, photos(inspector, data, "normal"))


def _drift(inspector: DefectInspector, data: Path, splits: int) -> dict[str, Any]:
    from appliance.bench.inspecting.drift_runs import drift_runs
    from appliance.bench.inspecting.remembered import cookies, remembering

    seeing = remembering(inspector)
    return drift_runs(seeing, cookies(data, "normal"), cookies(data, "anomaly"), splits=splits)


def _bounds(inspector: DefectInspector, data: Path, _: int) -> dict[str, Any]:
    from appliance.bench.inspecting.recalibration import made_scores, photo_scores
    from appliance.bench.inspecting.remembered import cookies, remembering

    made = {
        f"{items} items, {bound} %": made_scores(items=items, bound_percent=bound)
        for items, bound in ((19, 5), (60, 5), (49, 2), (99, 1))
    }
    return {**made, "cookies": photo_scores(remembering(inspector), cookies(data, "normal"))}


def _lessons(inspector: DefectInspector, data: Path, splits: int) -> dict[str, Any]:
    from appliance.bench.inspecting.lessons import lessons

    return lessons(inspector, data, splits=splits)


_MEASURES: dict[Part, Callable[[DefectInspector, Path, int], dict[str, Any]]] = {
    Part.COOKIES: _cookies,
    Part.SPEED: _speed,
    Part.DRIFT: _drift,
    Part.BOUNDS: _bounds,
    Part.LESSONS: _lessons,
}


def _cracks(
    inspector: DefectInspector,
    data: Path,
    splits: int,
    good: int,
    seconds: float,
    say: Callable[[str], None],
) -> dict[str, Any]:
    from appliance.bench.inspecting import cracks

    found: dict[str, Any] = {}
    folder = cracks.solar_folder()
    if folder is None:
        say("  solar cells: left out, the package elpv-dataset is not installed here")
    else:
        cells = cracks.cells(folder, "mono")
        found["solar_cells"] = [
            cracks.measure_cells(
                inspector, cells, good=good, most=300, seconds=seconds, seed=seed, say=say
            )
            for seed in range(splits)
        ]
    if inspector.cracks is not None:
        pieces = cracks.workpieces(data)
        found["workpieces"] = cracks.measure_workpieces(
            inspector.cracks, pieces, seconds=seconds, say=say
        )
    return found


def _show(found: dict[str, Any], say: Callable[[str], None], indent: str = "  ") -> None:
    """Plain lines: a table's rows below its name."""
    for name, value in found.items():
        if isinstance(value, dict) and any(isinstance(one, dict) for one in value.values()):
            say(f"{indent}{name}")
            _show(value, say, indent + "  ")
        elif isinstance(value, dict):
            say(f"{indent}{name:<24} " + ", ".join(f"{k} {v}" for k, v in value.items()))
        else:
            say(f"{indent}{name:<24} {value}")
