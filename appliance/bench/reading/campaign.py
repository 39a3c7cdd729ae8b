"""A long campaign: the misread curve by damage from tens of thousands of rendered frames.

    python -m appliance.bench.reading.campaign OUT --count 30000 --fonts FONTS

Works in chunks: render, read, throw the pictures away. Each frame's measurement is one JSON line
in OUT/frames-NNNNN.jsonl, so a campaign that was stopped goes on where it was. It is one campaign
only while seed, chunk, profile and model set stay what OUT/campaign.json says. The end is a table
and OUT/result.json; `--count 0` only sums up what is there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

# Before numpy is first imported, as in appliance.cli.main; children inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from appliance.bench.facts import commit
from appliance.bench.label_truth import read_truth
from appliance.bench.lines_found import read_lines
from appliance.bench.read import facts, times
from appliance.bench.reading.goals import held_to
from appliance.bench.reading.lists import expected_of
from appliance.bench.reading.measure import Measured, measure
from appliance.bench.reading.scoring import lines_found, quality
from appliance.bench.reading.tables import show_misreads
from appliance.cli.read import open_reader
from appliance.durable import write_atomic
from contracts.errors import BadInputError, TallymanError, UnavailableError

_RENDERER = "models/recipes/label_reader/frames/render.py"
_SEEDS_A_CAMPAIGN = 1_000_000


@dataclass(frozen=True, slots=True)
class Campaign:
    """What makes it one: `chunk` frames are rendered together, from a seed of their own."""

    seed: int
    chunk: int
    profile: str
    model_set: str
    commit: str = ""
    """Of the code: a campaign that goes on with other code would mix two readers in one curve."""


@dataclass(frozen=True, slots=True)
class Work:
    """Where a campaign lives and what it runs with."""

    out: Path
    campaign: Campaign
    renderer: Path
    fonts: Path | None
    models: Path | None

    def log(self, number: int) -> Path:
        return self.out / f"frames-{number:05d}.jsonl"


def run(
    out: Annotated[Path, typer.Argument(help="Folder of the campaign; made, or continued.")],
    *,
    count: Annotated[int, typer.Option(min=0, help="Frames in all, in whole chunks.")] = 30_000,
    chunk: Annotated[int, typer.Option(min=1, help="Frames rendered together.")] = 360,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    profile: Annotated[str, typer.Option(help="Of the renderer.")] = "second",
    fonts: Annotated[Path | None, typer.Option(help="Filled by the recipe's fonts.py.")] = None,
    models: Annotated[Path | None, typer.Option(help="Another label reader.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    renderer: Annotated[Path | None, typer.Option(help="Another renderer.")] = None,
    only: Annotated[int | None, typer.Option(hidden=True, help="One chunk, in a child.")] = None,
) -> None:
    """Render frames, read them, and say how many were misread at each grade of damage."""
    reader = open_reader(models, 1)
    campaign = Campaign(seed, chunk, profile, reader.model_set, commit())
    root = Path(__file__).resolve().parents[3]
    work = Work(out, campaign, renderer or root / _RENDERER, fonts, models)
    if only is not None:
        read_chunk(work, only)
        return
    begin(work)
    _run_chunks(work, [n for n in range(-(-count // chunk)) if not _whole(work, n)], workers)
    frames = [each for log in sorted(out.glob("frames-*.jsonl")) for each in kept(log)]
    if not frames:
        raise BadInputError(f"{out} holds no frames yet", mend="Run the campaign with --count")
    result: dict[str, Any] = {
        **facts(reader, f"campaign_{profile}", len(frames), 1),
        "campaign": asdict(campaign),
        **times(frames),
        **quality(frames),
        "lines_found": lines_found(frames),
    }
    result["goals"] = held_to(result)
    text = json.dumps(result)
    write_atomic(out / "result.json", text.encode() + b"\n")
    console = Console()
    for way, words in (("with_list", "with the list"), ("without_list", "without the list")):
        if way in result:
            show_misreads(console, result[way]["misreads"], words)
    sys.stdout.write(text + "\n")


def begin(work: Work) -> None:
    """Make the campaign's folder, or check that it is this campaign's. Raises BadInputError."""
    path = work.out / "campaign.json"
    if path.exists():
        before = msgspec.json.decode(path.read_bytes(), type=Campaign)
        if before != work.campaign:
            raise BadInputError(
                f"{work.out} holds another campaign: {before}, not {work.campaign}",
                mend="Name another folder, or the same seed, chunk, profile, model set and code",
            )
    else:
        write_atomic(path, msgspec.json.encode(work.campaign))


def read_chunk(work: Work, number: int) -> None:
    """Render chunk `number` and read what of it is not read yet."""
    log = work.log(number)
    done = kept(log)
    # A line that was cut short by a kill must not stay in front of the next one.
    write_atomic(log, b"".join(msgspec.json.encode(each) + b"\n" for each in done))
    files = {each.file for each in done}
    reader = open_reader(work.models, 1)
    pictures = work.out / f"rendering-{number:05d}"
    try:
        _render(work, number, pictures)
        expected = expected_of(pictures)
        lines = {each.file: each for each in read_lines(pictures)}
        with log.open("ab") as out:
            for truth in read_truth(pictures):
                if truth.file not in files:
                    found = measure(reader, expected, pictures, truth, lines.get(truth.file))
                    out.write(msgspec.json.encode(found) + b"\n")
                    out.flush()
    finally:
        shutil.rmtree(pictures, ignore_errors=True)


def kept(log: Path) -> list[Measured]:
    """The frames of a chunk that were read; a last line that a kill cut short is left out."""
    if not log.exists():
        return []
    lines = log.read_bytes().split(b"\n")
    # What follows the last line end is nothing, or half a line.
    return [msgspec.json.decode(line, type=Measured) for line in lines[:-1]]


def _whole(work: Work, number: int) -> bool:
    return len(kept(work.log(number))) >= work.campaign.chunk


def _render(work: Work, number: int, pictures: Path) -> None:
    shutil.rmtree(pictures, ignore_errors=True)
    campaign = work.campaign
    command = [sys.executable, str(work.renderer), "--profile", campaign.profile]
    command += ["--count", str(campaign.chunk), "--out", str(pictures)]
    command += ["--seed", str(campaign.seed * _SEEDS_A_CAMPAIGN + number)]
    command += ["--fonts", str(work.fonts)] if work.fonts else []
    if not work.renderer.exists():
        raise BadInputError(f"{work.renderer} does not exist", mend="Run this in a checkout")
    _ended_well(command, f"chunk {number} was not rendered")


def _run_chunks(work: Work, numbers: Sequence[int], workers: int) -> None:
    console = Console(stderr=True)
    with (
        Progress(console=console, disable=not console.is_terminal) as progress,
        ThreadPoolExecutor(workers) as pool,
    ):
        bar = progress.add_task("chunks", total=len(numbers))
        running = [pool.submit(_in_a_child, work, number) for number in numbers]
        try:
            for each in as_completed(running):
                each.result()
                progress.advance(bar)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _in_a_child(work: Work, number: int) -> None:
    """A process a chunk: nothing is shared, and nothing is left behind when one is killed."""
    campaign = work.campaign
    command = [sys.executable, "-m", "appliance.bench.reading.campaign", str(work.out)]
    command += ["--only", str(number), "--chunk", str(campaign.chunk)]
    command += ["--seed", str(campaign.seed), "--profile", campaign.profile]
    command += ["--renderer", str(work.renderer)]
    command += ["--fonts", str(work.fonts)] if work.fonts else []
    command += ["--models", str(work.models)] if work.models else []
    _ended_well(command, f"chunk {number} was not read")


def _ended_well(command: Sequence[str], otherwise: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own interpreter on our own scripts
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UnavailableError(
            f"{otherwise}: {said[-1] if said else done.returncode}",
            mend="Mend that and run the campaign again; it goes on where it was",
        )


if __name__ == "__main__":
    try:
        typer.run(run)
    except TallymanError as error:
        sys.stderr.write(f"tallyman: {error}\n")
        sys.exit(2)
