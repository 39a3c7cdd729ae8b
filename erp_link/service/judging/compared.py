"""What a candidate said beside the running set, carton by carton, and what each box says of goods:
the figures that a site's acceptance stands on. Questions only, over what stations journaled (I3, I7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, or_, select

from erp_link.adapters import judging_tables as j
from erp_link.adapters import read_tables as r
from erp_link.service.store import Store


@dataclass(frozen=True, slots=True)
class Compared:
    """So many `frames` on one device of which the set beside said `said` and the running one `stood`;
    `elapsed_ms` is the mean of the set beside.
    """

    device: str
    model_set: str
    running: str
    said: str
    stood: str
    frames: int
    harmful: int
    late: int
    failed: int
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One carton on which two sets did not say the same, or the one beside failed. `pictures` are
    SHA-256, what was judged first; `answer` what a person said of it, empty where nobody did.
    """

    device: str
    seq: int
    at: datetime
    station: str
    carton_id: str
    model_set: str
    running: str
    said: str
    stood: str
    harmful: bool
    late: bool
    error: str
    elapsed_ms: float
    pictures: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class BoxWords:
    """So many cartons whose goods a device judged with one decision since a moment."""

    device: str
    decision: str
    cartons: int


def compared(core: Store, rollout: str) -> list[Compared]:
    """Everything of a rollout, summed by the database."""
    return core.read(lambda connection: _compared(connection, rollout))


def disagreements(
    core: Store,
    rollout: str,
    *,
    device: str = "",
    said: str = "",
    stood: str = "",
    skip: int = 0,
    most: int = 24,
) -> tuple[int, list[Disagreement]]:
    """How many there are, and some of them: harmful ones first, the newest of each first."""
    shown = j.shadow_result.c
    where = [shown.rollout == rollout, or_(shown.said != shown.stood, shown.harmful == 1)]
    where += [
        column == value
        for column, value in ((shown.device, device), (shown.said, said), (shown.stood, stood))
        if value
    ]

    def ask(connection: Connection) -> tuple[int, list[Disagreement]]:
        found = connection.execute(
            select(func.count()).select_from(j.shadow_result).where(*where)
        ).scalar_one()
        rows = connection.execute(_listed(where).offset(skip).limit(most)).all()
        goods = _goods(connection, [row.carton_id for row in rows])
        return found, [_one(row, goods.get(row.carton_id, ())) for row in rows]

    return core.read(ask)


def words_of_boxes(core: Store, since: datetime) -> list[BoxWords]:
    """What each box said of goods since `since`; a carton that was judged again counts again."""
    words = j.judgement.c
    query = (
        select(words.device, words.decision, func.count().label("cartons"))
        .where(words.at >= since, words.device != "")
        .group_by(words.device, words.decision)
        .order_by(words.device, words.decision)
    )
    return core.read(
        lambda connection: [
            BoxWords(row.device, row.decision, row.cartons) for row in connection.execute(query)
        ]
    )


def _compared(connection: Connection, rollout: str) -> list[Compared]:
    shown = j.shadow_result.c
    keys = (shown.device, shown.model_set, shown.running, shown.said, shown.stood)
    query = (
        select(
            *keys,
            func.count().label("frames"),
            func.sum(shown.harmful).label("harmful"),
            func.sum(shown.late).label("late"),
            func.sum(case((shown.error != "", 1), else_=0)).label("failed"),
            func.avg(shown.elapsed_ms).label("elapsed_ms"),
        )
        .where(shown.rollout == rollout)
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        Compared(
            row.device,
            row.model_set,
            row.running,
            row.said,
            row.stood,
            row.frames,
            int(row.harmful),
            int(row.late),
            int(row.failed),
            float(row.elapsed_ms or 0.0),
        )
        for row in connection.execute(query)
    ]


def _listed(where: Sequence[Any]) -> Select[Any]:
    shown = j.shadow_result.c
    return (
        select(j.shadow_result, r.carton_read.c.pictures, r.carton_read.c.how)
        .outerjoin(r.carton_read, r.carton_read.c.carton_id == shown.carton_id)
        .where(*where)
        .order_by(shown.harmful.desc(), shown.at.desc(), shown.device, shown.seq)
    )


def _goods(connection: Connection, cartons: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Pictures of goods by carton, as they were judged first."""
    words = j.judgement.c
    query = (
        select(words.carton_id, words.picture)
        .where(and_(words.carton_id.in_(list(cartons)), words.picture != ""))
        .order_by(words.id)
    )
    found: dict[str, tuple[str, ...]] = {}
    for row in connection.execute(query):
        found[row.carton_id] = (*found.get(row.carton_id, ()), row.picture)
    return found


def _one(row: Any, goods: tuple[str, ...]) -> Disagreement:
    labels = tuple(row.pictures or ())
    ordered = (*labels, *goods) if row.lane == "read" else (*goods, *labels)
    return Disagreement(
        row.device,
        row.seq,
        row.at,
        row.station,
        row.carton_id,
        row.model_set,
        row.running,
        row.said,
        row.stood,
        bool(row.harmful),
        bool(row.late),
        row.error,
        row.elapsed_ms,
        tuple(dict.fromkeys(ordered)),
        row.how or "",
    )
