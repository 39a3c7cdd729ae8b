"""The learning loop as one row of the health page."""

from __future__ import annotations

from appliance.learning.dataset import Dataset
from appliance.learning.schedule import Wait
from appliance.learning.training import Training
from appliance.web.ports import HealthItem
from contracts.clock import Clock

_WORDS = {
    Wait.OFF: "schedule off",
    Wait.NO_ENVIRONMENT: "no training environment",
    Wait.NOTHING_NEW: "too little is new",
    Wait.RUNNING: "a run is under way",
}


def learning_item(training: Training, dataset: Dataset, clock: Clock) -> HealthItem:
    """How many examples are here, how many are new, and what the last run made. Blocks."""
    held, state, waits = dataset.held(), training.state(), training.waits()
    told = [f"{training.new_examples()} new", f"{held.bytes >> 20} MB"]
    if state.ended_at is not None:
        told.append(f"last run {state.ended_at:%Y-%m-%d}: {state.outcome}")
    if waits in _WORDS:
        told.append(_WORDS[waits])
    failed = state.outcome == "failed" and not state.running
    return HealthItem(
        "learning",
        "examples",
        "warn" if failed else "ok",
        value=str(held.examples),
        detail=", ".join(told),
        at=clock.now(),
        max_age_s=120.0,
    )
