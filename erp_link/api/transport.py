"""Routes of transport: what vehicles have to bring, what people ask for and call off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from contracts.stock import BatchKey, OpenTransport, TransportOrder
from erp_link.api.shapes import Key
from erp_link.service.core import Core
from erp_link.service.missions.desk import Missions


@dataclass(frozen=True, slots=True)
class CallOffIn:
    """Why the order is called off, for the batch's history."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReplenishIn:
    """So many cartons of a product, from other slots to the slot `target`."""

    gtin: str
    target: str
    cartons: int = 1


@dataclass(frozen=True, slots=True)
class RecallIn:
    """A frozen batch; its blocked cartons go to quarantine."""

    batch: BatchKey


@dataclass(frozen=True, slots=True)
class Asked:
    """The ids of the transport orders made now."""

    orders: list[str]


def add_to(api: APIRouter, needs_core: Any, reader: Any, worker: Any) -> None:
    """Add the routes; `reader` and `worker` are dependencies that say who is asking."""
    _add_questions(api, needs_core, reader)
    _add_commands(api, needs_core, worker)


def _add_questions(api: APIRouter, needs_core: Any, reader: Any) -> None:
    @api.get("/transport", tags=["transport"], dependencies=[reader])
    def transports(core: Core = needs_core) -> list[OpenTransport]:
        """The newest 200 transport orders in whatever state, newest first."""
        return core.transports()

    @api.get("/transport/pending", tags=["transport"], dependencies=[reader])
    def pending(core: Core = needs_core) -> list[TransportOrder]:
        """Orders not yet sent, oldest first."""
        return core.pending_transport()

    @api.get("/transport/open", tags=["transport"], dependencies=[reader])
    def under_way(core: Core = needs_core) -> list[OpenTransport]:
        """Orders sent whose goods are not known to have arrived."""
        return core.open_transport()


def _add_commands(api: APIRouter, needs_core: Any, worker: Any) -> None:
    @api.post("/transport/orders/{order_id}/cancel", tags=["transport"])
    def cancel(
        order_id: str,
        body: CallOffIn,
        key: Key = None,
        core: Core = needs_core,
        who: Any = worker,
    ) -> OpenTransport:
        """Call an order off; a vehicle that has it is stopped, and brings back what it carries."""
        return Missions(core).cancel(order_id, reason=body.reason, by=who.name, key=key)

    @api.post("/transport/cartons/{carton_id}", tags=["transport"], status_code=201)
    def ask(
        carton_id: str, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> OpenTransport:
        """Ask for a carton to be brought where it belongs."""
        return Missions(core).ask(carton_id, by=who.name, key=key)

    @api.post("/transport/recalls", tags=["transport"], status_code=201)
    def recall(
        body: RecallIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> Asked:
        """Bring the blocked cartons of a batch to quarantine."""
        return Asked(Missions(core).recall(body.batch, by=who.name, key=key))

    @api.post("/transport/replenishments", tags=["transport"], status_code=201)
    def replenish(
        body: ReplenishIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> Asked:
        """Bring cartons of the reserve to the slot where they are picked, all of them or none."""
        made = Missions(core).replenish(body.gtin, body.target, body.cartons, by=who.name, key=key)
        return Asked(made)
