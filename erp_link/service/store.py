"""Transactions of the core: one for each command, repeated where the database asks for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, TypeVar

from sqlalchemy import Connection, select, update

from contracts.clock import Clock
from contracts.errors import ConflictError
from erp_link.adapters import database, guards
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard, Guarding, inserted
from erp_link.adapters.migrate import migrate
from erp_link.service.work import Work

T = TypeVar("T")


class Store:
    """Opens the database, and gives every command its transaction.

    Each part of the trade has a desk of its own over one store (`Core` is the first): a desk asks
    with `read`, writes with `write`, and takes commands with `command`.
    """

    def __init__(
        self, database_url: str, *, clock: Clock, zone: tzinfo, guarding: Guarding
    ) -> None:
        self.clock = clock
        self.zone = zone
        self.guarding = guarding
        self.engine = database.open_engine(database_url)
        with database.available():
            migrate(self.engine)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def read(self, ask: Callable[[Connection], T]) -> T:
        """What `ask` finds, in one transaction that only reads. Raises UnavailableError."""
        with database.reading(self.engine) as connection:
            return ask(connection)

    def write(self, command: Callable[[Work], T], *, by: str) -> T:
        """Run `command` in one write transaction, again after a deadlock: it must have no effect
        outside. Raises UnavailableError, and whatever `command` raises; then nothing is booked.
        """

        def work_in(connection: Connection) -> T:
            work = Work(
                connection, now=self.clock.now(), zone=self.zone, guarding=self.guarding, by=by
            )
            result = command(work)
            work.finish()
            return result

        return database.write(self.engine, work_in)

    def command(
        self,
        name: str,
        body: Mapping[str, object],
        *,
        by: str,
        key: str | None,
        guards_of: Callable[[Connection], set[Guard]] | None,
        act: Callable[[Work], Any],
    ) -> Any:
        """One guarded command, once for each key. `act` returns what JSON can hold: it is kept
        with the request's hash, and given again to whoever repeats the request.

        Raises ConflictError where the key came before with another request.
        """
        before: frozenset[Guard] | None = None
        if self.guarding is Guarding.FLAG_READ_FIRST and guards_of is not None:
            ask = guards_of
            before = self.read(lambda c: guards.held(c, ask(c)))
        digest = digest_of(name, body)

        def booked(work: Work) -> Any:
            if key is not None and not inserted(
                work.connection, t.command, key=key, request_hash=digest, at=work.now
            ):
                return first_outcome(work.connection, key, digest)
            work.read_before = before
            if guards_of is not None:
                work.take(guards_of(work.connection))
                if self.guarding is Guarding.UNGUARDED_RECEIPT and name == "receive":
                    work.held = frozenset()
            result = act(work)
            if key is not None:
                kept = update(t.command).where(t.command.c.key == key).values(result=result)
                work.connection.execute(kept)
            return result

        return self.write(booked, by=by)


def digest_of(name: str, body: Mapping[str, object]) -> str:
    """What an idempotency key is kept with: the same request has the same digest."""
    return hashlib.sha256(json.dumps([name, body], sort_keys=True).encode()).hexdigest()


def first_outcome(connection: Connection, key: str, digest: str) -> Any:
    """What a key's first request gave. Raises ConflictError where that was another request."""
    known = connection.execute(select(t.command).where(t.command.c.key == key)).one()
    if known.request_hash != digest:
        raise ConflictError(
            f"The idempotency key {key} came before with another request",
            mend="Use a new key for a new request",
            key=key,
        )
    return known.result
