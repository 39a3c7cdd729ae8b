"""Which badge a vehicle's condition and a journey's step have; addresses of vehicles and journeys."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from agv_bridge.fleet.condition import Condition
from agv_bridge.fleet.journey import Step
from contracts.reason import Reason
from contracts.stock import TransportOrder, TransportState

WORKERS: Final = ("operator", "quality", "ops", "integrator")
"""Who may ask for transport and call it off."""

BADGES: Final = {
    Condition.STOPPED: "hold",
    Condition.LOST: "review",
    Condition.SILENT: "review",
    Condition.WARNED: "review",
    Condition.LOW: "review",
    Condition.MANUAL: "waiting",
    Condition.PAUSED: "waiting",
    Condition.WORKING: "info",
    Condition.CHARGING: "waiting",
    Condition.IDLE: "accept",
    Condition.ASLEEP: "waiting",
    Condition.NEW: "waiting",
}
"""The colour; shape and word are the condition's own."""

STEP_BADGES: Final = {
    TransportState.REQUESTED: "waiting",
    TransportState.SENT: "info",
    TransportState.ACCEPTED: "info",
    TransportState.PICKED: "info",
    TransportState.DROPPED: "accept",
    TransportState.FAILED: "hold",
    TransportState.CANCELLED: "waiting",
}


def vehicle_url(name: str) -> str:
    """The page of a vehicle `manufacturer/serial`."""
    manufacturer, _, serial = name.partition("/")
    return f"/fleet/vehicles/{quote(manufacturer, safe='')}/{quote(serial, safe='')}"


def journey_url(order_id: str) -> str:
    """The page of a journey."""
    return f"/fleet/journeys/{quote(order_id)}"


def reason_of(step: Step, order: TransportOrder) -> Reason:
    """Why a step went as it did, for the reader's language."""
    return Reason(step.reason, {"vehicle": step.vehicle, "order": order.order_id})
