"""Goods issues that wait at the same moment share a transaction, as commits share a write to the
disk (group commit; DeWitt et al., Implementation Techniques for Main Memory Database Systems, 1984).
"""

from __future__ import annotations

import threading
import time
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
COMING_S = 0.0002
"""A group begins when for so long nobody has come."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """Who waits for its own answer, and is woken for it alone: with its group where it leads one."""

    asked: GoodsIssue
    group: list[_Waiting] = field(default_factory=list)
    outcome: Outcome = None
    failed: BaseException | None = None
    _woken: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._woken.acquire()

    def wait(self) -> None:
        self._woken.acquire()

    def wake(self) -> None:
        self._woken.release()


@dataclass(slots=True)
class Gate:
    """Goods issues from many threads, as many in one transaction as wait when one begins.

    The first one goes alone, and those who came meanwhile go together after it, led by the one who
    has waited longest. A leader whose house was busy a moment ago gives those who were just answered
    the moment in which they ask for their next. One group at a time: what a transaction costs it
    costs once, and two groups of half the size would pay it twice.
    """

    store: Store
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _queue: list[_Waiting] = field(default_factory=list)
    _busy: bool = False
    _crowded: bool = False
    """Whether the last group was more than one."""

    def ship(self, reservation_id: int, *, by: str, key: str | None = None) -> None:
        """Goods issue. Raises HeldError, ConflictError, NotFoundError, UnavailableError."""
        mine = _Waiting(GoodsIssue(reservation_id, by, key))
        with self._lock:
            self._queue.append(mine)
            self._begin()
        mine.wait()
        if mine.group:
            self._lead(mine)
        if mine.failed is not None:
            raise mine.failed
        if mine.outcome is not None:
            raise mine.outcome

    def _begin(self) -> None:
        """Let a group begin where none is under way; the lock is held."""
        if self._queue and not self._busy:
            self._busy = True
            first = self._queue.pop(0)
            first.group = [first]
            first.wake()

    def _lead(self, mine: _Waiting) -> None:
        if self._crowded:
            self._let_them_come()
        with self._lock:
            self._fill(mine.group)
            self._crowded = len(mine.group) > 1
        try:
            self._run(mine.group)
        finally:
            with self._lock:
                self._busy = False
                self._begin()
            for each in mine.group[1:]:
                each.wake()

    def _let_them_come(self) -> None:
        waiting = -1
        while waiting < (waiting := len(self._queue)) < MOST:
            time.sleep(COMING_S)

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

    def _fill(self, group: list[_Waiting]) -> None:
        """Add the next to come, without two for one reservation or with one key."""
        seen = {name for each in group for name in _names(each.asked)}
        later: list[_Waiting] = []
        for each in self._queue:
            names = _names(each.asked)
            if len(group) < MOST and seen.isdisjoint(names):
                group.append(each)
                seen |= names
            else:
                later.append(each)
        self._queue = later

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
                each.failed = error
            return
        for each, outcome in zip(group, outcomes, strict=True):
            each.outcome = outcome

    def _run_alone(self, each: _Waiting) -> None:
        try:
            each.outcome = self._together([each.asked])[0]
        except BaseException as error:  # noqa: BLE001 -- whoever waits must hear of it
            each.failed = error

    def _together(self, asked: list[GoodsIssue]) -> list[Outcome]:
        before: frozenset[Guard] | None = None
        ids = [each.reservation_id for each in asked]
        if self.store.guarding is Guarding.FLAG_READ_FIRST:
            before = self.store.read(lambda c: guards.held(c, shipping.guards_of(c, ids)))

        def booked(work: Work) -> list[Outcome]:
            work.read_before = before
            return shipping.ship(work, asked)

        return self.store.write(booked, by="")


def _names(asked: GoodsIssue) -> set[int | str]:
    return {asked.reservation_id, asked.key or asked.reservation_id}
