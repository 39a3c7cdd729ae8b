"""The long proof of the core: random days over the books in memory, and races in real processes.

    python -m appliance.bench.core.campaign OUT --operations 1000000 --races 100000

Works in chunks, each with a seed of its own and one JSON file in OUT, so a campaign that was stopped
goes on where it was. A race chunk has a database of its own, which is checked as a whole at its end
(its state against its record, every move, reservation and hold) and thrown away. The ablations are
the same races with a guard taken out: a campaign that does not catch them has proved nothing. Exit 1
where anything was lost.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TaskID, TimeRemainingColumn

from appliance.bench.core.databases import KINDS, POSTGRESQL, SQLITE
from appliance.bench.core.memory import WORLDS_EACH, days
from appliance.bench.core.racing.chunks import Chunks, side_by_side
from appliance.bench.core.racing.place import Place, place
from appliance.bench.core.racing.plan import races
from appliance.bench.core.racing.ring import ring
from appliance.bench.facts import commit, machine
from appliance.durable import write_atomic
from contracts.errors import BadInputError, TallymanError
from erp_link.adapters.guards import Guarding

ABLATIONS: dict[str, tuple[Guarding, ...]] = {
    SQLITE: (Guarding.FLAG_READ_FIRST, Guarding.UNGUARDED_RECEIPT),
    POSTGRESQL: (
        Guarding.FLAG_READ_FIRST,
        Guarding.NO_LOCK,
        Guarding.NOT_EXISTS,
        Guarding.UNGUARDED_RECEIPT,
    ),
}
"""One writer at a time makes NO_LOCK and NOT_EXISTS right on SQLite: nothing to catch there."""
CAUGHT_WITHIN = 300
_STEPS_EACH = 2_000
_FACTS = ("seed", "chunk", "steps")


def run(
    out: Annotated[Path, typer.Argument(help="Folder of the campaign; made, or continued.")],
    *,
    operations: Annotated[int, typer.Option(min=0, help="On the books in memory.")] = 1_000_000,
    race_count: Annotated[
        int, typer.Option("--races", min=0, help="Over all databases together.")
    ] = 100_000,
    database: Annotated[list[str], typer.Option(help="sqlite, postgresql, or both.")] = list(KINDS),  # noqa: B006 -- typer copies it
    chunk: Annotated[int, typer.Option(min=1, help="Races over one database.")] = 1_000,
    steps: Annotated[int, typer.Option(min=1, help="Operations in one world.")] = _STEPS_EACH,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    workers: Annotated[
        int, typer.Option(min=1, help="Books, and rings of eight racers, side by side.")
    ] = 2,
    work: Annotated[
        Path | None, typer.Option(help="Where databases stand meanwhile; a temporary folder.")
    ] = None,
) -> None:
    """Prove the core by trying to break it: operations, races, ablations."""
    unknown = [kind for kind in database if kind not in KINDS]
    if unknown:
        raise BadInputError(f"{unknown[0]} is no database", mend=f"Use {' or '.join(KINDS)}")
    found = carry_out(
        out,
        operations=operations,
        race_count=race_count,
        databases=database,
        chunk=chunk,
        steps=steps,
        seed=seed,
        workers=workers,
        work=work,
    )
    write_atomic(out / "result.json", json.dumps(found).encode() + b"\n")
    sys.stdout.write(json.dumps(found) + "\n")
    if found["violations"] or not found["ablations_caught"]:
        raise typer.Exit(1)


def carry_out(
    out: Path,
    *,
    operations: int,
    race_count: int,
    databases: Sequence[str] = KINDS,
    chunk: int = 1_000,
    steps: int = _STEPS_EACH,
    seed: int = 1,
    workers: int = 2,
    work: Path | None = None,
) -> dict[str, Any]:
    """Do what of the campaign in `out` is not done yet; what all of it found.

    It forks: the caller has no threads. Raises BadInputError where `out` holds another campaign.
    """
    begin(out, {"seed": seed, "chunk": chunk, "steps": steps})
    with _Bars() as progress:
        _books(out, seed, operations, steps, workers, progress)
        for at, kind in enumerate(databases):
            share = race_count // len(databases) + (at < race_count % len(databases))
            with place(kind, work) as stand:
                _race(out, stand, Chunks(seed, share, chunk), workers, progress)
                if share:
                    _ablate(out, stand, seed, progress)
    return summed(out)


def begin(out: Path, campaign: dict[str, int]) -> None:
    """Make the campaign's folder, or check that it is this campaign's. Raises BadInputError."""
    path = out / "campaign.json"
    if not path.exists():
        write_atomic(path, json.dumps({**campaign, "commit": commit()}).encode())
        return
    before = json.loads(path.read_bytes())
    if any(before.get(name) != campaign[name] for name in _FACTS):
        raise BadInputError(
            f"{out} holds another campaign: {before}",
            mend="Name another folder, or the same seed, chunk and steps",
        )


def summed(out: Path) -> dict[str, Any]:
    """What all chunks found together."""
    books = [json.loads(path.read_bytes()) for path in sorted(out.glob("books-*.json"))]
    chunks = [json.loads(path.read_bytes()) for path in sorted(out.glob("races-*.json"))]
    caught = [json.loads(path.read_bytes()) for path in sorted(out.glob("ablation-*.json"))]
    found = {
        "machine": machine(),
        "commit": commit(),
        "campaign": json.loads((out / "campaign.json").read_bytes()),
        "operations": sum(each["operations"] for each in books),
        "operation_seconds": round(sum(each["seconds"] for each in books), 1),
        "races": {
            kind: _of_kind([each for each in chunks if each["database"] == kind]) for kind in KINDS
        },
        "ablations": {f"{x['database']}/{x['guarding']}": x["caught_after"] for x in caught},
        "ablations_caught": all(each["caught_after"] for each in caught),
    }
    broken = sum(len(each["broken"]) for each in books)
    lost = sum(len(each["lost"]) + len(each["findings"]) for each in chunks)
    return {**found, "violations": broken + lost}


def _of_kind(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    for each in chunks:
        outcomes.update(each["outcomes"])
    return {
        "races": sum(each["races"] for each in chunks),
        "killed": sum(each["killed"] for each in chunks),
        "commands": outcomes.total(),
        "outcomes": dict(outcomes),
        "lost": sum(len(each["lost"]) for each in chunks),
        "findings": sum(len(each["findings"]) for each in chunks),
        # Of the wall clock: so many chunks ran side by side.
        "seconds": round(sum(each["seconds"] / each.get("beside", 1) for each in chunks), 1),
    }


def _books(
    out: Path, seed: int, operations: int, steps: int, workers: int, progress: Progress
) -> None:
    each = steps * WORLDS_EACH
    wanted = [
        number
        for number in range(-(-operations // each))
        if not (out / f"books-{number:05d}.json").exists()
    ]
    bar = progress.add_task("operations", total=len(wanted) * each)
    if not wanted:
        return
    # Forked before anything else runs here, so nothing is shared and nothing is imported again.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(
        workers,
        mp_context=context,
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    ) as pool:
        running = {pool.submit(days, seed, number, steps): number for number in wanted}
        try:
            for done in as_completed(running):
                _keep(out / f"books-{running[done]:05d}.json", done.result())
                progress.advance(bar, each)
        finally:
            pool.shutdown(cancel_futures=True)


def _race(out: Path, stand: Place, chunks: Chunks, workers: int, progress: Progress) -> None:
    """Chunks side by side: a race waits for its own turns more than it computes."""
    bar = progress.add_task(f"races on {stand.kind}", total=chunks.races)
    wanted = []
    for number in range(-(-chunks.races // chunks.each)):
        path = out / f"races-{stand.kind}-{number:05d}.json"
        numbers = chunks.numbers(number)
        if path.exists() and json.loads(path.read_bytes())["races"] >= len(numbers):
            progress.advance(bar, len(numbers))
        else:
            wanted.append((path, numbers))
    if not wanted:
        return
    with side_by_side(workers) as beside:
        jobs = {beside.start(stand, chunks.seed, numbers): path for path, numbers in wanted}
        for done in beside.ended(jobs, told=lambda races: progress.advance(bar, races)):
            _keep(jobs[done], {**done.result(), "beside": workers})


def _ablate(out: Path, stand: Place, seed: int, progress: Progress) -> None:
    kind = stand.kind
    bar = progress.add_task(f"ablations on {kind}", total=len(ABLATIONS[kind]))
    for guarding in ABLATIONS[kind]:
        path = out / f"ablation-{kind}-{guarding.value}.json"
        if not path.exists():
            with stand.migrated(f"ablation_{guarding.value}") as url:
                caught = caught_after(url, guarding, seed)
            told = {"database": kind, "guarding": guarding.value, "caught_after": caught}
            _keep(path, told)
        progress.advance(bar)


def caught_after(url: str, guarding: Guarding, seed: int) -> int:
    """How many races it took until the missing guard lost one; 0 where none of them did."""
    with ring(url, guarding=guarding) as running:
        ended = running.run(races(seed, range(CAUGHT_WITHIN)), until_lost=True)
    return ended.races if ended.lost else 0


def _keep(path: Path, found: dict[str, Any]) -> None:
    write_atomic(path, json.dumps(found).encode() + b"\n")


class _Bars(Progress):
    """Drawn by whoever advances it: a thread that draws would be a thread at every fork."""

    def __init__(self) -> None:
        columns = (
            *Progress.get_default_columns()[:-1],
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        super().__init__(*columns, console=Console(stderr=True), auto_refresh=False)
        self._drawn = time.monotonic()

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        if time.monotonic() - self._drawn > 1:
            self._drawn = time.monotonic()
            self.refresh()


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        typer.run(run)
    except TallymanError as error:
        sys.stderr.write(f"tallyman: {error}\n")
        sys.exit(2)
