"""Routes of master data: send a product list, read what is unclean, answer, apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from contracts.errors import BadInputError
from contracts.reason import Reason
from erp_link.api.paging import Paged
from erp_link.api.shapes import Key
from erp_link.domain.master_data.findings import Finding
from erp_link.domain.master_data.lists import MOST_BYTES
from erp_link.service.care.books import BookFinding
from erp_link.service.care.desks import Care, CareDesks
from erp_link.service.care.master_lists import ListReport, ListRow, ListSummary

_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


@dataclass(frozen=True, slots=True)
class FindingOut:
    """What is unclean about one field; `kind` is mend, ask or note."""

    field: str
    kind: str
    code: str
    written: str
    proposed: str
    choices: tuple[str, ...]
    reason: Reason

    @classmethod
    def of(cls, each: Finding) -> FindingOut:
        return cls(
            each.field,
            each.kind.value,
            each.code,
            each.written,
            each.proposed,
            each.choices,
            each.reason,
        )


@dataclass(frozen=True, slots=True)
class RowOut:
    """One row: `number` is its line in the file."""

    number: int
    state: str
    ready: bool
    gtin: str | None
    written: Mapping[str, str]
    answers: Mapping[str, str]
    findings: tuple[FindingOut, ...]

    @classmethod
    def of(cls, row: ListRow) -> RowOut:
        seen = row.examined
        return cls(
            row.number,
            row.state,
            bool(seen and seen.is_ready),
            seen.gtin if seen else None,
            row.written,
            row.answers,
            tuple(FindingOut.of(each) for each in seen.findings) if seen else (),
        )


@dataclass(frozen=True, slots=True)
class ListOut:
    """A list in figures; its rows are a list of their own."""

    summary: ListSummary
    ready: int
    unclean: int
    mends: Mapping[str, int]
    """How many mends of each kind can be accepted together."""

    @classmethod
    def of(cls, report: ListReport) -> ListOut:
        return cls(report.summary, report.ready, len(report.unclean), report.codes)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person says is meant: field -> value, for one row."""

    row: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Accepted:
    """Which kind of mend is accepted everywhere in the list."""

    code: str


@dataclass(frozen=True, slots=True)
class Count:
    count: int


def add_to(api: APIRouter, desks: CareDesks, *, reader: Any, planner: Any) -> None:
    """Add the routes; `reader` and `planner` are dependencies that say who is asking."""
    needs = Depends(desks)

    @api.get("/master-data/books", tags=["master data"], dependencies=[reader])
    def books(care: Care = needs) -> list[BookFinding]:
        """What is unclean in the books, each finding with its mend; nothing is changed."""
        return care.master_data.books()

    @api.get("/master-data/lists", tags=["master data"], dependencies=[reader])
    def lists(page: Paged, care: Care = needs) -> list[ListSummary]:
        """Lists that were sent, newest first."""
        return page.cut(care.master_data.lists(), lambda each: (each.list_id,))

    @api.post("/master-data/lists", tags=["master data"], status_code=201, openapi_extra=_UPLOAD)
    async def send(
        request: Request,
        name: Annotated[str, Query(min_length=1, max_length=120, description="The file's name")],
        key: Key = None,
        care: Care = needs,
        who: Any = planner,
    ) -> ListOut:
        """Send a product list as CSV. It is kept as written; nothing takes effect yet."""
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > MOST_BYTES:
                raise BadInputError("The file is larger than 8 MiB", mend="Split the list")
        report = await run_in_threadpool(
            lambda: care.master_data.send(bytes(data), name=name, by=who.name, key=key)
        )
        return ListOut.of(report)

    @api.get("/master-data/lists/{list_id}", tags=["master data"], dependencies=[reader])
    def one(list_id: int, care: Care = needs) -> ListOut:
        """One list in figures."""
        return ListOut.of(care.master_data.report(list_id))

    @api.get("/master-data/lists/{list_id}/rows", tags=["master data"], dependencies=[reader])
    def rows(list_id: int, page: Paged, care: Care = needs) -> list[RowOut]:
        """Its rows, with what is unclean about each."""
        found = page.cut(care.master_data.report(list_id).rows, lambda each: (each.number,))
        return [RowOut.of(row) for row in found]

    _add_commands(api, needs, planner)


def _add_commands(api: APIRouter, needs: Any, planner: Any) -> None:
    @api.post("/master-data/lists/{list_id}/answers", tags=["master data"], status_code=204)
    def answer(
        list_id: int, body: Answers, key: Key = None, care: Care = needs, who: Any = planner
    ) -> None:
        """Say what is meant in a row; an empty value takes an answer back."""
        care.master_data.answer(list_id, body.row, body.values, by=who.name, key=key)

    @api.post("/master-data/lists/{list_id}/accept", tags=["master data"])
    def accept(
        list_id: int, body: Accepted, key: Key = None, care: Care = needs, who: Any = planner
    ) -> Count:
        """Accept every mend of one kind; how many there were."""
        return Count(care.master_data.accept(list_id, code=body.code, by=who.name, key=key))

    @api.post(
        "/master-data/lists/{list_id}/rows/{row}/leave-out", tags=["master data"], status_code=204
    )
    def leave_out(
        list_id: int, row: int, key: Key = None, care: Care = needs, who: Any = planner
    ) -> None:
        """Take nothing from this row."""
        care.master_data.leave_out(list_id, row, by=who.name, key=key)

    @api.post("/master-data/lists/{list_id}/apply", tags=["master data"])
    def apply(list_id: int, key: Key = None, care: Care = needs, who: Any = planner) -> Count:
        """Make products of the rows that are ready, all or none; how many there were."""
        return Count(care.master_data.apply(list_id, by=who.name, key=key))

    @api.post("/master-data/lists/{list_id}/discard", tags=["master data"], status_code=204)
    def discard(list_id: int, key: Key = None, care: Care = needs, who: Any = planner) -> None:
        """Take nothing more from this list."""
        care.master_data.discard(list_id, by=who.name, key=key)
