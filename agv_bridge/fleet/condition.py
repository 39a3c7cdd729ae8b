"""What one word says of a vehicle: whether it can work, and if not, why not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agv_bridge.missions.vehicles import LOWEST_CHARGE_PERCENT, VehicleSnapshot
from agv_bridge.vda5050.messages import State, VehicleError

LOW_PERCENT = 25.0
"""Below this the battery is worth a look; below LOWEST_CHARGE_PERCENT it gets no orders."""


class Condition(StrEnum):
    """The worst that holds, most urgent first."""

    STOPPED = "stopped"
    """Emergency stop, or an error after which it does not go on."""
    LOST = "lost"
    """It said goodbye, or its connection broke."""
    SILENT = "silent"
    """Connected, but no state came for too long."""
    WARNED = "warned"
    """It works, and complains."""
    LOW = "low"
    """Too little charge to be given orders."""
    MANUAL = "manual"
    """A person drives it."""
    PAUSED = "paused"
    WORKING = "working"
    CHARGING = "charging"
    IDLE = "idle"
    ASLEEP = "asleep"
    """It hibernates (3.0): connected to save power, wakes by itself."""
    NEW = "new"
    """It never sent a state."""


NEEDS_A_LOOK = frozenset(
    {Condition.STOPPED, Condition.LOST, Condition.SILENT, Condition.WARNED, Condition.LOW}
)
_BY_ITSELF = frozenset({"AUTOMATIC", "SEMIAUTOMATIC"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One error of a vehicle, in its own words."""

    level: str
    kind: str
    text: str = ""
    hint: str = ""
    about: tuple[tuple[str, str], ...] = ()
    blocks: bool = False


def condition_of(row: VehicleSnapshot, state: State | None) -> Condition:
    """state: the newest, None where none came."""
    if row.connection in {"OFFLINE", "CONNECTION_BROKEN"}:
        return Condition.LOST
    if row.connection == "HIBERNATING":
        return Condition.ASLEEP
    if state is None:
        return Condition.NEW
    low = row.battery_percent is not None and row.battery_percent < LOWEST_CHARGE_PERCENT
    checks = (
        (not row.online, Condition.SILENT),
        (_is_stopped(state), Condition.STOPPED),
        (state.operating_mode not in _BY_ITSELF, Condition.MANUAL),
        (bool(state.errors), Condition.WARNED),
        (bool(state.paused), Condition.PAUSED),
        (state.is_working, Condition.WORKING),
        (row.charging, Condition.CHARGING),
        (low, Condition.LOW),
    )
    return next((condition for holds, condition in checks if holds), Condition.IDLE)


def _is_stopped(state: State) -> bool:
    pressed = state.safety is not None and state.safety.emergency_stop != "NONE"
    return pressed or any(error.blocks for error in state.errors)


def problems_of(state: State | None) -> tuple[Problem, ...]:
    """What the vehicle complains of, what stops it first."""
    found = [_problem(error) for error in state.errors] if state is not None else []
    if state is not None and state.safety is not None:
        if state.safety.emergency_stop != "NONE":
            found.append(
                Problem("FATAL", "emergencyStop", state.safety.emergency_stop, blocks=True)
            )
        if state.safety.field_violation:
            found.append(Problem("WARNING", "fieldViolation"))
    return tuple(sorted(found, key=lambda each: not each.blocks))


def _problem(error: VehicleError) -> Problem:
    said = error.error_description_translations or ()
    hints = error.error_hint_translations or ()
    return Problem(
        error.error_level,
        error.error_type,
        error.error_description or (said[0].translation_value if said else ""),
        error.error_hint or (hints[0].translation_value if hints else ""),
        tuple((each.reference_key, each.reference_value) for each in error.error_references or ()),
        blocks=error.blocks,
    )
