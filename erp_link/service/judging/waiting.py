"""Which cartons wait for a result that counts, and how they come free (I1, I3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Row, exists, func, literal, select, update

from contracts.inspection import InspectDecision
from contracts.judging import Standing
from contracts.stock import StockStatus
from erp_link.adapters import judging_tables as j
from erp_link.adapters import tables as t
from erp_link.domain.judging import FIRST, ResultKind
from erp_link.domain.moves import Place
from erp_link.domain.receiving import Cause

_OUT = (StockStatus.UNRESTRICTED.value, StockStatus.IN_TRANSIT.value)
_AT_ONCE = 500


def awaiting(
    connection: Connection, batch_id: int, names: Collection[str] | None = None
) -> set[str]:
    """Those of a batch's cartons, or of `names`, that a machine looked at and no result of the newest
    generation frees: `domain.judging.waits`, asked of the database.
    """
    newest = (
        select(func.coalesce(func.max(j.judge_pin.c.generation), literal(FIRST)))
        .where(j.judge_pin.c.batch_id == batch_id)
        .scalar_subquery()
    )
    mine = j.judgement.c.carton_id == t.carton.c.carton_id
    by_machine = exists().where(mine, j.judgement.c.kind != ResultKind.PERSON.value)
    free = exists().where(
        mine,
        j.judgement.c.batch_id == batch_id,
        j.judgement.c.generation == newest,
        j.judgement.c.standing == Standing.COUNTS.value,
        j.judgement.c.decision == InspectDecision.PASS.value,
    )
    query = select(t.carton.c.carton_id).where(t.carton.c.batch_id == batch_id, by_machine, ~free)
    if names is None:
        return set(connection.execute(query).scalars())
    found: set[str] = set()
    wanted = sorted(names)
    for at in range(0, len(wanted), _AT_ONCE):
        part = query.where(t.carton.c.carton_id.in_(wanted[at : at + _AT_ONCE]))
        found.update(connection.execute(part).scalars())
    return found


def stopped_at(connection: Connection, batch_id: int, place: Place) -> list[str]:
    """The cartons in a place whose goods may not go on, since they wait to be judged: picked before
    a generation was opened, mostly.
    """
    if place.status.value not in _OUT:
        return []
    rows = connection.execute(
        select(t.carton.c.carton_id)
        .where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.location == place.location,
            t.carton.c.status == place.status.value,
            t.carton.c.cause == Cause.JUDGING.value,
        )
        .order_by(t.carton.c.carton_id)
    )
    return list(rows.scalars())


def split(
    connection: Connection, batch_id: int, rows: Iterable[Row[Any]]
) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """Cartons that something else lets go now: those that come free, and those that wait on."""
    every = list(rows)
    waits = awaiting(connection, batch_id, [row.carton_id for row in every])
    return (
        [row for row in every if row.carton_id not in waits],
        [row for row in every if row.carton_id in waits],
    )


def mark(connection: Connection, names: Collection[str]) -> None:
    """These cartons stand where they stand, and wait to be judged."""
    wanted = sorted(names)
    for at in range(0, len(wanted), _AT_ONCE):
        connection.execute(
            update(t.carton)
            .where(t.carton.c.carton_id.in_(wanted[at : at + _AT_ONCE]))
            .values(cause=Cause.JUDGING.value)
        )
