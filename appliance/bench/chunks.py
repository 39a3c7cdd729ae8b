"""A campaign of kills in chunks, each with a seed and one JSON file, so that one that was stopped goes
on where it was, and the account of all that were run.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import typer

from appliance.bench.facts import commit, machine
from appliance.durable import write_atomic

Told = dict[str, Any]
"""What became of one chunk: `seed`, `holds`, `harm` (what happened how often) and counts."""


def run_missing(
    out: Path,
    kills: int,
    *,
    seed: int,
    size: int,
    run_chunk: Callable[[Path, int, int], Coroutine[Any, Any, Told]],
    quiet: Sequence[str] = (),
) -> None:
    """Run the chunks of `size` kills that `out` does not hold yet; `seed` is the first one's.

    run_chunk gets an empty folder, its seed and how many kills. quiet: keys that are written and
    not printed.
    """
    out.mkdir(parents=True, exist_ok=True)
    for number in range(-(-kills // size)):
        path = out / f"chunk-{seed + number:05d}.json"
        if path.exists():
            continue
        todo = min(size, kills - number * size)
        with tempfile.TemporaryDirectory(prefix="tallyman-kills-") as folder:
            told = asyncio.run(run_chunk(Path(folder), seed + number, todo))
        write_atomic(path, json.dumps(told, indent=1).encode())
        typer.echo(json.dumps({key: value for key, value in told.items() if key not in quiet}))


def account(out: Path, counts: Sequence[str]) -> int:
    """Print the sum of `counts` over every chunk in `out`, and which do not hold. Exit status: 1
    where one does not.
    """
    chunks: list[Told] = [
        json.loads(each.read_bytes()) for each in sorted(out.glob("chunk-*.json"))
    ]
    total: Told = {"machine": machine(), "commit": commit()}
    total |= {key: sum(each[key] for each in chunks) for key in counts}
    harm: Counter[str] = Counter()
    for each in chunks:
        harm.update(each["harm"])
    total |= {
        "harm": dict(harm),
        "chunks_that_fail": [each["seed"] for each in chunks if not each["holds"]],
    }
    typer.echo(json.dumps(total))
    return 1 if total["chunks_that_fail"] else 0
