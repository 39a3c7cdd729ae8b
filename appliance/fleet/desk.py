"""Journeys for the pages: the core's record, and beside it how the bridge told each step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from agv_bridge.fleet.journey import Journey, Step, journey_of
from appliance.fleet.notebook import Notebook
from contracts.errors import NotFoundError
from contracts.stock import TransportState
from erp_link.service.lists import Window
from erp_link.service.missions.journeys import JourneyFacts, JourneyLine, Journeys
from erp_link.service.orders.desk import Orders
from erp_link.service.store import Store


@dataclass(frozen=True, slots=True)
class JourneyView:
    """One journey, whole."""

    journey: Journey
    facts: JourneyFacts


class JourneyDesk:
    """Questions about journeys. Methods block."""

    def __init__(self, core: Store, notebook: Notebook) -> None:
        self._journeys = Journeys(core)
        self._orders = Orders(core)
        self._notebook = notebook

    def listed(
        self, typed: str, *, states: Collection[TransportState], skip: int, most: int
    ) -> Window[JourneyLine]:
        """The newest first; see erp_link.service.missions.journeys."""
        return self._journeys.listed(typed, states=states, skip=skip, most=most)

    def one(self, order_id: str) -> JourneyView:
        """Raises NotFoundError."""
        facts = self._journeys.one(order_id)
        begin = Step(TransportState.REQUESTED, facts.line.requested_at)
        booked = [Step(each.state, each.at, each.vehicle) for each in facts.told]
        told = self._notebook.steps(order_id)
        journey = journey_of(facts.line.order, facts.line.state, (begin, *booked, *told))
        return JourneyView(journey, facts)

    def of_vehicle(self, vehicle: str, *, most: int) -> Sequence[JourneyLine]:
        """What a vehicle did lately, the last first."""
        lines: list[JourneyLine] = []
        for order_id in self._notebook.orders_of(vehicle, most=most):
            try:
                lines.append(self._journeys.line(order_id))
            except NotFoundError:
                # Steps outlive their order only where the core's database was replaced.
                continue
        return lines

    def slots(self) -> Sequence[str]:
        """Planned slots, for a form to offer."""
        return self._journeys.slots()

    def offered(self) -> Mapping[str, str]:
        """Products by GTIN with their names, for a form to offer."""
        return self._orders.offered()
