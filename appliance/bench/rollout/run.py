"""The parts of `tallyman bench rollout`, one after the other, and what they say together."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from appliance.bench import facts
from appliance.bench.quietly import quietly
from appliance.bench.rollout import gates, sizes, whole, worlds
from appliance.bench.rollout.command import Part
from ota.gates.gate import GatePolicy, Signal

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure, and how much of it."""

    parts: frozenset[Part]
    batches: int
    core_batches: int
    fleets: int
    rollouts: int
    boxes: int
    seconds: float
    every_s: float
    agents: int
    frames: Path | None
    workers: int
    seed: int


def measure(wanted: Wanted, folder: Path, *, told: Told) -> dict[str, Any]:
    """Everything that is wanted, as `tallyman bench rollout --json` prints it."""
    with quietly():
        return _measured(wanted, folder, told)


def _measured(wanted: Wanted, folder: Path, told: Told) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "machine": facts.machine(),
        "commit": facts.commit(),
        "model_set": _installed(),
        "seed": wanted.seed,
        "mixed_batches": 0,
    }
    measures: dict[Part, Callable[[Wanted, Path], dict[str, Any]]] = {
        # First of all: it forks, and the parts after it have threads.
        Part.WORLDS: _worlds,
        Part.FLEETS: _fleets,
        Part.CORE: _core,
        Part.GATES: _gates,
        Part.SIZES: _sizes,
        Part.POLLS: _polls,
        Part.BOXES: _boxes,
    }
    for part, measured in measures.items():
        if part not in wanted.parts:
            continue
        told(f"{part} ...")
        place = folder / str(part)
        place.mkdir()
        found = measured(wanted, place)
        mixed = figures["mixed_batches"] + found.pop("mixed_batches", 0)
        figures |= {**found, "mixed_batches": mixed}
    return figures


def _installed() -> str:
    from appliance.bench.rollout.plant.network import installed

    return installed().digest


def _worlds(wanted: Wanted, folder: Path) -> dict[str, Any]:
    found = worlds.carry_out(
        folder / "worlds", batches=wanted.batches, seed=wanted.seed, workers=wanted.workers
    )
    return {
        "mixed_batches": found["mixed"],
        "ablations": found["ablations"],
        "ablations_caught": found["ablations_caught"],
        "worlds": {key: found[key] for key in found if not key.startswith("ablations")},
    }


def _fleets(wanted: Wanted, folder: Path) -> dict[str, Any]:
    from appliance.bench.rollout.fleet import world

    del folder
    told = [
        world.run_one(world.Size(), world.Troubles(), seed=wanted.seed + number)
        for number in range(wanted.fleets)
    ]
    names = ("batches", "boxes", "mixed", "nobody_could_judge", "lost", "undecided", "not_whole")
    sums = {name: sum(int(str(each[name])) for each in told) for name in names}
    holds = all(each["holds"] for each in told)
    return {"mixed_batches": sums["mixed"], "fleets": {**sums, "holds": holds, "each": told}}


def _core(wanted: Wanted, folder: Path) -> dict[str, Any]:
    from appliance.bench.rollout import in_core

    found = in_core.run(folder, batches=wanted.core_batches, seed=wanted.seed)
    return {"mixed_batches": int(str(found["mixed"])), "core": found}


def _gates(wanted: Wanted, folder: Path) -> dict[str, Any]:
    del folder
    policy, harm = GatePolicy(), Signal.HARM
    good = gates.Candidate("good", gates.GOOD)
    limit = gates.Candidate("at every limit", gates.at_the_limit(policy))
    tenth = gates.Candidate("10 % harm", {**gates.GOOD, harm: 0.1})
    third = gates.Candidate("30 % harm", {**gates.GOOD, harm: 0.3})
    odd = gates.Candidate("30 % harm on one box of five", gates.GOOD, {harm: 0.3})
    waves = [
        gates.many(each, rollouts=wanted.rollouts, seed=wanted.seed)
        for each in (good, limit, tenth, third, odd)
    ]
    rollouts = [
        whole.many(each, rollouts=wanted.rollouts, seed=wanted.seed)
        for each in (good, limit, tenth)
    ]
    return {
        "false_abort_percent": rollouts[0].aborted_percent,
        "false_abort_at_the_limit_percent": rollouts[1].aborted_percent,
        "harm_stop_frames_p50": waves[2].frames_to_abort_p50,
        "bad_box_of_five_frames_p50": waves[4].first_box_frames_p50,
        "gates": [asdict(each) for each in waves],
        "whole_rollouts": [asdict(each) for each in rollouts],
    }


def _sizes(wanted: Wanted, folder: Path) -> dict[str, Any]:
    del wanted, folder
    return {"deltas": [{**asdict(each), "percent": each.percent} for each in sizes.changes()]}


def _polls(wanted: Wanted, folder: Path) -> dict[str, Any]:
    from appliance.bench.rollout.polling.run import polls

    found = polls(folder, boxes=wanted.boxes, seconds=wanted.seconds, every_s=wanted.every_s)
    both = found["bytes_there"] + found["bytes_back"]
    return {"polls": found, "poll_bytes": both, "poll_p99_ms": found["p99_ms"]}


def _boxes(wanted: Wanted, folder: Path) -> dict[str, Any]:
    from appliance.bench.rollout.plant.frames import drawn
    from appliance.bench.rollout.plant.plant import Plant
    from appliance.bench.rollout.plant.story import Story

    # Two cores for all of them: a library's threads would only take them from each other.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    frames = wanted.frames or drawn(folder / "frames")
    story = Story(Plant(folder / "plant", frames, boxes=wanted.agents))
    story.prepare()
    with story.plant.running():
        story.begin()
        story.update()
        story.spoil()
        story.settle()
    account = story.add_up()
    return {
        "mixed_batches": account.mixed_batches,
        "update_seconds": round(account.updated_s, 1),
        "boxes": {**asdict(account), "holds": account.holds},
    }
