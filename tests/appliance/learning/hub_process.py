"""A hub that runs the recipe until it is killed: `python hub_process.py FOLDER PYTHON`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.learning.dataset import Dataset
from appliance.learning.retention import Limits
from appliance.learning.schedule import Every, Schedule
from appliance.learning.training import Environment, Training
from appliance.model_sets import READER, carried
from appliance.paths import models_root
from contracts.clock import FixedClock
from tests.appliance.learning.cartons import NOW

if __name__ == "__main__":
    folder, python = Path(sys.argv[1]), Path(sys.argv[2])
    recipe = models_root() / "recipes" / "label_reader"
    training = Training(
        Dataset(folder / "learning", Limits(1 << 30, 90)),
        environment=lambda: Environment(python, recipe, folder / "kit"),
        schedule=Schedule(Every.WEEKLY, 2, 1, ZoneInfo("UTC")),
        current=lambda: carried(READER).folder,
        minutes=1,
        clock=FixedClock(NOW),
    )
    asyncio.run(training.run_now())
