"""The learning loop's folders and settings, opened from a configuration."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.config import Config
from appliance.layout import Layout
from appliance.learning.dataset import Dataset
from appliance.learning.retention import Limits
from appliance.learning.schedule import Every, Schedule
from appliance.learning.training import RECIPE, Environment, Training
from appliance.model_sets import READER, carried
from appliance.paths import models_root
from contracts.clock import Clock
from contracts.errors import TallymanError, UnavailableError
from ota.model_set import open_model_set

FORCE_PLACE, FORCE_POINTER = "in_force", "in_force.txt"
"""In the hub's learning folder (appliance.learning.force)."""


def edge_dataset(config: Config) -> Dataset:
    learning = config.learning
    limits = Limits(learning.edge_mb << 20, learning.edge_days)
    return Dataset(Layout(config.data).edge_learning, limits)


def hub_dataset(config: Config) -> Dataset:
    learning = config.learning
    return Dataset(
        Layout(config.data).hub_learning, Limits(learning.hub_mb << 20, learning.hub_days)
    )


def schedule_of(config: Config) -> Schedule:
    learning = config.learning
    return Schedule(
        Every(learning.schedule),
        learning.hour,
        learning.least_new,
        ZoneInfo(config.site.time_zone),
    )


def environment_of(config: Config) -> Environment:
    """Looked at anew each time: it may be installed while the hub runs."""
    learning = config.learning
    python, recipe, kit = Path(learning.python), _recipe_folder(learning.recipe), Path(learning.kit)
    if not learning.python:
        missing = "no training environment (learning.python is empty)"
    elif not (python.is_file() and os.access(python, os.X_OK)):
        missing = f"no training environment ({python} is no interpreter)"
    elif not (recipe / RECIPE).is_file():
        missing = f"no training environment (no {RECIPE} in {recipe})"
    elif not (learning.kit and kit.is_dir()):
        missing = f"no training environment (learning.kit {learning.kit!r} is no folder)"
    else:
        missing = ""
    return Environment(python, recipe, kit, missing)


def training_of(config: Config, dataset: Dataset, clock: Clock) -> Training:
    """Runs of the recipe with this configuration; nothing is started."""
    learning = config.learning
    return Training(
        dataset,
        environment=lambda: environment_of(config),
        schedule=schedule_of(config),
        current=lambda: folder_in_force(dataset.folder),
        minutes=learning.minutes,
        clock=clock,
    )


def folder_in_force(folder: Path) -> Path:
    """The folder of the reading set that the site runs, below the hub's learning `folder`; the one
    that came with the installation where that is not known or not whole.
    """
    try:
        digest = (folder / FORCE_POINTER).read_text()
        place = folder / FORCE_PLACE / digest.removeprefix("sha256:")
        if open_model_set(place).digest == digest:
            return place
    except (OSError, TallymanError):
        pass
    return carried(READER).folder


def _recipe_folder(setting: str) -> Path:
    if setting:
        return Path(setting)
    try:
        return models_root() / "recipes" / "label_reader"
    except UnavailableError:
        return Path("recipes") / "label_reader"
