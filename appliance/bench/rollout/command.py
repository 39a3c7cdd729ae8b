"""`tallyman bench rollout`: one batch, one judge; gates; updates of real boxes; polls of very many."""

from __future__ import annotations

import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Part(StrEnum):
    """What to measure."""

    WORLDS = "worlds"
    """Batches over stores in memory, in virtual time, with ablations."""
    FLEETS = "fleets"
    """Real agents, registry and rollouts in virtual time."""
    CORE = "core"
    """Batches through the real core on its database."""
    GATES = "gates"
    SIZES = "sizes"
    POLLS = "polls"
    BOXES = "boxes"
    """Real processes, updated from start to finish."""


def rollout(
    *,
    part: Annotated[
        list[Part] | None, typer.Option("--part", help="Only these; repeatable. Default: all.")
    ] = None,
    batches: Annotated[
        int, typer.Option(min=100, help="In memory; the goal speaks of 1000000.")
    ] = 10_000,
    core_batches: Annotated[
        int, typer.Option(min=10, help="Through the real core; the goal speaks of 10000.")
    ] = 200,
    fleets: Annotated[int, typer.Option(min=1, help="Of twelve real agents, three days each.")] = 2,
    rollouts: Annotated[
        int, typer.Option(min=10, help="Of each candidate; the goal speaks of 10000.")
    ] = 300,
    boxes: Annotated[
        int, typer.Option(min=60, help="That poll; the goal speaks of 100000.")
    ] = 6_000,
    seconds: Annotated[float, typer.Option(min=1, max=100, help="Of polls.")] = 15.0,
    every: Annotated[
        float, typer.Option(min=1, help="Seconds between two polls of a box; 60 in the field.")
    ] = 60.0,
    agents: Annotated[int, typer.Option(min=1, max=200, help="Real boxes.")] = 20,
    frames: Annotated[
        Path | None, typer.Option(help="Folder of pictures for the real boxes; else drawn ones.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worlds side by side.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of every random choice.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Updates, measured: is a batch ever judged by two, is harm stopped, what does a poll cost."""
    import json

    from appliance.bench.rollout.run import Wanted, measure

    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    wanted = Wanted(
        parts=frozenset(part or Part),
        batches=batches,
        core_batches=core_batches,
        fleets=fleets,
        rollouts=rollouts,
        boxes=boxes,
        seconds=seconds,
        every_s=every,
        agents=agents,
        frames=frames.resolve() if frames else None,
        workers=workers,
        seed=seed,
    )
    with tempfile.TemporaryDirectory(prefix="tallyman-bench-") as folder:
        found = measure(wanted, Path(folder), told=lambda line: typer.echo(line, err=True))
    typer.echo(json.dumps(found) if as_json else json.dumps(found, indent=2))
    if found.get("mixed_batches") or found.get("ablations_caught") is False:
        raise typer.Exit(1)
