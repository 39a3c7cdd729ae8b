"""Messages of webhooks: what they say, which are due, and what became of a try."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from contracts.stock import BatchKey
from erp_link.adapters import exchange_tables as x
from erp_link.adapters import tables as t
from erp_link.epcis.document import stamp
from erp_link.service.feed import FeedEvent
from erp_link.service.work import Work
from erp_link.webhooks.schedule import Answer, State, next_try

_LEASE = timedelta(minutes=2)
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Due:
    """A message to send now. `name` is what the receiver knows it by."""

    message_id: int
    webhook_id: int
    name: str
    url: str
    body: bytes
    attempts: int


def write_messages(work: Work, webhook_id: int, events: Sequence[FeedEvent]) -> None:
    """One message for each event; one that was made before is sent once more (a replay)."""
    if not events:
        return
    batches = _batches(work.connection, events)
    rows = [
        {
            "webhook_id": webhook_id,
            "event_id": event.event_id,
            "body": json.dumps(_body(event, batches), ensure_ascii=False, separators=(",", ":")),
            "state": State.WAITING.value,
            "attempts": 0,
            "next_at": work.now,
            "made_at": work.now,
            "last_error": "",
        }
        for event in events
    ]
    postgres = work.connection.dialect.name == "postgresql"
    statement = (pg_insert if postgres else sqlite_insert)(x.webhook_message)
    again = statement.on_conflict_do_update(
        index_elements=["webhook_id", "event_id"],
        set_={
            "state": State.WAITING.value,
            "attempts": 0,
            "next_at": statement.excluded.next_at,
            "ended_at": None,
        },
    )
    work.connection.execute(again, rows)


def claim(work: Work, *, limit: int) -> list[Due]:
    """The messages that are due, oldest first, lent to the caller for two minutes: whoever is
    killed meanwhile has them sent by another, so each is sent at least once.
    """
    due = (
        select(x.webhook_message, x.webhook.c.url)
        .join(x.webhook, x.webhook.c.id == x.webhook_message.c.webhook_id)
        .where(
            x.webhook_message.c.state == State.WAITING.value,
            x.webhook_message.c.next_at <= work.now,
            x.webhook.c.state == "active",
        )
        .order_by(x.webhook_message.c.id)
        .limit(limit)
        .with_for_update(of=x.webhook_message, skip_locked=True)
    )
    rows = work.connection.execute(due).all()
    if rows:
        lent = update(x.webhook_message).where(x.webhook_message.c.id.in_([row.id for row in rows]))
        work.connection.execute(lent.values(next_at=work.now + _LEASE))
    return [
        Due(
            row.id,
            row.webhook_id,
            f"msg_{row.webhook_id}_{row.event_id}",
            row.url,
            row.body.encode(),
            row.attempts,
        )
        for row in rows
    ]


def give_back(work: Work, message_ids: Sequence[int], *, at: datetime) -> None:
    """These were not tried: they are due at `at`."""
    if message_ids:
        work.connection.execute(
            update(x.webhook_message)
            .where(x.webhook_message.c.id.in_(message_ids))
            .values(next_at=at)
        )


def tried(work: Work, due: Due, answer: Answer) -> datetime | None:
    """Note what came back; when the message is due again, None where it is done with.

    Where nobody answered, the webhook's other messages wait as long: a receiver that is away for a
    day is asked now and then, not once for each message.
    """
    attempts = due.attempts + 1
    follows = next_try(attempts, answer, now=work.now, message=due.message_id)
    work.connection.execute(
        update(x.webhook_message)
        .where(x.webhook_message.c.id == due.message_id)
        .values(
            state=follows.state.value,
            attempts=attempts,
            next_at=follows.at or work.now,
            ended_at=None if follows.at else work.now,
            last_status=answer.status,
            last_error=answer.error[:_SHOWN],
        )
    )
    if answer.is_silence and follows.at is not None:
        work.connection.execute(
            update(x.webhook_message)
            .where(
                x.webhook_message.c.webhook_id == due.webhook_id,
                x.webhook_message.c.state == State.WAITING.value,
                x.webhook_message.c.next_at < follows.at,
            )
            .values(next_at=follows.at)
        )
    if answer.is_gone:
        work.connection.execute(
            update(x.webhook)
            .where(x.webhook.c.id == due.webhook_id)
            .values(state="gone", why="the receiver answered 410 Gone")
        )
    return follows.at


def _body(event: FeedEvent, batches: dict[int, BatchKey]) -> dict[str, Any]:
    """As Standard Webhooks has it: type, timestamp, data. `position` sorts as text in the order in
    which things happened to the books; messages may come in another.
    """
    return {
        "type": f"stock.{event.what}",
        "timestamp": stamp(event.at),
        "data": {
            "position": event.position,
            "event": event.event_id,
            "by": event.by,
            "batch": _batch(event.batch),
            "reference": event.reference,
            "reason": {"code": event.code, "params": event.params},
            "moves": [
                {
                    "batch": _batch(batches.get(line.batch_id)),
                    "location": line.place.location,
                    "status": line.place.status.value,
                    "quantity": line.quantity,
                }
                for line in event.lines
            ],
        },
    }


def _batch(key: BatchKey | None) -> dict[str, str] | None:
    return None if key is None else {"supplier": key.supplier, "gtin": key.gtin, "lot": key.lot}


def _batches(connection: Connection, events: Sequence[FeedEvent]) -> dict[int, BatchKey]:
    ids = sorted({line.batch_id for event in events for line in event.lines})
    return {
        row.id: BatchKey(row.supplier, row.gtin, row.lot)
        for row in connection.execute(_BATCHES, {"ids": ids})
    }


_BATCHES = select(t.batch).where(t.batch.c.id.in_(bindparam("ids", expanding=True)))
