"""Webhooks of a site: who is told of what, with which secrets, and what became of each message.

A webhook follows the history from the moment it is made. Its messages are made in one transaction
with its cursor, so each event once; they are sent at least once. `replay` sets the cursor back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.reason import Reason
from erp_link.adapters import exchange_tables as x
from erp_link.adapters.sealing import Seal
from erp_link.service import feed
from erp_link.service.exchange.messages import write_messages
from erp_link.service.feed import FeedEvent
from erp_link.service.store import Store
from erp_link.service.work import Work, new_id
from erp_link.webhooks.addresses import Addresses
from erp_link.webhooks.schedule import State
from erp_link.webhooks.signing import new_secret
from erp_link.webhooks.topics import checked

ACTIVE, PAUSED, REMOVED, GONE = "active", "paused", "removed", "gone"
_MOST_WEBHOOKS = 100
_OWN = "webhook"
_KEEP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Webhook:
    """`state` is active, paused, or gone (the receiver answered 410; `why` says so). `position` is
    how far it has followed the history, `waiting` and `dead` count its messages.
    """

    webhook_id: int
    url: str
    topics: tuple[str, ...]
    note: str
    state: str
    why: str
    made_by: str
    made_at: datetime
    position: str = ""
    waiting: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """A webhook with its new secret, which is told this once."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its event, and what became of it so far."""

    message_id: int
    webhook_id: int
    event_id: int
    state: State
    attempts: int
    next_at: datetime
    last_status: int | None
    last_error: str
    body: str


