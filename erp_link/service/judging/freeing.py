"""Goods that only waited for their judge go on; those that may not any more come back (I1, I3).

Nothing here lifts a hold: what is blocked stays blocked, and what comes free under a hold is blocked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, select, update

from contracts.reason import Reason
from contracts.stock import StockStatus
from erp_link.adapters import guards, ledger
from erp_link.adapters import tables as t
from erp_link.domain.moves import Place
from erp_link.domain.places import is_account
from erp_link.domain.receiving import Cause
from erp_link.service import apart, booking, transport
from erp_link.service.judging import waiting
from erp_link.service.work import Work, batch_guards, unrestricted

_INSPECTION = StockStatus.INSPECTION
_ON_QUOTA = "@quota/"


def come_free(work: Work, batch_id: int, names: Collection[str], *, why: Reason) -> list[str]:
    """Those of the cartons that wait for nothing else may be used from now on, as far as no hold and
    no date is against it; what was picked may be shipped again. The names of those that may. The
    caller has taken the batch's guards.
    """
    rows = [row for row in _cartons(work, batch_id, names) if row.cause == Cause.JUDGING.value]
    ready, _ = waiting.split(work.connection, batch_id, rows)
    picked = [row.carton_id for row in ready if row.status == StockStatus.IN_TRANSIT.value]
    _set(work, picked, StockStatus.IN_TRANSIT, Cause.NONE)
    here = [
        row for row in ready if row.status == _INSPECTION.value and not is_account(row.location)
    ]
    status, cause = _fate(work, batch_id)
    named = apart.holds_by_name(work.connection, batch_id)
    free = [row for row in here if row.carton_id not in named]
    stopped = [row for row in here if row.carton_id in named]
    _restate(work, batch_id, free, status, cause, why)
    _restate(work, batch_id, stopped, StockStatus.BLOCKED, Cause.HOLD, why)
    if here:
        work.changes_expectations = True
    for row in here:
        transport.ask_for(work, row.carton_id)
    return [*picked, *(row.carton_id for row in free if status is StockStatus.UNRESTRICTED)]


def come_back(work: Work, batch_id: int, *, why: Reason) -> list[Row[Any]]:
    """Every carton of a batch that lacks a result of the newest generation waits again: what is free
    goes to inspection where it stands, and reservations give way; what is picked or lent to a
    device must not be shipped. What was blocked stays blocked. All that lack one, with what left.
    The caller holds the batch's guards alone.
    """
    lacking = _cartons(work, batch_id, waiting.awaiting(work.connection, batch_id))
    by_place: dict[str, list[Row[Any]]] = defaultdict(list)
    picked: list[str] = []
    for row in lacking:
        if row.status == StockStatus.UNRESTRICTED.value and not is_account(row.location):
            by_place[row.location].append(row)
        elif row.status == StockStatus.IN_TRANSIT.value and _is_ours(row.location):
            picked.append(row.carton_id)
    waiting.mark(work.connection, picked)
    for location, rows in sorted(by_place.items()):
        source = unrestricted(location)
        there, _ = ledger.on_hand(work.connection, batch_id, source)
        units = min(there, sum(row.quantity for row in rows))
        booking.release_reservations(work, batch_id, location, keep=there - units)
        event_id = work.event("restated", why, batch_id=batch_id, reference=location)
        work.move(event_id, batch_id, units, source, Place(location, _INSPECTION))
        names = [row.carton_id for row in rows]
        _set(work, names, _INSPECTION, Cause.JUDGING)
        transport.withdraw_unsent(work, names)
    return lacking


def _is_ours(location: str) -> bool:
    """In the house, or lent to a device that may ship it."""
    return not is_account(location) or location.startswith(_ON_QUOTA)


def _fate(work: Work, batch_id: int) -> tuple[StockStatus, Cause]:
    batch = work.batch(batch_id)
    if work.expired(batch):
        return StockStatus.BLOCKED, Cause.EXPIRED
    # Read under the guards, and again where a hold was lifted in this very transaction.
    if guards.held(work.connection, batch_guards(work.connection, batch)):
        return StockStatus.BLOCKED, Cause.HOLD
    return StockStatus.UNRESTRICTED, Cause.NONE


def _cartons(work: Work, batch_id: int, names: Collection[str]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    wanted = sorted(names)
    for at in range(0, len(wanted), 500):
        found += work.connection.execute(
            select(t.carton)
            .where(
                t.carton.c.batch_id == batch_id,
                t.carton.c.carton_id.in_(wanted[at : at + 500]),
            )
            .order_by(t.carton.c.location, t.carton.c.carton_id)
        ).all()
    return found


def _restate(
    work: Work,
    batch_id: int,
    rows: Collection[Row[Any]],
    status: StockStatus,
    cause: Cause,
    why: Reason,
) -> None:
    by_place: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_place[row.location].append(row)
    for location, cartons in sorted(by_place.items()):
        event_id = work.event("restated", why, batch_id=batch_id, reference=location)
        places = Place(location, _INSPECTION), Place(location, status)
        work.move(event_id, batch_id, sum(row.quantity for row in cartons), *places)
        _set(work, [row.carton_id for row in cartons], status, cause)


def _set(work: Work, names: Collection[str], status: StockStatus, cause: Cause) -> None:
    wanted = sorted(names)
    for at in range(0, len(wanted), 500):
        work.connection.execute(
            update(t.carton)
            .where(t.carton.c.carton_id.in_(wanted[at : at + 500]))
            .values(status=status.value, cause=cause.value)
        )
