"""What a station is told about judging: pins of what may come, its session's reader, its tasks."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from contracts.judging import Pin, RejudgeTask, SessionPin
from erp_link.adapters import judging_tables as j
from erp_link.adapters import tables as t
from erp_link.domain.judging import TaskState
from erp_link.service.judging import pins, tasks

MOST_PINS = 2_000
"""A station asks for what it is not told."""


@dataclass(frozen=True, slots=True)
class Told:
    """As `contracts.asn.Expectations` has them."""

    pins: tuple[Pin, ...] = ()
    reads: SessionPin | None = None
    rejudge: tuple[RejudgeTask, ...] = ()


def told(connection: Connection, station: str | None, session: str | None) -> Told:
    """The pins of the batches announced in open sessions and of those that wait to be judged."""
    coming = (
        select(t.asn_line.c.batch_id)
        .join(t.session, t.session.c.asn == t.asn_line.c.asn)
        .where(t.session.c.closed_at.is_(None))
        .distinct()
        .limit(MOST_PINS)
    )
    waiting = (
        select(j.rejudge.c.batch_id)
        .where(j.rejudge.c.state == TaskState.ASKED.value)
        .distinct()
        .limit(MOST_PINS)
    )
    batches = {*connection.execute(coming).scalars(), *connection.execute(waiting).scalars()}
    return Told(
        tuple(pins.newest_of(connection, batches)),
        pins.reads(connection, session) if session is not None else None,
        tuple(tasks.for_station(connection, station)) if station is not None else (),
    )