class Webhooks:
    """The desk. `addresses` says where webhooks may go, `seal` keeps their secrets."""

    def __init__(self, store: Store, *, addresses: Addresses, seal: Seal) -> None:
        self._store = store
        self._addresses = addresses
        self._seal = seal

    def add(
        self, url: str, topics: Sequence[str], *, by: str, note: str = "", key: str | None = None
    ) -> Made:
        """Tell `url` from now on of every event whose kind is a topic: `held`, `shipped`, `*`.

        Raises BadInputError where the URL or a topic cannot be, ConflictError at 100 webhooks.
        """
        self._addresses.check_url(url)
        wanted = checked(topics)
        secret = new_secret()

        def act(work: Work) -> list[Any]:
            if len(_rows(work.connection)) >= _MOST_WEBHOOKS:
                raise ConflictError(
                    f"There are {_MOST_WEBHOOKS} webhooks already", mend="Remove one first"
                )
            made = work.connection.execute(
                insert(x.webhook).values(
                    url=url,
                    topics=list(wanted),
                    note=note[:200],
                    state=ACTIVE,
                    why="",
                    made_by=work.by,
                    made_at=work.now,
                )
            )
            number = new_id(made)
            sealed = self._keep_secret(work, number, secret)
            feed.keep_cursor(work, consumer_of(number), feed.newest(work.connection))
            _note(work, number, "story_webhook_added", url=url)
            return [number, sealed]

        body = {"url": url, "topics": list(wanted), "note": note}
        number, sealed = self._store.command(
            "add_webhook", body, by=by, key=key, guards_of=None, act=act
        )
        return Made(self.webhook(number), self._seal.open_up(sealed))

    def webhooks(self) -> list[Webhook]:
        """Every webhook that was not removed, oldest first."""
        return self._store.read(lambda c: [_webhook(c, row) for row in _rows(c)])

    def webhook(self, webhook_id: int) -> Webhook:
        """Raises NotFoundError."""
        return self._store.read(lambda c: _webhook(c, _row(c, webhook_id)))

    def rotate(
        self, webhook_id: int, *, by: str, keep: timedelta = _KEEP, key: str | None = None
    ) -> Made:
        """A new secret; the one before stays valid for `keep`, so that a receiver has time to
        change. Never more than two are valid. Raises NotFoundError.
        """
        secret = new_secret()

        def act(work: Work) -> str:
            _row(work.connection, webhook_id)
            valid = work.connection.execute(
                select(x.webhook_secret.c.id)
                .where(x.webhook_secret.c.webhook_id == webhook_id)
                .order_by(x.webhook_secret.c.id.desc())
            ).scalars()
            for age, number in enumerate(valid):
                until = work.now + keep if age == 0 else work.now
                work.connection.execute(
                    update(x.webhook_secret)
                    .where(x.webhook_secret.c.id == number)
                    .where(
                        x.webhook_secret.c.valid_until.is_(None)
                        | (x.webhook_secret.c.valid_until > until)
                    )
                    .values(valid_until=until)
                )
            sealed = self._keep_secret(work, webhook_id, secret)
            _note(work, webhook_id, "story_webhook_secret")
            return sealed

        body = {"webhook": webhook_id, "keep_s": int(keep.total_seconds())}
        sealed = self._store.command(
            "rotate_webhook", body, by=by, key=key, guards_of=None, act=act
        )
        return Made(self.webhook(webhook_id), self._seal.open_up(sealed))

    def set_state(
        self, webhook_id: int, state: str, *, by: str, key: str | None = None
    ) -> Webhook | None:
        """Pause it, let it go on (also one that is gone), or remove it. What was not sent while it
        was paused is sent when it goes on. Raises NotFoundError, BadInputError.
        """
        if state not in (ACTIVE, PAUSED, REMOVED):
            raise BadInputError(
                f"A webhook cannot be {state!r}", mend=f"Use {ACTIVE}, {PAUSED} or {REMOVED}"
            )

        def act(work: Work) -> None:
            _row(work.connection, webhook_id)
            changed = update(x.webhook).where(x.webhook.c.id == webhook_id)
            work.connection.execute(changed.values(state=state, why=""))
            _note(work, webhook_id, f"story_webhook_{state}")

        body = {"webhook": webhook_id, "state": state}
        self._store.command("webhook_state", body, by=by, key=key, guards_of=None, act=act)
        return None if state == REMOVED else self.webhook(webhook_id)

    def replay(self, webhook_id: int, after: str, *, by: str, key: str | None = None) -> Webhook:
        """Send everything after a position of the feed again; empty: from the beginning. Messages
        keep their ids, so that a receiver knows them. Raises NotFoundError, BadInputError for a
        position that is none or lies ahead.
        """

        def act(work: Work) -> None:
            _row(work.connection, webhook_id)
            at = feed.take_cursor(work, consumer_of(webhook_id))
            if after > at:
                raise BadInputError(
                    "The webhook has not come so far yet", mend="Replay from an earlier position"
                )
            feed.keep_cursor(work, consumer_of(webhook_id), after)
            _note(work, webhook_id, "story_webhook_replayed")

        body = {"webhook": webhook_id, "after": after}
        self._store.command("replay_webhook", body, by=by, key=key, guards_of=None, act=act)
        return self.webhook(webhook_id)

    def messages(
        self, webhook_id: int, *, state: State | None = None, before: int = 0, limit: int = 100
    ) -> list[Message]:
        """Messages of a webhook, newest first. Raises NotFoundError."""

        def ask(connection: Connection) -> list[Message]:
            _row(connection, webhook_id)
            wanted = select(x.webhook_message).where(x.webhook_message.c.webhook_id == webhook_id)
            if state is not None:
                wanted = wanted.where(x.webhook_message.c.state == state.value)
            if before:
                wanted = wanted.where(x.webhook_message.c.id < before)
            ordered = wanted.order_by(x.webhook_message.c.id.desc()).limit(limit)
            return [message_of(row) for row in connection.execute(ordered)]

        return self._store.read(ask)

    def retry(self, webhook_id: int, message_id: int, *, by: str, key: str | None = None) -> None:
        """Try a message that was given up again. Raises NotFoundError, ConflictError."""

        def act(work: Work) -> None:
            _row(work.connection, webhook_id)
            tried = work.connection.execute(
                update(x.webhook_message)
                .where(
                    x.webhook_message.c.id == message_id,
                    x.webhook_message.c.webhook_id == webhook_id,
                    x.webhook_message.c.state == State.DEAD.value,
                )
                .values(state=State.WAITING.value, attempts=0, next_at=work.now, ended_at=None)
            )
            if tried.rowcount == 0:
                raise ConflictError(
                    f"Message {message_id} was not given up", mend="Look at the list of dead ones"
                )
            _note(work, webhook_id, "story_webhook_retried")

        body = {"webhook": webhook_id, "message": message_id}
        self._store.command("retry_webhook", body, by=by, key=key, guards_of=None, act=act)

    def project(self, *, limit: int = 200) -> int:
        """Make the messages of the next events, for every active webhook; how many events were
        read.
        """
        return sum(
            feed.follow(
                self._store,
                consumer_of(row.id),
                partial(_projected, webhook_id=row.id, topics=row.topics),
                limit=limit,
            )
            for row in self._store.read(_rows)
            if row.state == ACTIVE
        )

    def secrets_of(self, connection: Connection, webhook_id: int, now: datetime) -> list[str]:
        """The secrets that are valid, the newest first."""
        rows = connection.execute(
            select(x.webhook_secret.c.sealed)
            .where(
                x.webhook_secret.c.webhook_id == webhook_id,
                x.webhook_secret.c.valid_until.is_(None) | (x.webhook_secret.c.valid_until > now),
            )
            .order_by(x.webhook_secret.c.id.desc())
        ).scalars()
        return [self._seal.open_up(each) for each in rows]

    def _keep_secret(self, work: Work, webhook_id: int, secret: str) -> str:
        sealed = self._seal.close_up(secret)
        row = {
            "webhook_id": webhook_id,
            "sealed": sealed,
            "made_at": work.now,
            "valid_until": None,
        }
        work.connection.execute(insert(x.webhook_secret).values(**row))
        return sealed


