"""What was said of goods and by whom, what waits, what ran where: questions, no commands."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, select

from contracts.inspection import InspectDecision
from contracts.judging import Standing
from contracts.ota import Tally
from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.adapters import judging_tables as j
from erp_link.adapters import tables as t
from erp_link.domain.judging import ResultKind, TaskState
from erp_link.domain.receiving import Cause
from erp_link.service.judging import pins
from erp_link.service.judging.shapes import Ran, Said, ShadowTally, Waiting
from erp_link.service.work import key_of


def pinned_sets(connection: Connection, since: datetime) -> frozenset[str]:
    """The sets that batches which may go on are pinned to."""
    coming = (
        select(t.asn_line.c.batch_id)
        .join(t.session, t.session.c.asn == t.asn_line.c.asn)
        .where(t.session.c.closed_at.is_(None))
    )
    asked = select(j.rejudge.c.batch_id).where(j.rejudge.c.state == TaskState.ASKED.value)
    lately = select(j.judgement.c.batch_id).where(
        j.judgement.c.at >= since, j.judgement.c.batch_id.is_not(None)
    )
    made = select(j.judge_pin.c.batch_id).where(j.judge_pin.c.made_at >= since)
    batches = {
        int(batch_id)
        for query in (coming, asked, lately, made)
        for batch_id in connection.execute(query.distinct()).scalars()
    }
    found: set[str] = set()
    every = sorted(batches)
    for at in range(0, len(every), 500):
        for pin in pins.newest_of(connection, every[at : at + 500]):
            found.update(pin.parts.values())
    return frozenset(found)


def said_of(connection: Connection, batch: BatchKey) -> list[Said]:
    """Every word on a batch's goods, oldest first."""
    query = _with_batch(select(j.judgement, *_KEY)).where(
        t.batch.c.supplier == batch.supplier,
        t.batch.c.gtin == batch.gtin,
        t.batch.c.lot == batch.lot,
    )
    return [_said(row) for row in connection.execute(query.order_by(j.judgement.c.id))]


def waiting(connection: Connection) -> list[Waiting]:
    """Batches with cartons that wait for a result that counts, by batch."""
    rows = connection.execute(
        select(t.carton.c.batch_id, func.count().label("cartons"))
        .where(t.carton.c.cause == Cause.JUDGING.value, t.carton.c.batch_id.is_not(None))
        .group_by(t.carton.c.batch_id)
    )
    standing = {row.batch_id: row.cartons for row in rows}
    open_tasks = connection.execute(
        select(j.rejudge.c.batch_id, j.rejudge.c.state, func.count().label("n"))
        .where(j.rejudge.c.state != TaskState.DONE.value)
        .group_by(j.rejudge.c.batch_id, j.rejudge.c.state)
    )
    tasks: Counter[tuple[int, str]] = Counter()
    for row in open_tasks:
        tasks[row.batch_id, row.state] = row.n
    batches = sorted(standing.keys() | {batch_id for batch_id, _ in tasks})
    known = {pin.batch: pin for pin in pins.newest_of(connection, batches)}
    keys = {
        row.id: key_of(row)
        for row in connection.execute(select(t.batch).where(t.batch.c.id.in_(batches)))
    }
    return [
        Waiting(
            keys[batch_id],
            known.get(keys[batch_id]),
            standing.get(batch_id, 0),
            tasks[batch_id, TaskState.ASKED.value],
            tasks[batch_id, TaskState.PERSON.value],
        )
        for batch_id in batches
    ]


def mixed(connection: Connection) -> list[tuple[BatchKey, int, tuple[str, ...]]]:
    """Batch generations that two judges' passes counted for."""
    rows = connection.execute(
        _with_batch(select(j.judgement.c.generation, j.judgement.c.judge, *_KEY))
        .where(
            j.judgement.c.kind != ResultKind.PERSON.value,
            j.judgement.c.standing == Standing.COUNTS.value,
        )
        .distinct()
    )
    judges: dict[tuple[BatchKey, int], set[str]] = defaultdict(set)
    for row in rows:
        judges[key_of(row), row.generation].add(row.judge)
    return [(*at, tuple(sorted(who))) for at, who in sorted(judges.items()) if len(who) > 1]


def ran(
    connection: Connection, device: str | None, *, since: datetime | None, limit: int
) -> list[Ran]:
    """What judged new batches, newest first."""
    query = select(j.box_sets)
    if device is not None:
        query = query.where(j.box_sets.c.device == device)
    if since is not None:
        query = query.where(j.box_sets.c.at >= since)
    ordered = query.order_by(j.box_sets.c.at.desc(), j.box_sets.c.seq.desc()).limit(limit)
    return [_ran(row) for row in connection.execute(ordered)]


def ran_at(connection: Connection, at: datetime) -> dict[str, Ran]:
    """The last entry of each box up to a moment."""
    last = (
        select(j.box_sets.c.device, func.max(j.box_sets.c.seq).label("seq"))
        .where(j.box_sets.c.at <= at)
        .group_by(j.box_sets.c.device)
        .subquery()
    )
    rows = connection.execute(
        select(j.box_sets).join(
            last, (last.c.device == j.box_sets.c.device) & (last.c.seq == j.box_sets.c.seq)
        )
    )
    return {row.device: _ran(row) for row in rows}


def shadow_tallies(connection: Connection, rollout: str) -> list[ShadowTally]:
    """Summed by the database: an entry is there once, so it counts once."""
    shown = j.shadow_result.c
    failed = func.sum(case((shown.error != "", 1), else_=0))
    rows = connection.execute(
        select(
            shown.device,
            shown.lane,
            shown.model_set,
            func.count().label("frames"),
            func.sum(shown.harmful).label("harmful"),
            func.sum(shown.late).label("late"),
            failed.label("failed"),
            func.max(shown.seq).label("last_seq"),
        )
        .where(shown.rollout == rollout)
        .group_by(shown.device, shown.lane, shown.model_set)
        .order_by(shown.device, shown.lane, shown.model_set)
    )
    return [
        ShadowTally(
            rollout,
            row.device,
            row.lane,
            row.model_set,
            row.last_seq,
            {
                "harm": Tally(row.frames, int(row.harmful)),
                "latency": Tally(row.frames, int(row.late)),
                "error": Tally(row.frames, int(row.failed)),
            },
        )
        for row in rows
    ]


_KEY = (t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)


def _with_batch(query: Select[Any]) -> Select[Any]:
    return query.join(t.batch, t.batch.c.id == j.judgement.c.batch_id)


def _said(row: Row[Any]) -> Said:
    return Said(
        carton_id=row.carton_id,
        batch=key_of(row),
        kind=ResultKind(row.kind),
        judge=row.judge,
        generation=row.generation,
        provisional=bool(row.provisional),
        standing=Standing(row.standing),
        decision=InspectDecision(row.decision),
        station=row.station,
        device=row.device,
        at=row.at,
        picture=row.picture,
        model_sets=row.model_sets,
        variant=row.variant,
    )


def _ran(row: Row[Any]) -> Ran:
    return Ran(
        device=row.device,
        seq=row.seq,
        at=row.at,
        station=row.station,
        before=row.before,
        after=row.after,
        variant=row.variant,
        why=row.why,
        epoch=row.epoch,
        sequence=row.sequence,
        rollout=row.rollout,
        notes=tuple(Reason(code, params) for code, params in row.notes),
    )
