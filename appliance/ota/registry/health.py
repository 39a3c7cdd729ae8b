"""The signatures of model sets as a row of the health page: people hear of it before boxes do."""

from __future__ import annotations

from appliance.ota.registry.desk import RegistryDesk
from appliance.ota.registry.opening import warnings
from appliance.web.ports import HealthItem
from contracts.clock import Clock
from contracts.errors import TallymanError
from contracts.reason import Reason


def signature_items(desk: RegistryDesk, clock: Clock) -> tuple[HealthItem, ...]:
    """One row; none where the site has no keys. Blocks."""
    if not desk.ready():
        return ()
    try:
        troubles = warnings(desk, clock)
        notes = tuple(each.reason for each in troubles)
        state = "down" if any(each.serious for each in troubles) else "warn" if notes else "ok"
    except TallymanError as error:
        state, notes = "down", (Reason("ota_metadata_broken", {"why": error.message}),)
    return (
        HealthItem("model_set", "signatures", state, notes=notes, at=clock.now(), max_age_s=120.0),
    )
