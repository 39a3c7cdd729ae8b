"""What the fleet's pages ask of the rest of the house."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from agv_bridge.fleet.board import FleetRow
from agv_bridge.fleet.places import PlaceAt
from agv_bridge.missions.snapshots import MissionSnapshot
from agv_bridge.vda5050.messages import Factsheet, State
from appliance.fleet.desk import JourneyView
from contracts.errors import TallymanError
from contracts.stock import BatchKey, OpenTransport, TransportState
from erp_link.service.lists import Window
from erp_link.service.missions.journeys import JourneyLine


class Board(Protocol):
    """agv_bridge.fleet.board.FleetBoard."""

    def state(self, vehicle: str) -> State | None: ...

    def factsheet(self, vehicle: str) -> Factsheet | None: ...

    @property
    def places_version(self) -> int: ...

    def places(self) -> Mapping[tuple[str, str], PlaceAt]: ...


class Sight(Protocol):
    """appliance.fleet.watch.FleetWatch: the fleet now. Answers at once, from memory."""

    @property
    def board(self) -> Board: ...

    @property
    def trouble(self) -> TallymanError | None:
        """What is wrong with the site's own file of places."""
        ...

    def rows(self) -> Sequence[FleetRow]: ...

    def missions(self) -> Sequence[MissionSnapshot]: ...


class Desk(Protocol):
    """appliance.fleet.desk.JourneyDesk. Calls block."""

    def listed(
        self, typed: str, *, states: Collection[TransportState], skip: int, most: int
    ) -> Window[JourneyLine]: ...

    def one(self, order_id: str) -> JourneyView:
        """Raises NotFoundError."""
        ...

    def of_vehicle(self, vehicle: str, *, most: int) -> Sequence[JourneyLine]: ...

    def slots(self) -> Sequence[str]:
        """Planned slots, for a form to offer."""
        ...

    def offered(self) -> Mapping[str, str]:
        """Products by GTIN with their names, for a form to offer."""
        ...


class Asking(Protocol):
    """erp_link.service.missions.desk.Missions. Calls block; each says what may not be, and why."""

    def cancel(self, order_id: str, *, reason: str, by: str) -> OpenTransport: ...

    def ask(self, carton_id: str, *, by: str) -> OpenTransport: ...

    def recall(self, batch: BatchKey, *, by: str) -> list[str]: ...

    def replenish(self, gtin: str, target: str, cartons: int, *, by: str) -> list[str]: ...
