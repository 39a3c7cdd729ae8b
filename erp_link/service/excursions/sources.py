"""What an excursion is measured from: the minutes told of it, and what goods went through before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from contracts.telemetry import TracePoint
from erp_link.adapters import tables as t
from erp_link.adapters.alarm_tables import alarm, alarm_change, excursion, excursion_batch
from erp_link.domain.excursions.exposure import earlier, merged, worst_of
from erp_link.domain.excursions.limits import TEMPERATURE

_APART_US = 31 * 24 * 3600 * 1_000_000
"""An alarm is told within a month of its beginning."""


def read_trace(connection: Connection, alarm_id: str) -> list[TracePoint]:
    """The minutes of an alarm, oldest first, however its changes came."""
    rows = connection.execute(
        select(alarm_change.c.trace)
        .where(alarm_change.c.alarm_id == alarm_id)
        .order_by(alarm_change.c.number)
    )
    points = [TracePoint(*each) for row in rows for each in row.trace]
    return merged(each for each in points if math.isfinite(each.mean))


def alarms_of(connection: Connection, excursion_id: str, first: Row[Any]) -> list[Row[Any]]:
    """Every alarm that tells of one excursion, the one that began it first: several sensors of a room
    tell of one heat. `first` is that one's row.
    """
    rows = connection.execute(
        select(alarm).where(
            alarm.c.state.in_(("open", "closed")),
            alarm.c.since_us >= first.since_us - _APART_US,
            alarm.c.excursion_id == excursion_id,
            alarm.c.alarm_id != first.alarm_id,
        )
    )
    return [first, *sorted(rows, key=lambda row: (row.since_us, row.alarm_id))]


def read_traces(connection: Connection, alarms: Sequence[Row[Any]]) -> list[TracePoint]:
    """What went on in a place by all the alarms of one excursion."""
    traces = [read_trace(connection, each.alarm_id) for each in alarms]
    return worst_of(traces, low=alarms[0].kind == "below")


def earlier_of(
    connection: Connection, alarm_id: str, batches: Sequence[int], begun: int
) -> dict[int, int]:
    """Seconds that each batch was out of its temperature in excursions that were over before."""
    found: dict[int, list[tuple[int, int, int]]] = {}
    for at in range(0, len(batches), 500):
        rows = connection.execute(
            select(
                excursion_batch.c.batch_id,
                excursion.c.begun_us,
                excursion.c.ended_us,
                excursion_batch.c.outside_s,
            )
            .join(excursion, excursion.c.excursion_id == excursion_batch.c.excursion_id)
            .join(alarm, alarm.c.alarm_id == excursion.c.alarm_id)
            .where(
                excursion_batch.c.batch_id.in_(batches[at : at + 500]),
                excursion.c.alarm_id != alarm_id,
                excursion.c.ended_us <= begun,
                excursion_batch.c.outside_s > 0,
                alarm.c.quantity == TEMPERATURE,
            )
        )
        for batch_id, since, until, outside in rows:
            found.setdefault(batch_id, []).append((since, until, outside))
    return {batch_id: earlier(parts) for batch_id, parts in found.items()}


def batch_named(connection: Connection, text: str) -> int | None:
    """The number of the batch that a fence names `supplier/GTIN/lot`; None for one not known."""
    supplier, _, rest = text.partition("/")
    gtin, _, lot = rest.partition("/")
    found = connection.execute(
        select(t.batch.c.id).where(
            t.batch.c.supplier == ("" if supplier == "-" else supplier),
            t.batch.c.gtin == gtin,
            t.batch.c.lot == lot,
        )
    ).scalar_one_or_none()
    return None if found is None else int(found)
