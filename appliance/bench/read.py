"""`tallyman bench read`: how many frames are read right, how many wrong ones are let through.

Two questions that must not be mixed. Forced choice: is the best answer right? Abstention: of the
frames accepted, how many are wrong? Confidences and thresholds are those of the model set; how far
a set of frames had a part in choosing them stands in the set's quality record.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from appliance.bench.label_truth import Truth
    from appliance.bench.reading.measure import Measured
    from contracts.asn import ExpectedLine
    from vision.reading.reader import LabelReader

_CHILDREN_READ = 120
"""So many frames of a set are enough to measure speed and memory with."""


def read(
    *,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--set", help="Folder with truth.json, frames and, where there is one, asn.csv."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Only so many frames.")
    ] = None,
    models: Annotated[Path | None, typer.Option("--models", help="Another label reader.")] = None,
    threads: Annotated[int, typer.Option("--threads", min=1)] = 2,
    peers: Annotated[bool, typer.Option(help="Installed peers beside ours.")] = True,
    peer_limit: Annotated[
        int | None, typer.Option("--peer-limit", min=1, help="Only so many frames for peers.")
    ] = None,
    cold: Annotated[bool, typer.Option("--cold-start", help="Measure the cold start.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Measure the rate of so many processes.")
    ] = None,
    soak: Annotated[
        int | None, typer.Option("--soak", min=2, help="Measure memory over so many frames.")
    ] = None,
    photos: Annotated[
        bool, typer.Option("--photos", help="Real photos of TALLYMAN_DATA too.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option("--record", help="Quality record to write the figures into.")
    ] = None,
) -> None:
    """Measure label reading on frames with known truth."""
    from appliance.bench.facts import peak_rss_mb
    from appliance.bench.label_truth import read_truth
    from appliance.bench.lines_found import read_lines
    from appliance.bench.reading.goals import held_to
    from appliance.bench.reading.lists import expected_of
    from appliance.bench.reading.measure import measure
    from appliance.bench.reading.photos import real_photos
    from appliance.bench.reading.record import write_record
    from appliance.bench.reading.scoring import lines_found, quality
    from appliance.bench.reading.tables import show
    from appliance.cli.read import open_reader

    data = folder or data_folder() / "labels" / "damaged_dev"
    truths = read_truth(data, limit=limit)
    lines = {each.file: each for each in read_lines(data)}
    expected = expected_of(data)
    reader = open_reader(models, threads)
    frames = [
        measure(reader, expected, data, truth, lines.get(truth.file))
        for truth in _track(truths, "tallyman")
    ]
    result: dict[str, Any] = {
        **facts(reader, data.resolve().name, len(frames), threads),
        **times(frames),
        "rss_mb": round(peak_rss_mb(), 1),
        **quality(frames),
    }
    if lines:
        result["lines_found"] = lines_found(frames)
    result |= _speed(data, truths, models, threads, cold=cold, workers=workers, soak=soak)
    if peers:
        result |= _peers(
            reader, expected, data, read_truth(data, limit=peer_limit or limit), frames
        )
    if photos:
        result["photos"] = real_photos(data_folder() / "labels")
    result["goals"] = held_to(result)
    if record:
        write_record(record, result)
    if not as_json:
        show(result)
    sys.stdout.write(json.dumps(result) + "\n")


def facts(reader: LabelReader, name: str, frames: int, threads: int) -> dict[str, Any]:
    """What every run of this bench says about itself."""
    from appliance.bench.facts import commit, machine

    return {
        "bench": "read",
        "machine": machine(),
        "commit": commit(),
        "model_set": reader.model_set,
        "set": name,
        "frames": frames,
        "threads": threads,
    }


def times(frames: Sequence[Measured]) -> dict[str, Any]:
    """Milliseconds of a frame: from the decoded picture to the reading, and by step."""
    from appliance.bench.facts import median, percentile

    def both(values: list[float]) -> dict[str, float]:
        return {"p50_ms": round(median(values), 1), "p95_ms": round(percentile(values, 95), 1)}

    processor = both([each.cpu_ms for each in frames])
    steps = list(frames[0].stages) if frames else []
    return {
        **both([each.ms for each in frames]),
        **{f"cpu_{name}": value for name, value in processor.items()},
        "stages": {step: both([each.stages[step] for each in frames]) for step in steps},
    }


def data_folder() -> Path:
    """The folder of real photos and rendered sets, outside the repository."""
    import os

    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("TALLYMAN_DATA", root.parent / "shared" / "data"))


def _speed(
    data: Path,
    truths: Sequence[Truth],
    models: Path | None,
    threads: int,
    *,
    cold: bool,
    workers: int | None,
    soak: int | None,
) -> dict[str, Any]:
    from appliance.bench.reading import speed

    reading = speed.Reading(data, [each.file for each in truths[:_CHILDREN_READ]], models)
    found: dict[str, Any] = {}
    if cold:
        found["cold_start"] = speed.cold_start(reading, threads=threads)
    if workers:
        found["workers"] = speed.rate(reading, workers=workers)
    if soak:
        found["soak"] = speed.soak(reading, soak, threads=threads)
    return found


def _peers(
    reader: LabelReader,
    expected: Sequence[ExpectedLine],
    data: Path,
    truths: Sequence[Truth],
    frames: Sequence[Measured],
) -> dict[str, Any]:
    from appliance.bench.reading.peers import compare, installed
    from appliance.bench.reading.scoring import grouped, percents

    found = {
        peer.name: compare(peer, data, _track(truths, peer.name), expected, reader.matcher.charset)
        for peer in installed()
    }
    if not found:
        return {}
    files = {truth.file for truth in truths}
    same = grouped([each for each in frames if each.file in files])
    ours: dict[str, Any] = {"frames": len(same["all"])}
    if expected:
        ours["right_with_list_percent"] = percents(
            same, lambda each: each.with_list is not None and each.with_list.right
        )
    ours["right_without_list_percent"] = percents(same, lambda each: each.without_list.right)
    return {"peers": found, "ours_on_the_same": ours}


def _track(truths: Sequence[Truth], what: str) -> Iterable[Truth]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(truths, description=what, console=console, disable=not console.is_terminal)
