"""The desk of master data: lists wait here until a person has accepted every mend in them.

What a list says is examined against the books at every look, so that a finding is never stale.
Applying is one transaction: the rows that are ready become products, the others go on waiting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.reason import Reason
from erp_link.adapters import care_tables as c
from erp_link.domain.master_data.findings import Kind
from erp_link.domain.master_data.lists import read_list
from erp_link.domain.master_data.products import COLUMNS
from erp_link.domain.products import Product
from erp_link.service.care.books import BookFinding, unclean_books
from erp_link.service.care.master_lists import (
    APPLIED,
    ENDED,
    LEFT_OUT,
    WAITING,
    ListReport,
    ListSummary,
    read_report,
    read_summaries,
)
from erp_link.service.goods import product_rows
from erp_link.service.store import Store
from erp_link.service.work import Work, new_id

_LONGEST_NAME = 120
_LONGEST_ANSWER = 200


class MasterData:
    """Send lists in, look at what is unclean, accept, apply."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def send(self, data: bytes, *, name: str, by: str, key: str | None = None) -> ListReport:
        """Keep a list, exactly as written; nothing of it takes effect yet.

        Raises BadInputError for what is no list, ConflictError where the same list is waiting.
        """
        rows = read_list(data, name=name[:_LONGEST_NAME])
        digest = hashlib.sha256(data).hexdigest()
        made = self._store.command(
            "master_data",
            {"digest": digest, "name": name[:_LONGEST_NAME]},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: _keep(work, rows, name[:_LONGEST_NAME], digest),
        )
        return self.report(int(made))

    def lists(self) -> list[ListSummary]:
        """Every list, newest first."""
        return self._store.read(read_summaries)

    def report(self, list_id: int) -> ListReport:
        """What a list says, and what of it is unclean. Raises NotFoundError."""
        return self._store.read(lambda connection: read_report(connection, list_id))

    def answer(
        self,
        list_id: int,
        number: int,
        answers: Mapping[str, str],
        *,
        by: str,
        key: str | None = None,
    ) -> None:
        """A person says what is meant in a row; an empty answer takes an earlier one back.

        Raises BadInputError for a field that no list has, NotFoundError, ConflictError.
        """
        for name, text in answers.items():
            if name not in COLUMNS or len(text) > _LONGEST_ANSWER:
                raise BadInputError(
                    f"{name[:30]} cannot be answered so", mend=f"Fields: {', '.join(COLUMNS)}"
                )

        def act(work: Work) -> None:
            row = _waiting_row(work.connection, list_id, number)
            said = {**row.answers, **answers}
            kept = {name: text for name, text in said.items() if text != ""}
            _set(work, list_id, number, answers=kept)
            _tell(work, "story_master_answer", list_id, row=number, fields=", ".join(answers))

        self._once("answer", act, by=by, key=key, list=list_id, row=number, answers=dict(answers))

    def accept(self, list_id: int, *, code: str, by: str, key: str | None = None) -> int:
        """Accept every mend of one kind; how many there were. Raises NotFoundError."""

        def act(work: Work) -> int:
            _open_list(work, list_id)
            accepted = 0
            for row in read_report(work.connection, list_id).rows:
                mends = {
                    each.field: each.proposed
                    for each in (row.examined.findings if row.examined else ())
                    if each.kind is Kind.MEND and each.code == code
                }
                if mends:
                    _set(work, list_id, row.number, answers={**row.answers, **mends})
                    accepted += len(mends)
            if accepted:
                _tell(work, "story_master_accepted", list_id, dirt=code, count=accepted)
            return accepted

        return int(self._once("accept", act, by=by, key=key, list=list_id, code=code))

    def leave_out(self, list_id: int, number: int, *, by: str, key: str | None = None) -> None:
        """Take nothing from this row. Raises NotFoundError, ConflictError."""

        def act(work: Work) -> None:
            _waiting_row(work.connection, list_id, number)
            _set(work, list_id, number, state=LEFT_OUT)
            _tell(work, "story_master_left_out", list_id, row=number)
            _end_if_done(work, list_id)

        self._once("leave_out", act, by=by, key=key, list=list_id, row=number)

    def apply(self, list_id: int, *, by: str, key: str | None = None) -> int:
        """Make products of the rows that are ready, all of them or none; how many there were.

        Raises NotFoundError, ConflictError where goods are counted in other units already.
        """

        def act(work: Work) -> int:
            _open_list(work, list_id)
            ready = [row for row in read_report(work.connection, list_id).rows if row.examined]
            done = 0
            for row in ready:
                given = row.examined.product if row.examined else None
                if given is not None:
                    _describe(work, row.number, given)
                    _set(work, list_id, row.number, state=APPLIED)
                    done += 1
            if done:
                _tell(work, "story_master_applied", list_id, count=done)
            _end_if_done(work, list_id)
            return done

        return int(self._once("apply", act, by=by, key=key, list=list_id))

    def discard(self, list_id: int, *, by: str, key: str | None = None) -> None:
        """Take nothing more from this list. Raises NotFoundError, ConflictError."""

        def act(work: Work) -> None:
            _open_list(work, list_id)
            work.connection.execute(
                update(c.master_row)
                .where(c.master_row.c.import_id == list_id, c.master_row.c.state == WAITING)
                .values(state=LEFT_OUT)
            )
            _tell(work, "story_master_discarded", list_id)
            _end_if_done(work, list_id)

        self._once("discard", act, by=by, key=key, list=list_id)

    def books(self) -> list[BookFinding]:
        """What is unclean in the books themselves, each with its mend; nothing is changed."""
        clock, zone = self._store.clock, self._store.zone
        today = clock.now().astimezone(zone).date()
        return self._store.read(lambda connection: unclean_books(connection, today=today))

    def _once(
        self,
        name: str,
        act: Callable[[Work], object],
        *,
        by: str,
        key: str | None,
        **body: object,
    ) -> Any:
        return self._store.command(f"master_{name}", body, by=by, key=key, guards_of=None, act=act)


