"""Goods issues that wait at the same moment share a transaction, as commits share a write to the
disk (group commit; DeWitt et al., Implementation Techniques for Main Memory Database Systems, 1984).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError

from erp_link.adapters import guards
from erp_link.adapters.guards import Guard, Guarding
from erp_link.service import shipping
from erp_link.service.shipping import GoodsIssue, Outcome
from erp_link.service.store import Store
from erp_link.service.work import Work

MOST = 64
"""Goods issues in one transaction: a hold on any of their batches waits for all of them."""
LANES = 2
"""Groups at once where the database takes several writers: one is written while the next is asked."""
WORTH = MOST // 4
"""So many wait before another lane opens."""


@dataclass(slots=True, eq=False)
class _Waiting:
    asked: GoodsIssue
    done: bool = False
    outcome: Outcome = None
    failed: BaseException | None = None


@dataclass(slots=True)
class Gate:
    """Goods issues from many threads, as many in one transaction as wait when one begins.

    Nobody waits for others to come: the first one goes alone, and those who came meanwhile go
    together after it, led by one of themselves.
    """

    store: Store
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _queue: list[_Waiting] = field(default_factory=list)
    _taken: set[_Waiting] = field(default_factory=set)
    _busy: int = 0

    def ship(self, reservation_id: int, *, by: str, key: str | None = None) -> None:
        """Goods issue. Raises HeldError, ConflictError, NotFoundError, UnavailableError."""
        mine = _Waiting(GoodsIssue(reservation_id, by, key))
        with self._lock:
            self._queue.append(mine)
        while True:
            with self._lock:
                while mine in self._taken or not (mine.done or self._may_lead()):
                    self._lock.wait()
                if mine.done:
                    break
                self._busy += 1
                group = self._next_group()
            try:
                self._run(group)
            finally:
                with self._lock:
                    self._busy -= 1
                    self._taken.difference_update(group)
                    self._lock.notify_all()
        if mine.failed is not None:
            raise mine.failed
        if mine.outcome is not None:
            raise mine.outcome

    def ship_all(self, asked: Sequence[GoodsIssue]) -> list[Outcome]:
        """Many goods issues of one caller, each with its own outcome."""
        outcomes: list[Outcome] = []
        for at in range(0, len(asked), MOST):
            group = [_Waiting(each) for each in asked[at : at + MOST]]
            self._run(group)
            for each in group:
                if each.failed is not None:
                    raise each.failed
                outcomes.append(each.outcome)
        return outcomes

    def _next_group(self) -> list[_Waiting]:
        """The first to come, without two for one reservation or with one key."""
        group: list[_Waiting] = []
        seen: set[int | str] = set()
        for each in self._queue:
            names = {each.asked.reservation_id, each.asked.key or each.asked.reservation_id}
            if len(group) < MOST and seen.isdisjoint(names):
                group.append(each)
                seen |= names
        self._queue = [each for each in self._queue if each not in group]
        self._taken.update(group)
        return group

    def _may_lead(self) -> bool:
        """Whether a group may begin: a second one only where it is worth a transaction."""
        if self._busy == 0:
            return True
        lanes = 1 if self.store.engine.dialect.name == "sqlite" else LANES
        return self._busy < lanes and len(self._queue) >= WORTH

    def _run(self, group: list[_Waiting]) -> None:
        try:
            outcomes = self._together([each.asked for each in group])
        except IntegrityError:
            # The database's own checks refused the whole: find out by itself which one it was.
            for each in group:
                self._run_alone(each)
            return
        except BaseException as error:  # noqa: BLE001 -- whoever waits must hear of it
            for each in group:
                each.failed, each.done = error, True
            return
        for each, outcome in zip(group, outcomes, strict=True):
            each.outcome, each.done = outcome, True

    def _run_alone(self, each: _Waiting) -> None:
        try:
            each.outcome = self._together([each.asked])[0]
        except BaseException as error:  # noqa: BLE001 -- whoever waits must hear of it
            each.failed = error
        each.done = True

    def _together(self, asked: list[GoodsIssue]) -> list[Outcome]:
        before: frozenset[Guard] | None = None
        ids = [each.reservation_id for each in asked]
        if self.store.guarding is Guarding.FLAG_READ_FIRST:
            before = self.store.read(lambda c: guards.held(c, shipping.guards_of(c, ids)))

        def booked(work: Work) -> list[Outcome]:
            work.read_before = before
            return shipping.ship(work, asked)

        return self.store.write(booked, by="")
