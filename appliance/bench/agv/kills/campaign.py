"""Kill hub, broker and vehicles at random moments of their missions, then account for every carton.

    python -m appliance.bench.agv.kills.campaign OUT --kills 1000

In chunks, each with a seed and one JSON file in OUT, so that a campaign that was stopped goes on where
it was. Exit 1 where one carton or order is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from appliance.bench.agv.kills.judge import judge
from appliance.bench.agv.kills.plant import FLEETS, Plant, within
from appliance.bench.chunks import Told, account, run_missing
from contracts.errors import UnavailableError

_CHUNK: Final = 20
_CARTONS_A_KILL: Final = 4
_SETTLED_S: Final = 120.0
WEIGHTS: Final = {"hub": 40, "broker": 30, "vehicles": 30}
"""What is killed, and how often of a hundred."""


class Campaign:
    """One plant and what happens to it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- a story told again by its seed
        self.plant = Plant(folder)
        self.done: Counter[str] = Counter()

    async def run(self, *what: str) -> dict[str, object]:
        """Start, harm by `what` in turn, settle, and the account as a JSON object."""
        began = time.monotonic()
        try:
            await self.plant.start()
            for one in what:
                await self._ask_for_more()
                await self._harm(one)
            await self._ask_for_more()
            await within(_SETTLED_S, self.plant)
        finally:
            await self.plant.stop()
        verdict = await asyncio.to_thread(
            judge,
            self.plant.folder,
            self.plant.witness,
            fleets_killed=self.done["vehicles"],
        )
        return asdict(verdict) | {
            "holds": verdict.holds,
            "harm": dict(self.done),
            "seconds": round(time.monotonic() - began, 1),
        }

    def choose(self) -> str:
        return self._random.choices([*WEIGHTS], [*WEIGHTS.values()])[0]

    async def _harm(self, what: str) -> None:
        await asyncio.sleep(self._random.uniform(0.1, 1.6))
        await self.plant.kill(self._random.choice(FLEETS) if what == "vehicles" else what)
        self.done[what] += 1

    async def _ask_for_more(self) -> None:
        # A hub that was just killed is asked the next time.
        with contextlib.suppress(UnavailableError):
            await self.plant.ask(orders=_CARTONS_A_KILL, gap_s=0.02)


async def run_chunk(folder: Path, seed: int, kills: int) -> Told:
    """One plant from its first start to its account."""
    campaign = Campaign(folder, seed)
    todo = [campaign.choose() for _ in range(kills)]
    return {"seed": seed, **await campaign.run(*todo)}


def run(
    out: Annotated[Path, typer.Argument(help="Folder of the campaign; made, or continued.")],
    kills: Annotated[int, typer.Option(min=1)] = 200,
    seed: Annotated[int, typer.Option(help="Of the first chunk; each has the next.")] = 1,
) -> None:
    """Run what is missing of the campaign, and tell its account."""
    run_missing(out, kills, seed=seed, size=_CHUNK, run_chunk=run_chunk)
    raise typer.Exit(account(out, ("cartons", "put_away", "for_a_person")))


if __name__ == "__main__":
    typer.run(run)
    sys.exit()
