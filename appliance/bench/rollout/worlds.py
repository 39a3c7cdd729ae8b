"""Many worlds in virtual time, in chunks: over stores in memory, and with something left out.

    python -m appliance.bench.rollout.worlds OUT --batches 1000000

One JSON file a world in OUT, so that a campaign that was stopped goes on where it was. The ablations
are the same worlds without pins, without watermarks, without the barrier: a check that does not catch
them has proved nothing. Exit 1 where a batch was judged by two, lost or left lying.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from appliance.bench.facts import commit, machine
from appliance.bench.rollout.world.world import SCHEDULES, Size, Without, World
from appliance.bench.side_by_side import begin, run_all
from appliance.durable import write_atomic

ABLATIONS = {
    "no_pin": Without(pin=True),
    "no_watermark": Without(watermark=True),
    "no_barrier": Without(barrier=True),
}
_SUMS = ("batches", "cartons", "boxes", "mixed", "nobody_could_judge", "lost", "undecided")
_EACH = 2_500
_CAUGHT_WITHIN = 8
"""Worlds of an ablation: two of every schedule."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One world. `missing`: the name of what it goes without, or nothing."""

    number: int
    batches: int
    seed: int
    missing: str = ""

    @property
    def file(self) -> str:
        return f"{self.missing or 'world'}-{self.number:05d}.json"


def run_one(chunk: Chunk) -> dict[str, Any]:
    """A world from its first carton to its account."""
    began = time.monotonic()
    schedule = SCHEDULES[chunk.number % len(SCHEDULES)]
    # Worlds differ in shape too: from docks of three boxes to halls of ten.
    boxes = (3, 5, 10)[chunk.number % 3]
    size = Size(chunk.batches, cells=20 // boxes, boxes_a_cell=boxes, days=4)
    without = ABLATIONS.get(chunk.missing, Without())
    told = World(schedule, size, seed=chunk.seed + chunk.number, without=without).run()
    return {**told, "missing": chunk.missing, "seconds": round(time.monotonic() - began, 1)}


def carry_out(
    out: Path, *, batches: int, seed: int = 1, workers: int = 2, tries: int = _CAUGHT_WITHIN
) -> dict[str, Any]:
    """Do what of the campaign in `out` is not done yet; what all of it found. `tries`: worlds of
    each ablation.

    It forks: the caller has no threads. Raises BadInputError where `out` holds another campaign.
    """
    begin(out, {"seed": seed, "each": min(_EACH, batches)})
    wanted = [each for each in _chunks(batches, seed, tries) if not (out / each.file).exists()]
    if wanted:
        run_all(out, wanted, run_one, workers=workers, start="fork")
    return summed(out)


def summed(out: Path) -> dict[str, Any]:
    """What all worlds found together. `holds`: the check."""
    worlds = [json.loads(path.read_bytes()) for path in sorted(out.glob("world-*.json"))]
    happened: Counter[str] = Counter()
    for each in worlds:
        happened.update(each["happened"])
    totals = {name: sum(each[name] for each in worlds) for name in _SUMS}
    ablations = {name: _ablation(out, name) for name in ABLATIONS}
    again = happened["judged again"] / max(1, totals["cartons"])
    return {
        **totals,
        "worlds": len(worlds),
        "schedules": dict(Counter(each["schedule"] for each in worlds)),
        "judged_again_percent": round(100 * again, 3),
        "happened": dict(sorted(happened.items())),
        "seconds": round(sum(each["seconds"] for each in worlds), 1),
        "ablations": ablations,
        "ablations_caught": all(each["caught"] for each in ablations.values()),
        "holds": all(each["holds"] for each in worlds),
    }


def _ablation(out: Path, name: str) -> dict[str, Any]:
    worlds = [json.loads(path.read_bytes()) for path in sorted(out.glob(f"{name}-*.json"))]
    found = {key: sum(each[key] for each in worlds) for key in ("batches", *_SUMS[3:])}
    return {**found, "caught": any(not each["holds"] for each in worlds)}


def _chunks(batches: int, seed: int, tries: int) -> Iterator[Chunk]:
    each = min(_EACH, batches)
    for number in range(-(-batches // each)):
        yield Chunk(number, min(each, batches - number * each), seed)
    for missing in ABLATIONS:
        for number in range(tries):
            yield Chunk(number, each, seed, missing)


def run(
    out: Annotated[Path, typer.Argument(help="Folder of the campaign; made, or continued.")],
    *,
    batches: Annotated[int, typer.Option(min=100)] = 1_000_000,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 2,
) -> None:
    """Prove one batch, one judge by trying to mix batches."""
    found = {"machine": machine(), "commit": commit()}
    found |= carry_out(out, batches=batches, seed=seed, workers=workers)
    write_atomic(out / "result.json", json.dumps(found).encode() + b"\n")
    typer.echo(json.dumps(found))
    if not (found["holds"] and found["ablations_caught"]):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(run)
    sys.exit()
