"""What is to be judged again: asked of the station that kept the frame, else of a person (I3)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from contracts.judging import RejudgeTask
from contracts.reason import Reason
from contracts.stock import TicketState
from erp_link.adapters import judging_tables as j
from erp_link.adapters import tables as t
from erp_link.adapters.guards import inserted
from erp_link.domain.judging import ResultKind, TaskState
from erp_link.domain.tickets import TicketKind
from erp_link.service.judging import pins
from erp_link.service.ticketing import note, open_ticket
from erp_link.service.work import Work, key_of

TOLD_AT_ONCE = 16
"""Tasks that a station is told at a time: the next ones follow as these are done."""
_UNDECIDED = (TicketState.OPEN.value, TicketState.CONTAINED.value)


def ask(work: Work, batch_id: int, carton_id: str, *, station: str, picture: str) -> None:
    """A carton is to be judged under its batch's newest pin. Where nobody has the frame, or no pin
    says by whom, a person does.
    """
    pin = pins.newest(work.connection, batch_id)
    generation = pins.generation(work.connection, batch_id)
    asked = pin is not None and bool(picture) and bool(station)
    made = inserted(
        work.connection,
        j.rejudge,
        carton_id=carton_id,
        generation=generation,
        batch_id=batch_id,
        station=station,
        picture=picture,
        state=(TaskState.ASKED if asked else TaskState.PERSON).value,
        asked_at=work.now,
        done_at=None,
        ticket_id="",
    )
    work.changes_expectations = True
    if made and not asked:
        ask_person(work, batch_id, [carton_id])


def ask_again(work: Work, batch_id: int, cartons: Collection[str]) -> None:
    """As `ask`, for many cartons of one batch: each from the frame that was judged last."""
    seen = _last_seen(work.connection, cartons)
    lost: list[str] = []
    generation = pins.generation(work.connection, batch_id)
    for carton_id in sorted(cartons):
        station, picture = seen.get(carton_id, ("", ""))
        state = TaskState.ASKED if station and picture else TaskState.PERSON
        made = inserted(
            work.connection,
            j.rejudge,
            carton_id=carton_id,
            generation=generation,
            batch_id=batch_id,
            station=station,
            picture=picture,
            state=state.value,
            asked_at=work.now,
            done_at=None,
            ticket_id="",
        )
        if made and state is TaskState.PERSON:
            lost.append(carton_id)
    work.changes_expectations = True
    if lost:
        ask_person(work, batch_id, lost)


def ask_person(work: Work, batch_id: int, cartons: Collection[str]) -> None:
    """The goods of these cartons wait for somebody who looks: one ticket for a batch's generation,
    which grows until it is decided. A release frees them, anything else blocks them.
    """
    generation = pins.generation(work.connection, batch_id)
    stem = f"QC-judge-{batch_id}-{generation}-"
    row = work.connection.execute(
        select(t.ticket)
        .where(t.ticket.c.ticket_id.startswith(stem), t.ticket.c.state.in_(_UNDECIDED))
        .order_by(t.ticket.c.opened_at.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if row is None:
        count = select(func.count()).where(t.ticket.c.ticket_id.startswith(stem))
        ticket_id = f"{stem}{work.connection.execute(count).scalar_one() + 1}"
        key = key_of(work.batch(batch_id))
        open_ticket(
            work,
            ticket_id,
            Reason("judge_by_person", {"lot": key.lot, "generation": generation}),
            kind=TicketKind.REWORK,
            batch_id=batch_id,
            cartons=sorted(cartons),
        )
    else:
        ticket_id = row.ticket_id
        more = sorted({*row.cartons, *cartons})
        work.connection.execute(
            update(t.ticket).where(t.ticket.c.ticket_id == ticket_id).values(cartons=more)
        )
        note(work, ticket_id, "cartons", ", ".join(sorted(cartons))[:500])
    work.connection.execute(
        update(j.rejudge)
        .where(j.rejudge.c.carton_id.in_(sorted(cartons)), j.rejudge.c.generation == generation)
        .values(state=TaskState.PERSON.value, ticket_id=ticket_id)
    )


def give_to_people(work: Work, batch_id: int) -> int:
    """What stations are asked about a batch in its newest generation is asked of a person; what only
    an older one asked is over. How many cartons wait for somebody now.
    """
    generation = pins.generation(work.connection, batch_id)
    rows = work.connection.execute(
        select(j.rejudge.c.carton_id).where(
            j.rejudge.c.batch_id == batch_id,
            j.rejudge.c.generation == generation,
            j.rejudge.c.state == TaskState.ASKED.value,
        )
    ).scalars()
    names = list(rows)
    if names:
        ask_person(work, batch_id, names)
        work.changes_expectations = True
    return len(names)


def done(work: Work, carton_id: str, *, up_to: int) -> None:
    """Nobody needs to look at a carton for this generation, or for one before it, any more."""
    ended = work.connection.execute(
        update(j.rejudge)
        .where(
            j.rejudge.c.carton_id == carton_id,
            j.rejudge.c.generation <= up_to,
            j.rejudge.c.state != TaskState.DONE.value,
        )
        .values(state=TaskState.DONE.value, done_at=work.now)
    )
    if ended.rowcount:
        work.changes_expectations = True


def is_open(connection: Connection, carton_id: str) -> bool:
    """Whether somebody, a station or a person, is asked about a carton."""
    found = connection.execute(
        select(j.rejudge.c.carton_id)
        .where(j.rejudge.c.carton_id == carton_id, j.rejudge.c.state != TaskState.DONE.value)
        .limit(1)
    )
    return found.first() is not None


def for_station(connection: Connection, station: str) -> list[RejudgeTask]:
    """What a station is asked to do now, the oldest first, `TOLD_AT_ONCE` at most."""
    every = j.judge_pin.alias()
    newest = (
        select(func.max(every.c.generation))
        .where(every.c.batch_id == j.rejudge.c.batch_id)
        .correlate(j.rejudge)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(
            j.rejudge.c.carton_id,
            j.rejudge.c.picture,
            j.judge_pin,
            t.batch.c.supplier,
            t.batch.c.gtin,
            t.batch.c.lot,
        )
        .join(t.batch, t.batch.c.id == j.rejudge.c.batch_id)
        .join(
            j.judge_pin,
            (j.judge_pin.c.batch_id == j.rejudge.c.batch_id)
            & (j.judge_pin.c.generation == j.rejudge.c.generation),
        )
        .where(
            j.rejudge.c.station == station,
            j.rejudge.c.state == TaskState.ASKED.value,
            j.rejudge.c.generation == newest,
        )
        .order_by(j.rejudge.c.asked_at, j.rejudge.c.carton_id)
        .limit(TOLD_AT_ONCE)
    )
    return [
        RejudgeTask(row.carton_id, station, pins.pin_of(row, key_of(row)), row.picture)
        for row in rows
    ]


def _last_seen(connection: Connection, cartons: Collection[str]) -> dict[str, tuple[str, str]]:
    """By carton, the station and the frame of its last look by a machine."""
    found: dict[str, tuple[str, str]] = {}
    wanted = sorted(cartons)
    for at in range(0, len(wanted), 500):
        rows: list[Row[Any]] = list(
            connection.execute(
                select(j.judgement.c.carton_id, j.judgement.c.station, j.judgement.c.picture)
                .where(
                    j.judgement.c.carton_id.in_(wanted[at : at + 500]),
                    j.judgement.c.kind != ResultKind.PERSON.value,
                    j.judgement.c.picture != "",
                )
                .order_by(j.judgement.c.id)
            )
        )
        found.update({row.carton_id: (row.station, row.picture) for row in rows})
    return found
