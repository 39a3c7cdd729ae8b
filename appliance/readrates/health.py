"""Each model set's confidence as a row of the health page: drift is told where people look (I7)."""

from __future__ import annotations

from appliance.readrates.service import CALIBRATION_DAYS, ReadRates
from appliance.web.ports import HealthItem


def calibration_items(rates: ReadRates) -> tuple[HealthItem, ...]:
    """A row for each model set with enough settled cartons; none before the first look."""
    watched = rates.watched
    if watched is None:
        return ()
    return tuple(
        HealthItem(
            "model_set",
            "confidence",
            "warn" if each.drifts else "ok",
            detail="" if each.drifts else f"{each.settled} settled, {CALIBRATION_DAYS} d",
            digest=each.model_set,
            notes=(each.reason,) if each.drifts else (),
            at=watched.at,
            max_age_s=3600.0,
        )
        for each in watched.sets
        if each.state != "few"
    )
