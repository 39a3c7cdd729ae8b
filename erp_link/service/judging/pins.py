"""Pins in the database: the primary key decides who was first, and everybody is told the same (I3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from contracts.errors import BadInputError, ConflictError
from contracts.judging import Pin, SessionPin, judge_digest, parts_of
from contracts.stock import BatchKey
from erp_link.adapters import judging_tables as j
from erp_link.adapters import tables as t
from erp_link.adapters.guards import inserted
from erp_link.domain.judging import FIRST
from erp_link.service.work import Work, find_batch, key_of


def newest(connection: Connection, batch_id: int) -> Row[Any] | None:
    """The row of the newest generation's pin."""
    return connection.execute(
        select(j.judge_pin)
        .where(j.judge_pin.c.batch_id == batch_id)
        .order_by(j.judge_pin.c.generation.desc())
        .limit(1)
    ).one_or_none()


def pin_of(row: Row[Any], batch: BatchKey) -> Pin:
    """A row as everybody is told."""
    return Pin(batch, row.generation, row.judge, dict(row.parts))


def generation(connection: Connection, batch_id: int) -> int:
    """The newest generation; the first where nobody pinned the batch."""
    found = connection.execute(
        select(func.max(j.judge_pin.c.generation)).where(j.judge_pin.c.batch_id == batch_id)
    ).scalar_one_or_none()
    return found or FIRST


def find(connection: Connection, batch: BatchKey) -> Pin | None:
    """The newest pin of a batch that may not be known at all."""
    row = connection.execute(
        select(j.judge_pin)
        .join(t.batch, t.batch.c.id == j.judge_pin.c.batch_id)
        .where(
            t.batch.c.supplier == batch.supplier,
            t.batch.c.gtin == batch.gtin,
            t.batch.c.lot == batch.lot,
        )
        .order_by(j.judge_pin.c.generation.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else pin_of(row, batch)


def history(connection: Connection, batch: BatchKey) -> Sequence[Pin]:
    """All generations, oldest first."""
    rows = connection.execute(
        select(j.judge_pin)
        .join(t.batch, t.batch.c.id == j.judge_pin.c.batch_id)
        .where(
            t.batch.c.supplier == batch.supplier,
            t.batch.c.gtin == batch.gtin,
            t.batch.c.lot == batch.lot,
        )
        .order_by(j.judge_pin.c.generation)
    )
    return tuple(pin_of(row, batch) for row in rows)


def newest_of(connection: Connection, batches: Collection[int]) -> list[Pin]:
    """The newest pins of those of the batches that have one, by batch."""
    if not batches:
        return []
    latest = (
        select(j.judge_pin.c.batch_id, func.max(j.judge_pin.c.generation).label("generation"))
        .where(j.judge_pin.c.batch_id.in_(sorted(batches)))
        .group_by(j.judge_pin.c.batch_id)
        .subquery()
    )
    rows = connection.execute(
        select(j.judge_pin, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(
            latest,
            (latest.c.batch_id == j.judge_pin.c.batch_id)
            & (latest.c.generation == j.judge_pin.c.generation),
        )
        .join(t.batch, t.batch.c.id == j.judge_pin.c.batch_id)
        .order_by(j.judge_pin.c.batch_id)
    )
    return [pin_of(row, key_of(row)) for row in rows]


def ensure(work: Work, batch_id: int, parts: Mapping[str, str], *, why: str = "") -> Row[Any]:
    """The newest pin of a batch; made where there is none. Two who ask at once get the same."""
    known = newest(work.connection, batch_id)
    if known is None:
        _insert(work, batch_id, FIRST, parts, why=why)
        known = newest(work.connection, batch_id)
    assert known is not None  # noqa: S101 -- ours or the one that came first
    return known


def follow(
    work: Work, batch: BatchKey, parts: Mapping[str, str], *, after: int, why: str
) -> tuple[Pin, bool]:
    """The pin of generation `after` + 1, and whether it was opened just now.

    Raises ConflictError where `after` is no generation of the batch, BadInputError.
    """
    check_parts(parts)
    batch_id = find_batch(work.connection, batch).id
    known = {row.generation: row for row in _all(work.connection, batch_id)}
    if after not in known:
        raise ConflictError(
            f"Batch {batch} has no generation {after}: its newest is {max(known, default=0)}",
            mend="Ask for its pin again, and follow that one",
            batch=str(batch),
            generation=max(known, default=0),
        )
    made = after + 1 not in known and _insert(work, batch_id, after + 1, parts, why=why)
    rows = {row.generation: row for row in _all(work.connection, batch_id)}
    return pin_of(rows[after + 1], batch), made


def ensure_session(work: Work, session: str, model_set: str) -> SessionPin:
    """What reads a session's labels; `model_set` where nothing did."""
    known = reads(work.connection, session)
    if known is not None:
        return known
    made = inserted(
        work.connection,
        j.session_pin,
        session=session,
        model_set=model_set,
        made_at=work.now,
        made_by=work.by,
    )
    work.changes_expectations |= made
    return reads(work.connection, session) or SessionPin(session, model_set)


def reads(connection: Connection, session: str) -> SessionPin | None:
    """The set that reads a session's labels; None where nothing does yet."""
    found = connection.execute(
        select(j.session_pin.c.model_set).where(j.session_pin.c.session == session)
    ).scalar_one_or_none()
    return None if found is None else SessionPin(session, found)


def check_parts(parts: Mapping[str, str]) -> dict[str, str]:
    """The judge's sets by use. Raises BadInputError where they name nobody."""
    named = parts_of(parts, parts.get("profile", ""))
    if not named:
        raise BadInputError(
            "A batch is pinned to a judge, and no set that judges goods is named",
            mend="Name at least one of inspect, cracks, profile, detector",
        )
    return named


def _insert(work: Work, batch_id: int, number: int, parts: Mapping[str, str], *, why: str) -> bool:
    named = check_parts(parts)
    made = inserted(
        work.connection,
        j.judge_pin,
        batch_id=batch_id,
        generation=number,
        judge=judge_digest(named),
        parts=named,
        made_at=work.now,
        made_by=work.by,
        why=why,
    )
    work.changes_expectations |= made
    return made


def _all(connection: Connection, batch_id: int) -> Sequence[Row[Any]]:
    return connection.execute(
        select(j.judge_pin)
        .where(j.judge_pin.c.batch_id == batch_id)
        .order_by(j.judge_pin.c.generation)
    ).all()
