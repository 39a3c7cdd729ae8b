"""A light station's golden frames, in a process of their own: the network loads and answers numbers.

    python -m appliance.bench.rollout.plant.prove FRAME FOLDER LANE DIGEST

A set that is broken on purpose passes: it is the gate that must find it.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import msgspec

from appliance.bench.rollout.plant.network import LightNetwork
from contracts.reason import Reason
from ota.agent.handover import held_folder
from ota.model_set import open_model_set


def prove(frame: Path, folder: Path) -> Reason | None:
    """Why the set in `folder` must not run here."""
    open_model_set(folder)
    score = LightNetwork(folder).score(frame.read_bytes())
    return None if math.isfinite(score) else Reason("ota_golden_differs")


if __name__ == "__main__":
    frame_file, agent_folder, _lane, digest = sys.argv[1:5]
    said = prove(Path(frame_file), Path(agent_folder) / held_folder(digest))
    sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
