"""The page's decode-and-confirm code in Node over a film, faster or slower than it plays."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from appliance.bench.shelf.film.film import HEIGHT, WIDTH, Film
from appliance.bench.shelf.judge import Account, shown_of
from contracts.errors import UnavailableError

ROOT = Path(__file__).resolve().parents[3]
LATE = 3
"""Frames from a picture to its detection: ten a second at 30 frames a second."""


def follow(
    film: Film, numbers: Sequence[int], listed: Sequence[str], account: Account, *, late: int = LATE
) -> None:
    """Show those frames of a film in this order to the page's code, whose stock list is `listed`
    (GTINs), and add what it would have shown to `account`. Raises UnavailableError without Node.
    """
    script = Path(__file__).parent / "page" / "follow.js"
    with subprocess.Popen(  # noqa: S603 -- our own script
        ["sh", "scripts/npm.sh", "run", "--silent", "node", "--", str(script)],  # noqa: S607 -- by PATH, as make does
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin  # noqa: S101 -- asked for above
        assert process.stdout  # noqa: S101 -- as above
        head = {"width": WIDTH, "height": HEIGHT, "fps": film.plan.fps, "late": late}
        feeder = threading.Thread(
            target=_feed, args=(process.stdin, {**head, "known": list(listed)}, film, numbers)
        )
        feeder.start()
        told = 0
        for number, line in zip(numbers, process.stdout, strict=False):
            at_ms = told * 1000 / film.plan.fps
            shown = [shown_of(row) for row in json.loads(line)]
            account.add(number, at_ms, shown, film.truth(number))
            told += 1
        feeder.join()
    if process.returncode or told != len(numbers):
        raise UnavailableError(
            f"The page's code stopped after {told} of {len(numbers)} frames "
            f"(exit {process.returncode})",
            mend="Run make setup, which brings Node and the pages' packages",
        )


def _feed(into: IO[bytes], head: dict[str, object], film: Film, numbers: Sequence[int]) -> None:
    try:
        with into:
            into.write(json.dumps(head).encode() + b"\n")
            for picture in _pictures(film, numbers):
                into.write(picture)
    except BrokenPipeError:
        return  # The other end says why it stopped.


def _pictures(film: Film, numbers: Sequence[int]) -> Iterator[bytes]:
    for number in numbers:
        yield film.picture(number).tobytes()
