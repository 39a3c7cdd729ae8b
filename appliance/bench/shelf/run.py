"""The parts of `tallyman bench shelf`, one after the other, and what they say together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.bench import facts
from appliance.bench.quietly import quietly
from appliance.bench.shelf.command import Part

Told = Callable[[str], None]
_HEADLINES = ("overlay_fps", "detections_per_s", "anchor_p50_px", "anchor_p95_px")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure, and how much of it."""

    parts: frozenset[Part]
    frames: int
    scenes: tuple[str, ...]
    camera_fps: int
    shots: int
    node_frames: int
    entries: int
    kills: int
    workers: int
    seed: int


def measure(wanted: Wanted, folder: Path, *, told: Told) -> dict[str, Any]:
    """Everything that is wanted, as `tallyman bench shelf --json` prints it."""
    with quietly():
        return _measured(wanted, folder, told)


def _measured(wanted: Wanted, folder: Path, told: Told) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "machine": facts.machine(),
        "commit": facts.commit(),
        "model_set": _model_set(),
        "seed": wanted.seed,
        # None: not measured in this run.
        **dict.fromkeys(_HEADLINES),
        "wrong_overlays": 0,
    }
    measures: dict[Part, Callable[[Wanted, Path, Told], dict[str, Any]]] = {
        Part.BROWSER: _browser,
        Part.NODE: _node,
        Part.APPLIANCE: _appliance,
        Part.OFFLINE: _offline,
        Part.PAYLOAD: _payload,
    }
    for part, measured in measures.items():
        if part not in wanted.parts:
            continue
        told(f"{part} ...")
        place = folder / str(part)
        place.mkdir()
        found = measured(wanted, place, told)
        wrong = figures["wrong_overlays"] + found.pop("wrong_overlays", 0)
        figures |= {**found, "wrong_overlays": wrong}
    return figures


def _model_set() -> str:
    """What reads damaged codes on the appliance; the phone's own reader has no model."""
    from appliance.cli.read import open_reader

    return open_reader(None, 1).model_set


def _browser(wanted: Wanted, folder: Path, told: Told) -> dict[str, Any]:
    from appliance.bench.shelf.browser import watch

    return watch(
        folder,
        frames=wanted.frames,
        seed=wanted.seed,
        fps=wanted.camera_fps,
        shots=wanted.shots,
        only=wanted.scenes,
        told=told,
    )


def _node(wanted: Wanted, folder: Path, told: Told) -> dict[str, Any]:
    from appliance.bench.shelf.campaign import carry_out

    del told
    found = carry_out(
        folder / "films", frames=wanted.node_frames, seed=wanted.seed, workers=wanted.workers
    )
    return {"wrong_overlays": found["wrong"], "node_frames": found["frames"], "node": found}


def _appliance(wanted: Wanted, folder: Path, told: Told) -> dict[str, Any]:
    from appliance.bench.shelf.appliance_side import measure as measured

    del folder, told
    return {"appliance": measured(seed=wanted.seed)}


def _offline(wanted: Wanted, folder: Path, told: Told) -> dict[str, Any]:
    from appliance.bench.shelf.offline import measure as measured

    found = measured(
        folder, entries=wanted.entries, kills=wanted.kills, seed=wanted.seed, told=told
    )
    return {
        "offline_entries": found["entries"],
        "lost_entries": found["lost"],
        "twice_entries": found["twice"],
        "cold_offline_start_s": found["cold_offline_start_s_p50"],
        "offline": found,
    }


def _payload(wanted: Wanted, folder: Path, told: Told) -> dict[str, Any]:
    from appliance.bench.shelf.payload import measure as measured

    del wanted, told
    return measured(folder)
