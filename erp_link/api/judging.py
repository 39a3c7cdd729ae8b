"""Routes of the one judge: who judges a batch, what was said of it, what waits, what ran where (I3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from contracts.errors import BadInputError
from contracts.judging import Pin
from contracts.stock import BatchKey
from erp_link.service.core import Core
from erp_link.service.judging.desk import Judging, Ran, Said, Waiting

_Name = Annotated[str, Query(max_length=200)]
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class JudgedOut:
    """A batch's pins, generation by generation, and every word on its goods, oldest first."""

    pins: tuple[Pin, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class BatchIn:
    batch: BatchKey


@dataclass(frozen=True, slots=True)
class AskedOut:
    """So many cartons wait for a person now."""

    cartons: int


@dataclass(frozen=True, slots=True)
class GenerationIn:
    """`parts` are the next judge's sets by use; `after` the generation that it follows."""

    batch: BatchKey
    parts: dict[str, str]
    after: int
    why: str


def add_to(api: APIRouter, core_provider: Callable[[], Core], *, reader: Any, quality: Any) -> None:
    """/judging. Anybody reads; only quality has goods judged anew by hand."""

    def desk() -> Judging:
        return Judging(core_provider())

    needs_desk = Depends(desk)

    @api.get("/judging/waiting", tags=["judging"], dependencies=[reader])
    def waiting(judging: Judging = needs_desk) -> list[Waiting]:
        """Batches with goods that wait for a result that counts."""
        return judging.waiting()

    @api.get("/judging/batch", tags=["judging"], dependencies=[reader])
    def batch(
        gtin: _Name, lot: _Name, supplier: _Name = "", judging: Judging = needs_desk
    ) -> JudgedOut:
        """Who judges a batch, who judged it before, and what was said."""
        key = BatchKey(supplier, gtin, lot)
        return JudgedOut(tuple(judging.history(key)), tuple(judging.said_of(key)))

    @api.get("/judging/boxes", tags=["judging"], dependencies=[reader])
    def boxes(
        device: _Name = "",
        since: datetime | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        judging: Judging = needs_desk,
    ) -> list[Ran]:
        """What judged new batches on a box, or on all, newest first."""
        return judging.ran(device or None, since=_aware(since), limit=limit)

    @api.get("/judging/boxes/at", tags=["judging"], dependencies=[reader])
    def boxes_at(at: datetime, judging: Judging = needs_desk) -> dict[str, Ran]:
        """What each box ran at a moment, as far as it told."""
        return judging.ran_at(_aware(at) or at)

    @api.post("/judging/people", tags=["judging"])
    def ask_people(body: BatchIn, judging: Judging = needs_desk, who: Any = quality) -> AskedOut:
        """The boxes that kept a batch's frames are lost: a person looks at its cartons instead."""
        return AskedOut(judging.ask_people(body.batch, by=who.name))

    @api.post("/judging/generations", tags=["judging"])
    def next_generation(
        body: GenerationIn, judging: Judging = needs_desk, who: Any = quality
    ) -> Pin:
        """Have a batch judged anew by other sets: what is free waits until they have passed it.
        Asked again it gives the pin that was opened.
        """
        if not body.why.strip() or len(body.why) > _LONGEST:
            raise BadInputError("Goods are judged anew without a reason", mend="Write why, briefly")
        return judging.next_generation(
            body.batch, body.parts, after=body.after, by=who.name, why=body.why.strip()
        )


def _aware(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise BadInputError("A moment without its zone", mend="Write it as 2026-11-22T17:30:00Z")
    return at
