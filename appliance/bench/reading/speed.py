"""Cold start, rate with several workers, memory over a long run: each in fresh processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.bench.facts import median
from contracts.errors import UnavailableError

_STARTS = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What the child processes read: `files` in `folder`, with the label reader in `models`."""

    folder: Path
    files: Sequence[str]
    models: Path | None


def cold_start(reading: Reading, *, threads: int) -> dict[str, float]:
    """Seconds from the start of a process to its first reading, median and worst of a few."""
    seconds = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        with _child(reading, threads) as child:
            _next(child)
            seconds.append(time.perf_counter() - began)
    return {"median_s": round(median(seconds), 2), "worst_s": round(max(seconds), 2)}


def rate(reading: Reading, *, workers: int) -> dict[str, float]:
    """Every file read once by each of `workers` processes with one thread: frames a second,
    decoding included; the processor's milliseconds a frame, which other work on the machine does
    not change much; the memory of all of them.
    """
    frames = len(reading.files)
    with ExitStack() as stack:
        children = [stack.enter_context(_child(reading, 1)) for _ in range(workers)]
        for child in children:
            _next(child)
        began = time.perf_counter()
        for child in children:
            _ask(child, frames)
        marks = [_marks(child, frames) for child in children]
        elapsed = time.perf_counter() - began
    return {
        "workers": workers,
        "frames": workers * frames,
        "frames_per_s": round(workers * frames / elapsed, 2),
        "cpu_ms_a_frame": round(
            sum(1000 * (of[-1]["cpu_s"] - of[0]["cpu_s"]) for of in marks) / (workers * frames), 1
        ),
        "rss_mb": round(sum(of[-1]["rss_mb"] for of in marks), 1),
    }


def soak(reading: Reading, frames: int, *, threads: int) -> list[dict[str, float]]:
    """Memory of one process after 0, 100, half and all of `frames` frames."""
    with _child(reading, threads) as child:
        _next(child)
        _ask(child, frames)
        return [
            {"frames": mark["frames"], "rss_mb": mark["rss_mb"]} for mark in _marks(child, frames)
        ]


@contextmanager
def _child(reading: Reading, threads: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "appliance.bench.reading.child", str(reading.folder)]
    command += [",".join(reading.files), str(threads)]
    command += [str(reading.models)] if reading.models else []
    with subprocess.Popen(  # noqa: S603 -- our own module, no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _ask(child: subprocess.Popen[str], frames: int) -> None:
    if child.stdin is not None:
        child.stdin.write(f"{frames}\n")
        child.stdin.flush()


def _next(child: subprocess.Popen[str]) -> dict[str, float]:
    line = child.stdout.readline() if child.stdout else ""
    if not line:
        raise UnavailableError(
            "A reader in a process of its own ended early",
            mend="Its error stands above; run `tallyman read` on the same frames",
        )
    said: dict[str, float] = json.loads(line)
    return said


def _marks(child: subprocess.Popen[str], frames: int) -> list[dict[str, float]]:
    marks = [_next(child)]
    while marks[-1]["frames"] < frames:
        marks.append(_next(child))
    return marks