def _keep(work: Work, rows: Sequence[tuple[int, Mapping[str, str]]], name: str, digest: str) -> int:
    same = work.connection.execute(
        select(c.master_import.c.id).where(
            c.master_import.c.digest == digest, c.master_import.c.state == WAITING
        )
    ).scalar_one_or_none()
    if same is not None:
        raise ConflictError(
            f"The same list is waiting already as number {same}", mend="Go on with that one"
        )
    made = work.connection.execute(
        insert(c.master_import).values(
            name=name, digest=digest, state=WAITING, imported_at=work.now, imported_by=work.by
        )
    )
    list_id = new_id(made)
    work.connection.execute(
        insert(c.master_row),
        [
            {"import_id": list_id, "number": n, "state": WAITING, "written": row, "answers": {}}
            for n, row in rows
        ],
    )
    _tell(work, "story_master_sent", list_id, name=name, rows=len(rows))
    return list_id


def _open_list(work: Work, list_id: int) -> None:
    """One person at a time works on a list. Raises NotFoundError, ConflictError."""
    row = work.connection.execute(
        select(c.master_import).where(c.master_import.c.id == list_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no list {list_id}", mend="Look at the lists again")
    if row.state != WAITING:
        raise ConflictError(f"List {list_id} is done with", mend="Send the list again")


def _waiting_row(connection: Connection, list_id: int, number: int) -> Row[Any]:
    row = connection.execute(
        select(c.master_row)
        .where(c.master_row.c.import_id == list_id, c.master_row.c.number == number)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"List {list_id} has no line {number}", mend="Look at it again")
    if row.state != WAITING:
        raise ConflictError(f"Line {number} of list {list_id} is {row.state}", mend="Look again")
    return row


def _describe(work: Work, number: int, given: Product) -> None:
    was = product_rows.read_product(work.connection, given.gtin)
    counted = (was.base_unit, was.per_carton)
    if counted != (given.base_unit, given.per_carton) and product_rows.has_stock(
        work.connection, given.gtin
    ):
        raise ConflictError(
            f"Line {number}: product {given.gtin} is counted in {was.base_unit}, {was.per_carton} to"
            " a carton, and goods are announced or here",
            mend="Leave the line out, or give the units that it is counted in",
            row=number,
            gtin=given.gtin,
        )
    product_rows.keep_product(work, given)


def _set(work: Work, list_id: int, number: int, **values: object) -> None:
    work.connection.execute(
        update(c.master_row)
        .where(c.master_row.c.import_id == list_id, c.master_row.c.number == number)
        .values(**values)
    )


def _end_if_done(work: Work, list_id: int) -> None:
    left = work.connection.execute(
        select(func.count()).where(
            c.master_row.c.import_id == list_id, c.master_row.c.state == WAITING
        )
    ).scalar_one()
    if not left:
        work.connection.execute(
            update(c.master_import)
            .where(c.master_import.c.id == list_id)
            .values(state=ENDED, ended_at=work.now, ended_by=work.by)
        )


def _tell(work: Work, code: str, list_id: int, **values: str | int) -> None:
    text = Reason(code, {"list": list_id, **values})
    work.event("master_data", text, reference=str(list_id))
