"""The worker: writes what follows from the feed, delivers it in order, and keeps held batches out
of the ERP's shipments (I1).

A hub may be killed anywhere: the message is written with the fact, it is searched for in the ERP
before it is made, and its end is booked after the ERP has it. One hub talks at a time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, select

from contracts.errors import TallymanError, UnavailableError
from contracts.stock import HoldKind
from erp_link.adapters import tables as t
from erp_link.connectors.port import ErpDocument, ErpPort, ErpRefusedError, Stopped
from erp_link.connectors.skeleton import deliver
from erp_link.domain.erp.delivery import due, next_up
from erp_link.domain.erp.messages import Goods, Message, MessageKind
from erp_link.service.erp import letters, line, outbox
from erp_link.service.erp.facts import Facts
from erp_link.service.erp.projection import tell
from erp_link.service.holding import covered_by_supplier
from erp_link.service.store import Store
from erp_link.service.work import Work

log = logging.getLogger(__name__)
BY = "erp"
_SWEEP = timedelta(seconds=15)
"""Between two looks whether a held batch was assigned again."""


class ErpWorker:
    """`step` does all that can be done now. `holder` names this hub among others."""

    def __init__(self, store: Store, port: ErpPort, *, prefix: str, holder: str) -> None:
        self._store = store
        self._port = port
        self._prefix = prefix
        self._holder = holder
        self._stopping = threading.Event()
        self._swept_at: datetime | None = None

    def stop(self) -> None:
        """Begin no other message."""
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def close(self) -> None:
        self._store.write(lambda work: line.leave(work, self._holder), by=BY)
        self._port.close()

    def step(self) -> int:
        """How many messages reached their end, dead ones included. An ERP that does not answer is
        noted, not raised. Raises UnavailableError where our own database is away.
        """
        tell(self._store, self._prefix)
        ended = 0
        try:
            while not self._stopping.is_set():
                found = next_up(self._store.read(outbox.queue))
                held = self._held_to_sweep() if found is None else ()
                # An idle hub writes nothing, and so does one that waits for its ERP.
                if (found is None and not held) or not self._may_talk():
                    break
                if found is None:
                    self._keep_stopped(held)
                else:
                    self._deliver(found.number)
                    ended += 1
        except _SilentError as error:
            why = error.why
            self._store.write(lambda work: line.silent(work, why), by=BY)
        return ended

    def _may_talk(self) -> bool:
        found = self._store.read(line.state)
        if not due(found.tried_at, found.tries, self._store.clock.now()):
            return False
        return self._store.write(lambda work: line.take(work, self._holder), by=BY)

    def _deliver(self, number: int) -> None:
        letter = self._store.read(lambda c: outbox.letter(c, number))
        try:
            answer = self._ask(letter.message)
        except _SilentError as error:
            why = error.why
            self._store.write(lambda work: outbox.failed(work, number, why), by=BY)
            raise
        except TallymanError as error:
            refused = error
            self._store.write(lambda work: letters.refused(work, letter, refused), by=BY)
            return
        self._store.write(lambda work: self._booked(work, number, answer), by=BY)

    def _ask(self, message: Message) -> ErpDocument | Stopped:
        try:
            return deliver(self._port, message)
        except UnavailableError as error:
            raise _SilentError(error) from error
        except TallymanError:
            raise
        except Exception as error:
            # An answer that nobody foresaw must not hold up what is about other goods.
            log.exception("the ERP's connector failed on %s", message.reference)
            raise ErpRefusedError(
                f"{self._port.name}'s answer to {message.reference} is not understood:"
                f" {type(error).__name__}: {error}",
                mend="Look at the document there; the hub's log has the whole answer",
            ) from error

    def _booked(self, work: Work, number: int, answer: ErpDocument | Stopped) -> None:
        if isinstance(answer, Stopped):
            letters.stopped(work, self._port.name, answer)
            document = ", ".join(each.number for each in answer.documents)
        else:
            document = answer.number
        outbox.done(work, number, document=document)
        letters.mended(work, number)
        line.answered(work)

    def _held_to_sweep(self) -> Sequence[Goods]:
        now = self._store.clock.now()
        if self._swept_at is not None and now - self._swept_at < _SWEEP:
            return ()
        return self._store.read(self._held)

    def _keep_stopped(self, held: Sequence[Goods]) -> None:
        """Somebody may have assigned a held batch again."""
        for each in held:
            try:
                answer = self._ask(Message(MessageKind.STOP, "", (each,)))
            except ErpRefusedError as error:
                # The hold's own message is dead for the same reason, and waits for a person.
                log.info("a held batch cannot be looked for in the ERP: %s", error)
                continue
            if isinstance(answer, Stopped) and answer.documents:
                write_down = partial(letters.stopped, system=self._port.name, answer=answer)
                self._store.write(write_down, by=BY)
        self._swept_at = self._store.clock.now()
        if not line.is_fresh(self._store.read(line.state), self._swept_at):
            self._store.write(line.answered, by=BY)

    def _held(self, connection: Connection) -> Sequence[Goods]:
        facts = Facts(connection, self._prefix)
        return [facts.goods(batch_id, 0) for batch_id in sorted(_held_batches(connection))]


class _SilentError(Exception):
    """The ERP does not answer: nothing else is tried now."""

    def __init__(self, why: UnavailableError) -> None:
        super().__init__(str(why))
        self.why = why


def _held_batches(connection: Connection) -> set[int]:
    rows = connection.execute(
        select(t.hold.c.kind, t.hold.c.batch_id, t.hold.c.supplier).where(
            t.hold.c.released_at.is_(None),
            t.hold.c.kind.in_([HoldKind.BATCH.value, HoldKind.SUPPLIER.value]),
        )
    ).all()
    found: set[int] = set()
    for row in rows:
        if row.kind == HoldKind.BATCH.value:
            found.add(row.batch_id)
        else:
            found.update(covered_by_supplier(connection, row.supplier))
    return found
