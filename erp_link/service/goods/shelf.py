"""The desk of dates: how far every batch is towards its date, and the sweep that acts on it (I4).

Raised once for each batch and stage, whoever sweeps and however often: yellow is written into the
batch's story, orange freezes it, red is taken off the shelf, past its date it is blocked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus
from erp_link.adapters import clock_floor
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import expiry_stage
from erp_link.adapters.guards import inserted
from erp_link.domain.expiry import Stage, days_left, stage_of
from erp_link.domain.places import QUARANTINE, STAGING
from erp_link.domain.receiving import Cause
from erp_link.domain.tickets import TicketKind
from erp_link.service import booking, holding, transport
from erp_link.service.goods.product_rows import read_products
from erp_link.service.store import Store
from erp_link.service.sweeping import Sweep
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work, batch_guards, hold_guards, key_of


@dataclass(frozen=True, slots=True)
class Dated:
    """A batch in the house and how far it is. Quantities in base units."""

    batch: BatchKey
    description: str
    expiry: date
    days_left: int
    stage: Stage
    on_hand: int
    on_shelf: int
    """What of it stands neither in quarantine nor in staging."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did, by batch."""

    raised: tuple[tuple[BatchKey, Stage], ...] = ()
    clock_is_sure: bool = True


class Shelf:
    """Ask how far goods are towards their dates, and act on it."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def ladder(self) -> list[Dated]:
        """Every batch with a date that stands here, the nearest date first."""
        zone = self._core.zone

        def ask(connection: Connection) -> list[Dated]:
            now = clock_floor.at_least(connection, self._core.clock.now())
            rows = connection.execute(_in_house()).all()
            products = read_products(connection, [row.gtin for row in rows])
            return [
                Dated(
                    key_of(row),
                    row.description or products[row.gtin].name,
                    row.expiry,
                    days_left(row.expiry, now=now, zone=zone),
                    stage_of(row.expiry, products[row.gtin].expiry, now=now, zone=zone),
                    int(row.on_hand),
                    int(row.on_shelf),
                )
                for row in rows
            ]

        return self._core.read(ask)

    def sweep(self, *, by: str) -> Swept:
        """Bring every batch to its stage; each in a transaction of its own. With the clock below
        its floor nothing is done, for nobody knows how late it is. Raises SweepStuckError where
        some failed, with the others done.
        """
        sure = self._core.read(lambda c: clock_floor.is_sure(c, self._core.clock.now()))
        if not sure:
            return Swept(clock_is_sure=False)
        self._core.write(lambda work: clock_floor.raise_to(work.connection, work.now), by=by)
        sweep: Sweep[tuple[BatchKey, Stage]] = Sweep()
        sweep.over(
            self._core.read(self._due),
            lambda batch_id: self._core.write(partial(_raise, batch_id=batch_id), by=by),
        )
        return Swept(tuple(sweep.finish()))

    def _due(self, connection: Connection) -> Sequence[int]:
        """The batches whose stage is not the one that was written down."""
        now, zone = self._core.clock.now(), self._core.zone
        rows = connection.execute(_in_house()).all()
        products = read_products(connection, [row.gtin for row in rows])
        stages = connection.execute(select(expiry_stage.c.batch_id, expiry_stage.c.stage))
        known = {row.batch_id: row.stage for row in stages}
        return [
            row.id
            for row in rows
            if stage_of(row.expiry, products[row.gtin].expiry, now=now, zone=zone)
            != known.get(row.id, Stage.FRESH)
        ]


def _in_house() -> Any:
    on_shelf = func.sum(t.stock.c.quantity).filter(t.stock.c.location.not_in([QUARANTINE, STAGING]))
    return (
        select(
            t.batch,
            func.sum(t.stock.c.quantity).label("on_hand"),
            func.coalesce(on_shelf, 0).label("on_shelf"),
        )
        .join(t.stock, t.stock.c.batch_id == t.batch.c.id)
        .where(t.stock.c.quantity > 0, t.batch.c.expiry.is_not(None))
        .group_by(*t.batch.c)
        .order_by(t.batch.c.expiry, t.batch.c.id)
    )


def _raise(work: Work, batch_id: int) -> tuple[BatchKey, Stage] | None:
    """Bring one batch to its stage, under its guards; None where another sweep did it meanwhile,
    or where a later date brought the batch back.
    """
    batch = work.batch(batch_id)
    work.take(batch_guards(work.connection, batch), hold_guards(batch))
    batch = work.batch(batch_id)
    product = read_products(work.connection, [batch.gtin])[batch.gtin]
    stage = stage_of(batch.expiry, product.expiry, now=work.now, zone=work.zone)
    was = _was(work.connection, batch_id)
    known = Stage(was.stage) if was is not None else Stage.FRESH
    if stage == known:
        return None
    hold_id = _act(work, batch, stage) if stage.rank > known.rank else ""
    values = {"stage": stage.value, "since": work.now, "hold_id": hold_id}
    if not inserted(work.connection, expiry_stage, batch_id=batch_id, **values):
        work.connection.execute(
            update(expiry_stage).where(expiry_stage.c.batch_id == batch_id).values(values)
        )
    if stage.rank < known.rank:
        return None
    return key_of(batch), stage


def _act(work: Work, batch: Row[Any], stage: Stage) -> str:
    left = days_left(batch.expiry, now=work.now, zone=work.zone)
    shown = batch.expiry.isoformat()
    values: dict[str, str | int | float] = {"expiry": shown, "days": left}
    ticket_id = f"QC-{stage.value}-{batch.id}-{batch.expiry:%Y%m%d}"
    match stage:
        case Stage.WARN:
            work.event("expiry", Reason("expiry_near", values), batch_id=batch.id)
        case Stage.FREEZE:
            return _freeze(work, batch, ticket_id, Reason("expiry_freeze", values))
        case Stage.PULL:
            hold_id = _freeze(work, batch, ticket_id, Reason("expiry_pull", values))
            _bring_away(work, batch.id)
            return hold_id
        case Stage.EXPIRED:
            reason = Reason("stock_expired", {"expiry": shown})
            if _known_ticket(work.connection, ticket_id):
                return ""
            booking.block_batch(work, batch.id, why=reason, reference=ticket_id)
            # Blocked by its date, not by a hold: no release frees it.
            work.connection.execute(
                update(t.carton)
                .where(t.carton.c.batch_id == batch.id, t.carton.c.cause == Cause.HOLD.value)
                .values(cause=Cause.EXPIRED.value)
            )
            transport.divert_batch(work, batch.id)
            open_ticket(work, ticket_id, reason, kind=TicketKind.EXPIRY, batch_id=batch.id)
            _bring_away(work, batch.id)
        case Stage.FRESH:
            pass
    return ""


def _freeze(work: Work, batch: Row[Any], ticket_id: str, reason: Reason) -> str:
    """A hold with its ticket; once for each stage and date. A hold of an earlier stage that is
    still open is held on to by the new ticket too.
    """
    hold_id = "H" + ticket_id.removeprefix("QC")
    if _known_ticket(work.connection, ticket_id):
        return ""
    was = _was(work.connection, batch.id)
    if was is not None and _is_open(work.connection, was.hold_id):
        hold_id = was.hold_id
    else:
        holding.hold_batch(work, hold_id, batch.id, reason)
    open_ticket(
        work, ticket_id, reason, kind=TicketKind.HOLD, batch_id=batch.id, hold_ids=(hold_id,)
    )
    return hold_id


def _bring_away(work: Work, batch_id: int) -> None:
    """Off the shelf: what is blocked and does not stand in quarantine is asked for."""
    names = work.connection.execute(
        select(t.carton.c.carton_id)
        .where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.status == StockStatus.BLOCKED.value,
            t.carton.c.location != QUARANTINE,
        )
        .order_by(t.carton.c.carton_id)
    ).scalars()
    for name in list(names):
        transport.ask_for(work, name)


def _is_open(connection: Connection, hold_id: str) -> bool:
    ask = select(t.hold.c.hold_id).where(
        t.hold.c.hold_id == hold_id, t.hold.c.released_at.is_(None)
    )
    return bool(hold_id) and connection.execute(ask).first() is not None


def _known_ticket(connection: Connection, ticket_id: str) -> bool:
    ask = select(t.ticket.c.ticket_id).where(t.ticket.c.ticket_id == ticket_id)
    return connection.execute(ask).first() is not None


def _was(connection: Connection, batch_id: int) -> Row[Any] | None:
    return connection.execute(
        select(expiry_stage).where(expiry_stage.c.batch_id == batch_id)
    ).one_or_none()
