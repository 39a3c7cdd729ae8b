"""Routes of stock: batches, what stands where, guarded commands, devices."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from contracts.stock import BatchEvent, BatchKey, BatchSummary
from erp_link.api.paging import Paged
from erp_link.api.shapes import Key, MoveIn, Received, ReceiveIn, ReservationState, ReserveIn
from erp_link.domain.receiving import typed_goods
from erp_link.service.core import Core, DeviceSeen, Reservation, StockLine
from erp_link.service.goods.places import Places


def add_to(api: APIRouter, needs_core: Any, reader: Any, worker: Any) -> None:
    """Add the routes; `reader` and `worker` are dependencies that say who is asking."""
    _add_questions(api, needs_core, reader)
    _add_commands(api, needs_core, worker)


def _add_questions(api: APIRouter, needs_core: Any, reader: Any) -> None:
    @api.get("/batches", tags=["stock"], dependencies=[reader])
    def batches(page: Paged, core: Core = needs_core) -> list[BatchSummary]:
        """Every batch, what of it is where in its life, and whether it may leave."""
        found = core.batches(after=_three(page.strings(3)), limit=page.limit + 1)
        return page.of(found, lambda each: (each.key.gtin, each.key.lot, each.key.supplier))

    @api.get("/batches/one", tags=["stock"], dependencies=[reader])
    def batch(
        gtin: Annotated[str, Query()],
        lot: Annotated[str, Query()],
        supplier: Annotated[str, Query()] = "",
        core: Core = needs_core,
    ) -> BatchSummary:
        """One batch: may it leave?"""
        return core.batch(BatchKey(supplier, gtin, lot))

    @api.get("/batches/story", tags=["stock"], dependencies=[reader])
    def story(
        gtin: Annotated[str, Query()],
        lot: Annotated[str, Query()],
        supplier: Annotated[str, Query()] = "",
        core: Core = needs_core,
    ) -> list[BatchEvent]:
        """Everything that happened to a batch, oldest first."""
        return core.batch_story(BatchKey(supplier, gtin, lot))

    @api.get("/stock", tags=["stock"], dependencies=[reader])
    def stock(page: Paged, core: Core = needs_core) -> list[StockLine]:
        """What stands where, in which status."""
        return page.of(
            core.stock_by_location(after=page.strings(5), limit=page.limit + 1),
            lambda x: (x.location, x.batch.gtin, x.batch.lot, x.batch.supplier, x.status.value),
        )

    @api.get("/devices", tags=["devices"], dependencies=[reader])
    def devices(core: Core = needs_core) -> list[DeviceSeen]:
        """Devices as the core last heard of them."""
        return core.devices()


def _three(place: tuple[str, ...] | None) -> tuple[str, str, str] | None:
    return (place[0], place[1], place[2]) if place else None


def _add_commands(api: APIRouter, needs_core: Any, worker: Any) -> None:
    @api.post("/stock/receipts", tags=["stock"], status_code=201)
    def receive(
        body: ReceiveIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> Received:
        """Book goods in by hand."""
        Places(core).check_known(body.location)
        status = core.receive(
            typed_goods(body.batch, body.expiry),
            body.quantity,
            location=body.location,
            expiry=body.expiry,
            by=who.name,
            key=key,
        )
        return Received(status)

    @api.post("/stock/moves", tags=["stock"], status_code=204)
    def move(body: MoveIn, key: Key = None, core: Core = needs_core, who: Any = worker) -> None:
        """Move goods inside the house; what may not leave goes to quarantine only."""
        Places(core).check_known(body.target)
        core.move(
            body.batch,
            body.quantity,
            source=body.source,
            target=body.target,
            status=body.status,
            by=who.name,
            key=key,
        )

    @api.post("/reservations", tags=["orders"], status_code=201)
    def reserve(
        body: ReserveIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> list[Reservation]:
        """Set goods of a batch aside for an order, all or none."""
        return core.reserve(body.order, body.batch, body.quantity, by=who.name, key=key)

    @api.post("/reservations/{reservation_id}/pick", tags=["orders"])
    def pick(
        reservation_id: int, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> ReservationState:
        """Take reserved goods to staging."""
        core.pick(reservation_id, by=who.name, key=key)
        return ReservationState(reservation_id, "picked")

    @api.post("/reservations/{reservation_id}/ship", tags=["orders"])
    def ship(
        reservation_id: int, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> ReservationState:
        """Goods issue: the only way out of the building."""
        core.ship(reservation_id, by=who.name, key=key)
        return ReservationState(reservation_id, "shipped")

    @api.post("/reservations/{reservation_id}/return", tags=["orders"])
    def return_picked(
        reservation_id: int, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> ReservationState:
        """Picked goods go to quarantine instead."""
        core.return_picked(reservation_id, by=who.name, key=key)
        return ReservationState(reservation_id, "released")