def consumer_of(webhook_id: int) -> str:
    return f"webhook/{webhook_id}"


def message_of(row: Row[Any]) -> Message:
    return Message(
        row.id,
        row.webhook_id,
        row.event_id,
        State(row.state),
        row.attempts,
        row.next_at,
        row.last_status,
        row.last_error,
        row.body,
    )


def _projected(
    work: Work, events: Sequence[FeedEvent], *, webhook_id: int, topics: Sequence[str]
) -> None:
    wanted = [each for each in events if _is_wanted(each.what, topics)]
    write_messages(work, webhook_id, wanted)


def _is_wanted(what: str, topics: Sequence[str]) -> bool:
    """Everything does not mean what happened to webhooks themselves."""
    return what in topics or ("*" in topics and what != _OWN)


def _rows(connection: Connection) -> Sequence[Row[Any]]:
    wanted = select(x.webhook).where(x.webhook.c.state != REMOVED).order_by(x.webhook.c.id)
    return connection.execute(wanted).all()


def _row(connection: Connection, webhook_id: int) -> Row[Any]:
    found = connection.execute(
        select(x.webhook).where(x.webhook.c.id == webhook_id, x.webhook.c.state != REMOVED)
    ).one_or_none()
    if found is None:
        raise NotFoundError(f"There is no webhook {webhook_id}", mend="Look at the list")
    return found


def _webhook(connection: Connection, row: Row[Any]) -> Webhook:
    def count(state: State) -> int:
        wanted = (x.webhook_message.c.webhook_id == row.id) & (
            x.webhook_message.c.state == state.value
        )
        return int(connection.execute(select(func.count()).where(wanted)).scalar_one())

    return Webhook(
        row.id,
        row.url,
        tuple(row.topics),
        row.note,
        row.state,
        row.why,
        row.made_by,
        row.made_at,
        feed.cursor(connection, consumer_of(row.id)),
        count(State.WAITING),
        count(State.DEAD),
    )


def _note(work: Work, webhook_id: int, code: str, **params: str) -> None:
    text = Reason(code, {"webhook": webhook_id, **params})
    work.event(_OWN, text, reference=str(webhook_id))
