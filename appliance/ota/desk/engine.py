"""What goes on by itself: boxes report, rollouts advance, assignments follow (I3, I5, I7).

Every decision is pure and elsewhere (ota.rollout, ota.director). Here is the order in which things
become durable: what happened, then the assignments that follow from it, then whoever waits is told.
After a crash between two steps the next `tick` does what is missing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from appliance.ota.desk.assignments import Assignments
from appliance.ota.desk.book import RolloutBook
from appliance.ota.desk.fleet import FleetBook
from appliance.ota.desk.gates import Gates
from appliance.ota.rollouts import Envelope
from contracts.clock import Clock
from contracts.errors import BadInputError, TallymanError
from contracts.ota import LANES, BoxReport
from ota.director.dsse import Director
from ota.rollout.choosing import drawn
from ota.rollout.deciding import next_events
from ota.rollout.events import SYSTEM, Aborted, GenerationsOpened, Returned, RolledBack
from ota.rollout.ports import Evidence, Issued, RolloutStore
from ota.rollout.standing import Moment, micros
from ota.rollout.state import Phase, Rollout

log = structlog.get_logger()
STOP = "stop"
"""Fact: who stopped the fleet and why; empty while it may go on."""
_MOST_MADE = 1000
"""Assignments in one tick, about half a second's work."""
_MOST_STEPS = 200
"""Of one rollout in one tick: many more than any has; an endless one would be our mistake."""


def _nothing() -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Around:
    """What the desk asks of the rest of the hub. `reopen` opens the next generation of batches that
    a bad set judges: {bad digest: the one instead}, by, why -> how many batches.
    """

    admitted: Callable[[], Collection[str]]
    assignable: Callable[[str, str], object]
    """(digest, lane); raises what says why not."""
    snapshot: Callable[[], int] = lambda: 0
    pinned: Callable[[], Collection[str]] = _nothing
    withdrawn: Callable[[], Collection[str]] = _nothing
    """Digests that no box may be told to run any more."""
    reopen: Callable[[Mapping[str, str], str, str], int] = lambda _bad, _by, _why: 0
    issued: Callable[[Sequence[Issued]], None] = lambda _made: None
    changed: Callable[[], None] = lambda: None
    """Somebody should tick soon."""


@dataclass(frozen=True, slots=True)
class DeskPolicy:
    second_person: bool = True
    live_s: int = 300
    days: int = 14
    site: str = ""


