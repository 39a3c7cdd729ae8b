"""Which badge a vehicle's condition and a journey's step have; addresses of vehicles and journeys."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from agv_bridge.fleet.condition import Condition
from agv_bridge.fleet.journey import Step
from contracts.errors import TallymanError
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


_REFUSALS: Final = {
    ("bad_input", "count"): "fleet.refused.count",
    ("bad_input", "cartons"): "fleet.refused.cartons",
    ("bad_input", "location"): "fleet.refused.slot",
    ("held", "location"): "fleet.refused.place_held",
    ("conflict", "location"): "fleet.refused.no_room",
    ("conflict", "batch"): "fleet.refused.nothing_to_recall",
    ("insufficient_stock", "free"): "fleet.refused.stock",
    ("not_found", "carton"): "fleet.refused.carton",
}
"""An error's code and what it is about -> the sentence in the reader's language."""


def word_of(error: TallymanError) -> str:
    """The word that says in both languages why something asked for was refused; "": the error's own
    sentence is all there is.
    """
    about = (_REFUSALS.get((error.code, key)) for key in error.data)
    return next((word for word in about if word), "")


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
