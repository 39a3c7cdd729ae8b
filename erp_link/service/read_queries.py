"""What the read rates ask of the core: counts from an index alone, and the cartons behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, or_, select

from contracts.reason import Reason
from erp_link.adapters import read_tables as r
from erp_link.domain.reads import Answer, Cell, Facet
from erp_link.service.reads import cell_of

_read, _truth = r.read_cell.c.accepted, r.read_cell.c.was_right
_MEANT: dict[str, tuple[ColumnElement[bool], ...]] = {
    "all": (),
    "read": (_read == 1,),
    "review": (_read == 0,),
    "known": (_read == 1, _truth >= 0),
    "misread": (_read == 1, _truth == 0),
    "audited": (_read == 1, r.read_cell.c.audited == 1),
    "proposed": (_read == 0, _truth >= 0),
    "proposed_wrong": (_read == 0, _truth == 0),
}
WHAT = tuple(_MEANT)
"""Which cartons of a window: `known` are read ones whose truth a person said, `misread` those of
them that were wrong, `audited` the read ones drawn at random, `proposed` reviews whose truth is
known, `proposed_wrong` those of them that the machine would have got wrong.
"""

QUARTERS_A_WEEK = 7 * 24 * 4


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """Cartons judged in any of `spans`, [first, last) quarters of an hour since 1970, and of one
    value of each facet in `facets`, of one `cause` where it is given.
    """

    spans: tuple[tuple[int, int], ...]
    facets: tuple[tuple[str, str], ...] = ()
    what: str = "all"
    cause: str = ""


@dataclass(frozen=True, slots=True)
class ReadTally:
    cell: Cell
    cartons: int


@dataclass(frozen=True, slots=True)
class QuarterTally:
    """`known` and `misread` are of the cartons that were read."""

    quarter: int
    cartons: int
    read: int
    known: int
    misread: int


@dataclass(frozen=True, slots=True)
class ReadFrame:
    """One carton behind a number. `truth` is None while nobody has said what the label says."""

    carton_id: str
    at: datetime
    cell: Cell
    confidence: float | None
    answer: Answer
    truth: Answer | None
    how: str
    reasons: tuple[Reason, ...]
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """A stated confidence and what came of it."""

    model_set: str
    at: datetime
    confidence: float
    was_right: bool


@dataclass(frozen=True, slots=True)
class BandTally:
    """`week` counts weeks of 7 days since 1970."""

    model_set: str
    week: int
    band: int
    cartons: int


def facets(connection: Connection) -> list[Facet]:
    """Every facet seen, each once."""
    return list(dict.fromkeys(cell.facet for cell in _cells(connection).values()))


def tallies(connection: Connection, window: ReadWindow) -> list[ReadTally]:
    """The cartons of a window by cell."""
    c = r.carton_read.c
    rows = connection.execute(
        select(c.cell_id, func.count().label("cartons"))
        .where(*_where(window))
        .group_by(c.cell_id)
        .order_by(c.cell_id)
    ).all()
    known = _cells(connection)
    return [ReadTally(known[row.cell_id], row.cartons) for row in rows]


def by_quarter(connection: Connection, window: ReadWindow) -> list[QuarterTally]:
    """The cartons of a window by time; quarters without a carton are left out."""
    c = r.carton_read.c
    rows = connection.execute(
        select(
            c.quarter,
            func.count().label("cartons"),
            func.sum(c.accepted).label("read"),
            _sum_in(_MEANT["known"]).label("known"),
            _sum_in(_MEANT["misread"]).label("misread"),
        )
        .where(*_where(window))
        .group_by(c.quarter)
        .order_by(c.quarter)
    )
    return [
        QuarterTally(row.quarter, row.cartons, int(row.read), int(row.known), int(row.misread))
        for row in rows
    ]


def frames(
    connection: Connection, window: ReadWindow, *, most: int, skip: int
) -> tuple[int, list[ReadFrame]]:
    """How many cartons a window holds, and `most` of them after `skip`, newest first."""
    where = _where(window)
    c = r.carton_read.c
    total = connection.execute(
        select(func.count()).select_from(r.carton_read).where(*where)
    ).scalar_one()
    rows = connection.execute(
        select(r.carton_read)
        .where(*where)
        .order_by(c.quarter.desc(), c.at.desc(), c.carton_id)
        .limit(most)
        .offset(skip)
    ).all()
    known = _cells(connection)
    return total, [_frame(row, known[row.cell_id]) for row in rows]


def scored(connection: Connection, since_quarter: int, *, most: int) -> list[Scored]:
    """Readings whose truth is known, oldest first; the newest `most` of them."""
    c = r.carton_read.c
    told = select(r.read_cell.c.id).where(r.read_cell.c.was_right >= 0)
    rows = connection.execute(
        select(c.cell_id, c.at, c.confidence)
        .where(c.cell_id.in_(told), c.quarter >= since_quarter)
        .order_by(c.at.desc(), c.carton_id.desc())
        .limit(most)
    ).all()
    known = _cells(connection)
    return [
        Scored(
            known[row.cell_id].facet.model_set,
            row.at,
            row.confidence,
            bool(known[row.cell_id].was_right),
        )
        for row in reversed(rows)
    ]


def bands(connection: Connection, since_quarter: int) -> list[BandTally]:
    """How often each confidence was stated, by model set and week."""
    known = _cells(connection)
    c = r.carton_read.c
    week = (c.quarter // QUARTERS_A_WEEK).label("week")
    rows = connection.execute(
        select(c.cell_id, week, c.band, func.count().label("cartons"))
        .where(c.quarter >= since_quarter, c.band.is_not(None))
        .group_by(c.cell_id, week, c.band)
    )
    counts: Counter[tuple[str, int, int]] = Counter()
    for row in rows:
        counts[known[row.cell_id].facet.model_set, int(row.week), row.band] += row.cartons
    return [BandTally(*kind, cartons) for kind, cartons in sorted(counts.items())]


def _where(window: ReadWindow) -> list[ColumnElement[bool]]:
    c, cell = r.carton_read.c, r.read_cell.c
    spans = [and_(c.quarter >= first, c.quarter < last) for first, last in window.spans]
    meant = [
        *_MEANT[window.what],
        *(cell[name] == value for name, value in window.facets),
        *((cell.cause == window.cause,) if window.cause else ()),
    ]
    where: list[ColumnElement[bool]] = [or_(*spans) if spans else c.quarter < 0]
    if meant:
        where.append(c.cell_id.in_(select(cell.id).where(*meant)))
    return where


def _sum_in(meant: Sequence[ColumnElement[bool]]) -> ColumnElement[int]:
    """How many cartons are of cells that `meant` describes."""
    cells = select(r.read_cell.c.id).where(*meant)
    return func.sum(case((r.carton_read.c.cell_id.in_(cells), 1), else_=0))


def _cells(connection: Connection) -> dict[int, Cell]:
    rows = connection.execute(select(r.read_cell).order_by(r.read_cell.c.id))
    return {row.id: cell_of(row) for row in rows}


def _frame(row: Row[Any], cell: Cell) -> ReadFrame:
    told = bool(row.settled_by) and row.how != "refused"
    return ReadFrame(
        carton_id=row.carton_id,
        at=row.at,
        cell=cell,
        confidence=row.confidence,
        answer=Answer(row.gtin, row.batch, row.expiry),
        truth=Answer(row.true_gtin, row.true_batch, row.true_expiry) if told else None,
        how=row.how,
        reasons=tuple(Reason(each["code"], each["params"]) for each in row.reasons),
        pictures=tuple(row.pictures),
    )
