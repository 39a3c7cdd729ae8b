"""A campaign in files, worked through by several processes side by side: what a folder holds already is
not run again, and a folder is one campaign's.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from appliance.bench.facts import commit
from appliance.durable import write_atomic
from contracts.errors import BadInputError


class Filed(Protocol):
    """One piece of a campaign."""

    @property
    def file(self) -> str:
        """Its name in the folder."""
        ...


F = TypeVar("F", bound=Filed)


def begin(out: Path, campaign: Mapping[str, int]) -> None:
    """Make the folder, or go on with it. Raises BadInputError where it is another campaign's."""
    path = out / "campaign.json"
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps({**campaign, "commit": commit()}).encode())
        return
    before = json.loads(path.read_bytes())
    if any(before.get(name) != value for name, value in campaign.items()):
        raise BadInputError(
            f"{out} holds another campaign: {before}", mend="Name another folder, or its seed"
        )


def run_all(
    out: Path,
    wanted: Sequence[F],
    run_one: Callable[[F], dict[str, Any]],
    *,
    workers: int,
    start: Literal["fork", "spawn"],
) -> None:
    """Run each piece and write what came of it; Ctrl-C leaves what is written."""
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context(start),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    ) as pool:
        running = {pool.submit(run_one, each): each for each in wanted}
        try:
            for done in as_completed(running):
                write_atomic(out / running[done].file, json.dumps(done.result()).encode() + b"\n")
        finally:
            pool.shutdown(cancel_futures=True)
