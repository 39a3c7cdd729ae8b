"""Golden frames at the hub, before a proposed set may be published (I5).

The same proof that a box makes before it runs a set (appliance.agent.golden), in a process of its
own, on a copy in a folder of its own: a set that crashes or hangs takes nothing of the hub along.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from appliance.layout import Layout
from contracts.clock import Clock
from ota.model_set import ModelSet
from ota.proof import MADE_ON
from ota.registry.lanes import lane_of
from ota.registry.records import GoldenResult

FRAMES = {"read": 6, "inspect": 8, "cracks": 8}
"""How many frames a lane's sets are held to; a detector's products have none that we could draw."""
LANES = frozenset(FRAMES)
HUB = "hub"


class HubGolden:
    """Meets ota.registry.ports.GoldenTest. `command` proves as `tallyman agent prove` does, for the
    data folder that it is told; None: this software.
    """

    def __init__(self, clock: Clock, *, command: Sequence[str] | None = None) -> None:
        self._clock = clock
        self._command = tuple(command or (sys.executable, "-m", "appliance", "agent", "prove"))

    def __call__(self, model_set: ModelSet) -> GoldenResult | None:
        """Blocks for seconds, minutes where the set hangs. None for a lane without such frames."""
        from appliance.agent.prover import ChildProver

        lane = lane_of(model_set.kind)
        if lane not in LANES:
            return None
        with tempfile.TemporaryDirectory(prefix="tallyman-golden-") as folder:
            held = _held(Path(folder), model_set)
            # The set is judged on the engine that every set is made on, whatever this site uses.
            told = {
                "TALLYMAN_SITE_DATA": folder,
                "TALLYMAN_READER_ENGINE": MADE_ON,
                "TALLYMAN_INSPECTOR_ENGINE": MADE_ON,
            }
            prover = ChildProver(
                ["env", *(f"{name}={value}" for name, value in told.items()), *self._command]
            )
            trouble = prover.prove(lane, model_set.digest, str(held))
        at_us = int(self._clock.now().timestamp() * 1_000_000)
        alike = 0 if trouble else FRAMES[lane]
        return GoldenResult(MADE_ON, FRAMES[lane], alike, at_us, HUB, trouble)


def _held(data: Path, model_set: ModelSet) -> Path:
    """A copy of the set where a box would hold it."""
    folder = Layout(data).sets / "held" / model_set.digest.removeprefix("sha256:")
    for name in (*model_set.files, "manifest.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model_set.folder / name, folder / name)
    return folder
