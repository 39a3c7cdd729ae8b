"""The order desk: customer orders from their arrival to their goods issue, and offline quotas.

A desk over the core's store. Goods leave through the one predicate at every step (I1); a hold that
comes meanwhile gives back what is not picked, and `tidy` plans those orders again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from contracts.errors import BadInputError, ConflictError
from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.adapters import clock_floor
from erp_link.adapters.guards import Guard
from erp_link.domain.orders import NewOrder, check_name, checked
from erp_link.service import commands
from erp_link.service.booking import PICKED, RESERVED
from erp_link.service.orders import book, handling, planning, quotas, views, waiting
from erp_link.service.orders.planning import Planned
from erp_link.service.orders.quotas import Quota
from erp_link.service.orders.shapes import OrderSummary, OrderView
from erp_link.service.store import Store
from erp_link.service.sweeping import Sweep
from erp_link.service.work import Work

TIDIER = "tallyman"
"""Who plans again and ends quotas when no person asks for it."""


class Orders:
    """Commands and questions about customer orders; each method is one transaction."""

    def __init__(self, core: Store) -> None:
        self._core = core

    # Orders

    def place(self, order: NewOrder, *, by: str, key: str | None = None) -> OrderView:
        """Take an order in and plan it: goods are set aside as far as they may leave. The same
        order again changes nothing.

        Raises BadInputError naming the line, ConflictError where the number is known with others.
        """
        new = checked(order)

        def act(work: Work) -> None:
            if book.take_in(work, new):
                planning.plan(work, new.order)

        self._core.command(
            "place_order",
            {"order": repr(new)},
            by=by,
            key=key,
            guards_of=lambda c: planning.guards_for(c, (line.gtin for line in new.lines)),
            act=act,
        )
        return self.order(new.order)

    def plan(self, order: str, *, by: str, key: str | None = None) -> Planned:
        """Set goods aside for whatever the order misses. Raises NotFoundError, ConflictError."""

        def act(work: Work) -> list[int]:
            book.lock(work, order)
            planned = planning.plan(work, order)
            return [planned.taken, planned.short]

        taken, short = self._core.command(
            "plan_order",
            {"order": order},
            by=by,
            key=key,
            guards_of=lambda c: planning.guards_for(c, book.gtins_of(c, order)),
            act=act,
        )
        return Planned(order, taken, short)

    def pick(
        self, order: str, *, by: str, only: Sequence[int] = (), key: str | None = None
    ) -> OrderView:
        """Take reserved goods to staging: everything, or `only` these reservations; all or none.

        Raises HeldError, ConflictError, NotFoundError.
        """
        return self._handle("pick_order", order, RESERVED, handling.pick, by=by, only=only, key=key)

    def pack(
        self,
        order: str,
        *,
        by: str,
        label: str = "",
        only: Sequence[int] = (),
        key: str | None = None,
    ) -> OrderView:
        """Put picked goods into a parcel with this label (an SSCC, or one of our own). As `pick`."""

        def act(work: Work, order: str, chosen: Sequence[int]) -> str:
            return handling.pack(work, order, chosen, label.strip())

        return self._handle(
            "pack_order", order, PICKED, act, by=by, only=only, key=key, packed=False, label=label
        )

    def ship(
        self, order: str, *, by: str, partly: bool = False, key: str | None = None
    ) -> OrderView:
        """Goods issue of everything packed. `partly`: though not everything ordered is packed.

        Raises HeldError, ConflictError, NotFoundError.
        """

        def act(work: Work, order: str, chosen: Sequence[int]) -> int:
            return handling.ship(work, order, chosen, whole=not partly)

        packed = True if partly else None
        return self._handle(
            "ship_order", order, PICKED, act, by=by, key=key, packed=packed, partly=partly
        )

    def bring_back(
        self, order: str, *, by: str, only: Sequence[int] = (), key: str | None = None
    ) -> OrderView:
        """Picked or packed goods go to quarantine, under any hold. Raises ConflictError."""
        act = handling.bring_back
        return self._handle("return_order", order, PICKED, act, by=by, only=only, key=key)

    def cancel(self, order: str, *, reason: str, by: str, key: str | None = None) -> OrderView:
        """Nothing more leaves for this order. Raises ConflictError where all of it has left."""
        if not reason.strip():
            raise BadInputError("A cancelled order needs its reason", mend="Write why")

        def act(work: Work, order: str, chosen: Sequence[int]) -> None:
            served, ordered = handling.shipped_and_ordered(work, order)
            if served >= ordered:
                raise ConflictError(
                    f"All of order {order} has left", mend="Take the goods back as a delivery"
                )
            book.cancel(work, order, list(chosen), reason=reason.strip())

        return self._handle("cancel_order", order, "", act, by=by, key=key, why=reason)

    def order(self, order: str) -> OrderView:
        """One order with its goods, its plans in words, and its history. Raises NotFoundError."""
        clock, zone = self._core.clock, self._core.zone
        return self._core.read(
            lambda c: views.read_order(
                c, order, now=clock_floor.at_least(c, clock.now()), zone=zone
            )
        )

    def orders(
        self, *, open_only: bool = False, after: int | None = None, limit: int = 100
    ) -> list[OrderSummary]:
        """Orders, newest first. `after`: the `cursor` of the last one seen."""
        return self._core.read(
            lambda c: views.read_orders(c, open_only=open_only, after=after, limit=limit)
        )

    def offered(self) -> dict[str, str]:
        """What can be ordered: the GTINs of goods in the house with their names, at most 500."""
        return self._core.read(views.offered)

    # Quotas

    def grant_quota(
        self,
        device: str,
        batch: BatchKey,
        quantity: int,
        expires_at: datetime,
        *,
        by: str,
        key: str | None = None,
    ) -> Quota:
        """Issue goods to a device, which may ship them with no network until `expires_at`.

        Raises HeldError, InsufficientStockError, BadInputError, NotFoundError.
        """
        check_name(device, "device's name", least=1)
        wanted = f"Q-{uuid.uuid4().hex[:12]}"

        def act(work: Work) -> str:
            quotas.grant(work, wanted, device, batch, quantity, expires_at)
            return wanted

        quota_id = self._core.command(
            "grant_quota",
            {
                "device": device,
                "batch": str(batch),
                "quantity": quantity,
                "expires_at": expires_at.isoformat(),
            },
            by=by,
            key=key,
            guards_of=lambda c: commands.guards_of_batch(c, batch),
            act=act,
        )
        (made,) = self._core.read(lambda c: quotas.read_quotas(c, open_only=False, only=quota_id))
        return made

    def end_quota(self, quota_id: str, *, by: str, key: str | None = None) -> int:
        """End a quota before its time: what is left comes back blocked, to be counted. The units.

        Raises NotFoundError.
        """
        units = self._core.command(
            "end_quota",
            {"quota": quota_id},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: quotas.end(work, quota_id),
        )
        return int(units)

    def quotas(self, *, device: str | None = None, open_only: bool = True) -> list[Quota]:
        """Quotas, those that end first first."""
        return self._core.read(lambda c: quotas.read_quotas(c, device=device, open_only=open_only))

    # What follows by itself

    def tidy(self) -> list[Planned]:
        """End quotas over their time, and plan orders again that lost goods to a hold or a date.

        Run by the hub again and again: what it finds is in the database, so nothing is forgotten
        when it stops, and what fails keeps nothing else from its turn. Returns what was planned
        again. Raises SweepStuckError with what was done beside what failed.
        """
        now = self._core.read(lambda c: clock_floor.at_least(c, self._core.clock.now()))
        sweep: Sweep[Planned] = Sweep()
        over = self._core.read(lambda c: quotas.over_time(c, now))
        sweep.over(over, self._end_over_time)
        today = now.astimezone(self._core.zone).date()
        found = self._core.read(lambda c: waiting.to_plan_again(c, today))
        sweep.over(found, partial(self._plan_again, only_gains=False))
        return sweep.finish()

    def serve_short(self) -> list[Planned]:
        """Orders that miss goods get what came in or came free meanwhile, the oldest first. Run by
        the hub now and then. Returns the orders that got something. Raises as `tidy`.
        """
        sweep: Sweep[Planned] = Sweep()
        found = self._core.read(waiting.may_be_served)
        sweep.over(found, partial(self._plan_again, only_gains=True))
        return sweep.finish()

    def _end_over_time(self, quota_id: str) -> None:
        self.end_quota(quota_id, by=TIDIER)

    def _plan_again(self, order: str, *, only_gains: bool) -> Planned | None:
        """None where there is nothing to plan: cancelled in this moment, or nothing was gained."""
        try:
            planned = self._planned_again(order, only_gains=only_gains)
        except ConflictError:
            return None
        return planned if planned.taken or not only_gains else None

    def _planned_again(self, order: str, *, only_gains: bool) -> Planned:
        def act(work: Work) -> list[int]:
            book.lock(work, order)
            planned = planning.plan(work, order, only_gains=only_gains)
            if only_gains and not planned.taken:
                return [0, planned.short]
            text = Reason(
                "order_planned_again", {"quantity": planned.taken, "short": planned.short}
            )
            book.tell(work, order, "order_planned_again", text)
            return [planned.taken, planned.short]

        taken, short = self._core.command(
            "plan_order",
            {"order": order},
            by=TIDIER,
            key=None,
            guards_of=lambda c: planning.guards_for(c, book.gtins_of(c, order)),
            act=act,
        )
        return Planned(order, taken, short)

    def _handle(
        self,
        name: str,
        order: str,
        state: str,
        act: Callable[[Work, str, Sequence[int]], object],
        *,
        by: str,
        key: str | None,
        only: Sequence[int] = (),
        packed: bool | None = None,
        **body: object,
    ) -> OrderView:
        """A step on an order's goods. Which goods is decided once, with the guards: what is set
        aside after that is not touched under guards that were never taken.
        """
        chosen: list[int] = []

        def guards_of(connection: Connection) -> set[Guard]:
            book.gtins_of(connection, order)
            states = (state,) if state else (RESERVED, PICKED)
            rows = book.reservations_of(connection, order, *states)
            if packed is not None:
                rows = [row for row in rows if (row.label is not None) is packed]
            chosen[:] = list(only) or [row.id for row in rows]
            wanted: set[Guard] = set()
            for reservation_id in chosen:
                wanted |= commands.guards_of_reservation(connection, reservation_id)
            return wanted

        request: dict[str, Any] = {"order": order, "only": sorted(only), **body}
        self._core.command(
            name,
            request,
            by=by,
            key=key,
            guards_of=guards_of,
            act=lambda work: act(work, order, chosen) and None,
        )
        return self.order(order)