class Engine:
    """Shared by the desk and the device port; `lock` guards everything but `envelope`."""

    def __init__(
        self,
        store: RolloutStore,
        director: Director,
        evidence: Evidence,
        around: Around,
        *,
        clock: Clock,
        policy: DeskPolicy | None = None,
    ) -> None:
        self.store = store
        self.around = around
        self.clock = clock
        self.policy = policy or DeskPolicy()
        self.lock = threading.RLock()
        self.book = RolloutBook(store)
        self.assignments = Assignments(store, director, days=self.policy.days)
        self.fleet = FleetBook(
            store,
            admitted=around.admitted,
            site=self.policy.site,
            live_s=self.policy.live_s,
            now_us=self.now_us(),
        )
        for device, each in self.fleet.all.items():
            if each.report is not None and self.assignments.is_current(each.report):
                self.fleet.all[device] = replace(each, current=True)
        self.gates = Gates(evidence)
        self.dirty: set[str] | None = None
        """Boxes whose assignment may have changed; None: all of them."""
        self._standing: tuple[object, ...] = ()
        self._swept_us = 0
        self._late: set[str] = set()
        """Rollouts taken back, of which a box that came later has only now let go."""

    # What boxes ask and say

    def envelope(self, device: str) -> Envelope | None:
        """From memory: every box asks this each minute. None: it is to do nothing yet."""
        if self.fleet.heard(device, self.now_us()):
            self._swept_us = 0
            self.around.changed()
        return self.assignments.envelope(device)

    def reported(self, report: BoxReport) -> None:
        """Raises BadInputError for lanes that nobody knows."""
        if foreign := sorted({*report.running, *report.variant} - set(LANES)):
            raise BadInputError(
                f"{report.device} reports lanes {', '.join(foreign)[:80]}",
                mend=f"Lanes are {', '.join(LANES)}",
            )
        with self.lock:
            current = self.assignments.is_current(report)
            before = self.fleet.report(report, self.now_us(), current=current)
            self._let_go(before, report)
            self._mark({report.device})
        self.around.changed()

    def tick(self) -> bool:
        """Let every rollout go on as far as it can; whether anything changed."""
        with self.lock:
            now = self.clock.now()
            changed = self.refresh()
            self.gates.forget()
            if changed:
                # Whoever wrote it may have said before where boxes stand: a rollout begins with that.
                self._swept_us = 0
            self._mark(self._sweep(micros(now)))
            # What somebody commanded first: a box that is asked once more has not failed again
            # before it heard so.
            made = self._make(now) if self.dirty is None else []
            for state in reversed(self.book.all()):
                if self._advance(state, now):
                    changed = True
            self._settle_late()
            if changed:
                self.dirty = None
            made += self._make(now)
        if made:
            self.around.issued(made)
        return changed or bool(made)

    # How it goes on

    def _advance(self, state: Rollout, now: datetime) -> bool:
        begun = state.events
        for _ in range(_MOST_STEPS):
            events = next_events(state, self.moment(state, now))
            if not events:
                break
            state = self.book.add(state.rollout, events, who=SYSTEM, at_us=micros(now))
            if any(isinstance(each, Aborted | RolledBack | Returned) for each in events):
                state = self._reopen(state)
        else:
            log.error("a rollout goes on without end", rollout=state.rollout)
        if state.phase is Phase.RETURNING and state.reopened is None:
            state = self._reopen(state)
        return state.events > begun

    def _reopen(self, state: Rollout) -> Rollout:
        """Batches that the candidate judges get another judge: at once, and again when no box runs
        it any more, for those that began in between. Where the core is away, later.
        """
        if not state.ran_anywhere:
            return state
        befores = [member.before for member in state.members.values() if member.before]
        instead = max(set(befores), key=befores.count, default="")
        why = state.why.code if state.why else ""
        try:
            count = self.around.reopen({state.plan.candidate: instead}, SYSTEM, why)
        except TallymanError as error:
            log.warning("generations are opened later", rollout=state.rollout, error=str(error))
            return state
        opened = [GenerationsOpened((state.reopened or 0) + count)]
        if state.reopened is not None and not count:
            return state
        return self.book.add(state.rollout, opened, who=SYSTEM, at_us=micros(self.clock.now()))

    def _let_go(self, before: BoxReport | None, report: BoxReport) -> None:
        """A box that comes late may have judged by a set that was taken back meanwhile."""
        for state in self.book.speaking() if before is not None else ():
            lane, candidate = state.plan.lane, state.plan.candidate
            ran = before is not None and before.running.get(lane) == candidate
            if state.phase is Phase.RETURNED and ran and report.running.get(lane) != candidate:
                self._late.add(state.rollout)

    def _settle_late(self) -> None:
        for name in sorted(self._late):
            self._late.discard(name)
            self._reopen(self.book.one(name))

    def _make(self, now: datetime) -> list[Issued]:
        """Assignments that are due: of boxes that changed, or of all where what all share did."""
        speaking = self.book.speaking()
        closed = frozenset(s.rollout for s in speaking if not s.plan.may_run(now))
        pinned = frozenset(self.around.pinned())
        snapshot = self.around.snapshot()
        withdrawn = frozenset(self.around.withdrawn())
        standing = (closed, pinned, snapshot, withdrawn)
        if standing != self._standing:
            self.dirty, self._standing = None, standing
        now_us = micros(now)
        names = self.fleet.all.keys() if self.dirty is None else self.dirty
        names = {*names, *self.assignments.stale(now_us)}
        if not names:
            return []
        heard = [self.fleet.all[name] for name in names if name in self.fleet.all]
        made: list[Issued] = []
        while heard and len(made) < _MOST_MADE:
            some, heard = heard[:_MOST_MADE], heard[_MOST_MADE:]
            made += self.assignments.make(
                some,
                speaking,
                pinned=pinned,
                closed=closed,
                withdrawn=withdrawn,
                snapshot=snapshot,
                now_us=now_us,
            )
        # The rest at the next tick, which somebody is asked for: boxes that report meanwhile do
        # not wait until very many others have their assignments.
        self.dirty = {each.box.device for each in heard}
        if heard:
            self.around.changed()
        self.fleet.asked_anew(each.device for each in made)
        return made

    def look(self) -> None:
        """Who is here and let in at this moment; for people who ask. Under the lock."""
        self._mark(self.fleet.sweep(self.now_us()))

    def _sweep(self, now_us: int) -> set[str]:
        """Not at every tick: it looks at every box."""
        if 0 <= now_us - self._swept_us < self.policy.live_s * 50_000:
            return set()
        self._swept_us = now_us
        return self.fleet.sweep(now_us)

    def _mark(self, devices: set[str]) -> None:
        if self.dirty is not None:
            self.dirty |= devices

    def moment(self, state: Rollout, at: datetime) -> Moment:
        begin = not self.store.fact(STOP) and not self.book.lane_taken(state)
        shown = self.gates.shown(state) if state.gate is not None and state.under_way else {}
        return Moment(
            at,
            self.fleet.all,
            shown,
            seed=drawn(),
            begin=begin,
            withdrawn=state.plan.candidate in self.around.withdrawn(),
        )

    def refresh(self) -> bool:
        changed = self.book.refresh()
        if changed:
            self.dirty = None
        return changed

    def now_us(self) -> int:
        return micros(self.clock.now())
