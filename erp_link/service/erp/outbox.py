"""The outbox: messages written with the facts that they tell, and what became of each (I2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select, update

from contracts.errors import ConflictError, NotFoundError, TallymanError
from erp_link.adapters import erp_tables as e
from erp_link.adapters.guards import inserted
from erp_link.domain.erp.delivery import Queued, State
from erp_link.domain.erp.messages import Message, MessageKind
from erp_link.service.work import Work

_WINDOW = 1000
"""Messages looked at to find the next one: so many dead or waiting ones at once mean that the
ERP needs a person, not a longer look.
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a message is not done: what and where, and how to mend it."""

    code: str
    message: str
    mend: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message and what became of it. `number` is the document's in the ERP."""

    letter: int
    message: Message
    state: State
    made_at: datetime
    tries: int
    tried_at: datetime | None
    trouble: Trouble | None
    number: str
    ended_at: datetime | None
    ended_by: str
    note: str


def put(work: Work, message: Message) -> None:
    """Write a message down, once for each reference."""
    inserted(
        work.connection,
        e.erp_outbox,
        kind=message.kind.value,
        reference=message.reference,
        message=msgspec.to_builtins(message),
        subjects=list(message.subjects),
        topic=message.subjects[0],
        made_at=work.now,
        state=State.WAITING.value,
    )


def queue(connection: Connection) -> list[Queued]:
    """What waits, and the dead that others wait behind, oldest first."""
    rows = connection.execute(
        select(
            e.erp_outbox.c.id, e.erp_outbox.c.kind, e.erp_outbox.c.state, e.erp_outbox.c.subjects
        )
        .where(e.erp_outbox.c.state.in_([State.WAITING.value, State.DEAD.value]))
        .order_by(e.erp_outbox.c.id)
        .limit(_WINDOW)
    )
    return [
        Queued(row.id, MessageKind(row.kind), State(row.state), frozenset(row.subjects))
        for row in rows
    ]


def letter(connection: Connection, number: int) -> Letter:
    """One message. Raises NotFoundError."""
    row = connection.execute(select(e.erp_outbox).where(e.erp_outbox.c.id == number)).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no message {number} to the ERP", mend="Look at the list again"
        )
    return _letter(row)


def letters(
    connection: Connection, *, state: State | None = None, after: int = 0, limit: int = 100
) -> list[Letter]:
    """Newest first; `after` is the number of the last one seen."""
    query = select(e.erp_outbox).order_by(e.erp_outbox.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(e.erp_outbox.c.state == state.value)
    if after:
        query = query.where(e.erp_outbox.c.id < after)
    return [_letter(row) for row in connection.execute(query)]


def counts(connection: Connection) -> dict[State, int]:
    """How many messages are in each state."""
    rows = connection.execute(
        select(e.erp_outbox.c.state, func.count()).group_by(e.erp_outbox.c.state)
    )
    found = {State(state): int(number) for state, number in rows}
    return {state: found.get(state, 0) for state in State}


def done(work: Work, number: int, *, document: str, note: str = "") -> None:
    """The ERP has it."""
    _end(work, number, State.DONE, note=note, document=document)


def dead(work: Work, number: int, error: TallymanError) -> None:
    """A person has to mend something; nothing is tried until then."""
    work.connection.execute(
        update(e.erp_outbox)
        .where(e.erp_outbox.c.id == number)
        .values(
            state=State.DEAD.value,
            tries=e.erp_outbox.c.tries + 1,
            tried_at=work.now,
            error=told(error),
        )
    )


def failed(work: Work, number: int, error: TallymanError) -> None:
    """The ERP did not answer: the message goes on waiting."""
    work.connection.execute(
        update(e.erp_outbox)
        .where(e.erp_outbox.c.id == number)
        .values(tries=e.erp_outbox.c.tries + 1, tried_at=work.now, error=told(error))
    )


def again(work: Work, number: int) -> None:
    """A dead message is tried once more. Raises NotFoundError, ConflictError."""
    _check_dead(work, number)
    work.connection.execute(
        update(e.erp_outbox)
        .where(e.erp_outbox.c.id == number)
        .values(state=State.WAITING.value, note="")
    )


def skip(work: Work, number: int, *, note: str) -> None:
    """A person did it in the ERP by hand. Raises NotFoundError, ConflictError."""
    _check_dead(work, number)
    _end(work, number, State.SKIPPED, note=note)


def told(error: TallymanError) -> dict[str, str]:
    """An error as it is kept and shown."""
    return {"code": error.code, "message": error.message, "mend": error.mend}


def _end(work: Work, number: int, state: State, *, note: str, document: str = "") -> None:
    work.connection.execute(
        update(e.erp_outbox)
        .where(e.erp_outbox.c.id == number)
        .values(
            state=state.value,
            number=document,
            ended_at=work.now,
            ended_by=work.by,
            note=note,
        )
    )


def _check_dead(work: Work, number: int) -> None:
    row = work.connection.execute(
        select(e.erp_outbox.c.state).where(e.erp_outbox.c.id == number).with_for_update()
    ).one_or_none()
    if row is None:
        letter(work.connection, number)
    elif row.state != State.DEAD.value:
        raise ConflictError(
            f"Message {number} is {row.state}, not dead",
            mend="Look at the list again: somebody else may have gone on with it",
        )


def _letter(row: Row[Any]) -> Letter:
    return Letter(
        letter=row.id,
        message=msgspec.convert(row.message, Message),
        state=State(row.state),
        made_at=row.made_at,
        tries=row.tries,
        tried_at=row.tried_at,
        trouble=Trouble(**row.error) if row.error else None,
        number=row.number,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        note=row.note,
    )
