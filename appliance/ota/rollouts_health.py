"""Rollouts as a row of the health page: what stands still, and which boxes do not run what they should."""

from __future__ import annotations

from appliance.ota.rollouts import RolloutDesk
from appliance.web.ports import HealthItem
from contracts.clock import Clock
from contracts.reason import Reason

_MOST_NAMES = 5


def rollout_items(desk: RolloutDesk, clock: Clock) -> tuple[HealthItem, ...]:
    """One row; none where no rollout was ever drafted. Blocks."""
    rollouts = desk.rollouts()
    if not rollouts:
        return ()
    notes: list[Reason] = []
    if stopped := desk.stopped():
        notes.append(Reason("ota_fleet_stopped", {"by": stopped}))
    for state in rollouts:
        if state.under_way and state.failed:
            params = {"rollout": state.rollout, "boxes": _names(sorted(state.failed))}
            notes.append(Reason("ota_boxes_failed", dict(params)))
    drifting = desk.drifting()
    # While a rollout is under way, boxes on their way are no news.
    if drifting and not any(state.under_way for state in rollouts):
        notes.append(Reason("ota_boxes_drift", {"boxes": _names(drifting)}))
    return (
        HealthItem(
            "model_set",
            "rollouts",
            "warn" if notes else "ok",
            notes=tuple(notes),
            at=clock.now(),
            max_age_s=120.0,
        ),
    )


def _names(boxes: list[str]) -> str:
    more = f" +{len(boxes) - _MOST_NAMES}" if len(boxes) > _MOST_NAMES else ""
    return ", ".join(boxes[:_MOST_NAMES]) + more
