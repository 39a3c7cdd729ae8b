"""Routes of customer orders and offline quotas."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from contracts.errors import BadInputError
from contracts.stock import BatchKey
from erp_link.api.paging import Paged
from erp_link.api.shapes import Key
from erp_link.domain.orders import NewOrder
from erp_link.service.core import Core
from erp_link.service.orders.desk import Orders
from erp_link.service.orders.planning import Planned
from erp_link.service.orders.quotas import Quota
from erp_link.service.orders.shapes import OrderSummary, OrderView


@dataclass(frozen=True, slots=True)
class StepIn:
    """`reservations`: only these; none means everything that can be done now. `label` is the
    parcel's, an SSCC or a number of your own; `partly` ships though not everything is packed.
    """

    reservations: tuple[int, ...] = ()
    label: str = ""
    partly: bool = False


@dataclass(frozen=True, slots=True)
class CancelIn:
    reason: str


@dataclass(frozen=True, slots=True)
class QuotaIn:
    """`quantity` in base units; `expires_at` with its offset from UTC, at most 7 days from now."""

    device: str
    batch: BatchKey
    quantity: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class QuotaEnded:
    quota_id: str
    returned: int


def add_to(api: APIRouter, needs_core: Any, reader: Any, worker: Any, issuer: Any) -> None:
    """Add the routes; `reader`, `worker` and `issuer` (of quotas) say who is asking."""
    _add_questions(api, needs_core, reader)
    _add_orders(api, needs_core, worker)
    _add_steps(api, needs_core, worker)
    _add_quotas(api, needs_core, reader, issuer)


def _add_questions(api: APIRouter, needs_core: Any, reader: Any) -> None:
    @api.get("/orders", tags=["orders"], dependencies=[reader])
    def orders(
        page: Paged,
        *,
        open_only: Annotated[bool, Query(description="Not those that are done")] = False,
        core: Core = needs_core,
    ) -> list[OrderSummary]:
        """Customer orders with their state, newest first."""
        after = page.after[0] if page.after else None
        if after is not None and (len(page.after) != 1 or not isinstance(after, int)):
            raise BadInputError(
                "The parameter `after` is no cursor of this list",
                mend="Follow the Link header of the page before",
            )
        rows = Orders(core).orders(open_only=open_only, after=after, limit=page.limit + 1)
        return page.of(rows, lambda row: (row.cursor,))

    @api.get("/orders/{order:path}", tags=["orders"], dependencies=[reader])
    def order(order: str, core: Core = needs_core) -> OrderView:
        """One order: its goods, why these goods and not others, and what happened to it."""
        return Orders(core).order(order)


def _add_orders(api: APIRouter, needs_core: Any, worker: Any) -> None:
    @api.post("/orders", tags=["orders"], status_code=201)
    def place(
        body: NewOrder, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> OrderView:
        """Take an order in and set goods aside for it, first expired first, as far as they may
        leave; the answer says of every batch why, or why not.
        """
        return Orders(core).place(body, by=who.name, key=key)

    @api.post("/orders/{order:path}/plan", tags=["orders"])
    def plan(order: str, key: Key = None, core: Core = needs_core, who: Any = worker) -> Planned:
        """Set goods aside for whatever is missing now."""
        return Orders(core).plan(order, by=who.name, key=key)

    @api.post("/orders/{order:path}/cancel", tags=["orders"])
    def cancel(
        order: str, body: CancelIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> OrderView:
        """Nothing more leaves for it; what is picked goes to quarantine."""
        return Orders(core).cancel(order, reason=body.reason, by=who.name, key=key)


def _add_steps(api: APIRouter, needs_core: Any, worker: Any) -> None:
    @api.post("/orders/{order:path}/pick", tags=["orders"])
    def pick(
        order: str, body: StepIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> OrderView:
        """Take reserved goods to staging."""
        return Orders(core).pick(order, only=body.reservations, by=who.name, key=key)

    @api.post("/orders/{order:path}/pack", tags=["orders"])
    def pack(
        order: str, body: StepIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> OrderView:
        """Put picked goods into a parcel."""
        orders = Orders(core)
        return orders.pack(order, label=body.label, only=body.reservations, by=who.name, key=key)

    @api.post("/orders/{order:path}/ship", tags=["orders"])
    def ship(
        order: str, body: StepIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> OrderView:
        """Goods issue of everything packed."""
        return Orders(core).ship(order, partly=body.partly, by=who.name, key=key)

    @api.post("/orders/{order:path}/return", tags=["orders"])
    def bring_back(
        order: str, body: StepIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> OrderView:
        """Picked or packed goods go to quarantine; the order is planned again."""
        return Orders(core).bring_back(order, only=body.reservations, by=who.name, key=key)


def _add_quotas(api: APIRouter, needs_core: Any, reader: Any, issuer: Any) -> None:
    @api.get("/quotas", tags=["quotas"], dependencies=[reader])
    def quotas(
        page: Paged,
        device: Annotated[str | None, Query(max_length=120)] = None,
        *,
        open_only: bool = True,
        core: Core = needs_core,
    ) -> list[Quota]:
        """Goods issued to devices that may ship them with no network, those that end first first."""
        rows = Orders(core).quotas(device=device, open_only=open_only)
        return page.cut(rows, lambda row: (row.quota_id,))

    @api.post("/quotas", tags=["quotas"], status_code=201)
    def grant(body: QuotaIn, key: Key = None, core: Core = needs_core, who: Any = issuer) -> Quota:
        """Issue goods to a device. From now on they count as gone, and a hold lists them at risk."""
        if body.expires_at.tzinfo is None:
            raise BadInputError(
                "The quota's end has no offset from UTC", mend="Write it like 2026-11-21T18:00:00Z"
            )
        return Orders(core).grant_quota(
            body.device, body.batch, body.quantity, body.expires_at, by=who.name, key=key
        )

    @api.post("/quotas/{quota_id}/end", tags=["quotas"])
    def end(
        quota_id: str, key: Key = None, core: Core = needs_core, who: Any = issuer
    ) -> QuotaEnded:
        """End a quota before its time: what is left comes back blocked, to be counted."""
        return QuotaEnded(quota_id, Orders(core).end_quota(quota_id, by=who.name, key=key))
