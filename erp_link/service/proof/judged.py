"""What must hold of who judged what, asked of the database itself (I3).

Asked by the domain's own rule over the rows as they are, not by the questions that the core works by.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from contracts.inspection import InspectDecision
from contracts.judging import Standing, judge_digest
from contracts.stock import StockStatus
from erp_link.adapters import judging_tables as j
from erp_link.adapters import tables as t
from erp_link.domain.judging import FIRST, Result, ResultKind, waits
from erp_link.domain.receiving import Cause

_OUT = (StockStatus.UNRESTRICTED.value, StockStatus.IN_TRANSIT.value)


def one_judge_a_generation(connection: Connection) -> Iterator[str]:
    """What counted for a generation was said by its pin's judge, and by no other; and a pin's judge
    is the one that its sets make.
    """
    pinned = {}
    for row in connection.execute(select(j.judge_pin)):
        pinned[row.batch_id, row.generation] = row.judge
        if judge_digest(row.parts) != row.judge:
            yield f"the pin of batch {row.batch_id}, generation {row.generation}, is of other sets"
    judges: dict[tuple[int, int], set[str]] = defaultdict(set)
    counted = connection.execute(
        select(j.judgement.c.batch_id, j.judgement.c.generation, j.judgement.c.judge)
        .where(
            j.judgement.c.kind != ResultKind.PERSON.value,
            j.judgement.c.standing == Standing.COUNTS.value,
        )
        .distinct()
    )
    for row in counted:
        judges[row.batch_id, row.generation].add(row.judge)
    for at, who in sorted(judges.items()):
        if who != {pinned.get(at)}:
            yield (
                f"batch {at[0]}, generation {at[1]}: {len(who)} judges counted, pinned to"
                f" {pinned.get(at, 'nobody')}"
            )


def nothing_free_without_its_judge(connection: Connection) -> Iterator[str]:
    """Every carton that a machine looked at and that may go on was passed under the newest
    generation of its batch, or by a person.
    """
    newest: dict[int, int] = {}
    for row in connection.execute(select(j.judge_pin.c.batch_id, j.judge_pin.c.generation)):
        newest[row.batch_id] = max(row.generation, newest.get(row.batch_id, FIRST))
    rows = connection.execute(
        select(t.carton.c.carton_id, t.carton.c.batch_id.label("of"), j.judgement)
        .join(j.judgement, j.judgement.c.carton_id == t.carton.c.carton_id)
        .where(
            t.carton.c.batch_id.is_not(None),
            t.carton.c.status.in_(_OUT),
            t.carton.c.cause != Cause.JUDGING.value,
            t.carton.c.location.not_like("@customer%"),
            t.carton.c.location.not_like("@adjust%"),
        )
        .order_by(t.carton.c.carton_id, j.judgement.c.id)
    )
    words: list[Any] = []
    for row in rows:
        if words and words[0].carton_id != row.carton_id:
            yield from _wrong(words, newest)
            words = []
        words.append(row)
    if words:
        yield from _wrong(words, newest)


def _wrong(words: list[Any], newest: dict[int, int]) -> Iterator[str]:
    batch_id = words[0].of
    said = [
        Result(
            ResultKind(row.kind),
            row.generation,
            row.standing == Standing.COUNTS.value and row.batch_id == batch_id,
            InspectDecision(row.decision),
        )
        for row in words
    ]
    if waits(said, newest.get(batch_id, FIRST)):
        yield f"carton {words[0].carton_id} of batch {batch_id} is free, and nobody who counts passed it"
