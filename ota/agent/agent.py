"""The agent of one box: poll, check, fetch, prove, switch, watch, and back again (I5, I6).

Call `step` again and again, from one thread at a time: it does one bounded piece of work and says
how long to wait. What it decides stands in `deciding` and `probation`; here it is carried out, and
in such an order that whatever call it dies in, the next `Agent` over the same files goes on: what
must not be forgotten is on disk before what follows from it, and every file and folder that counts
is whole from the moment that it has its name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from contracts.clock import Clock
from contracts.errors import BadInputError, ForbiddenError, NotSignedInError, UnavailableError
from contracts.ota import Assignment, BoxReport, BoxStep
from contracts.reason import Reason
from ota.agent.files import Files
from ota.agent.handover import (
    INSTALLATION,
    Active,
    LaneActive,
    held_folder,
    last_change,
    read_active,
    write_active,
)
from ota.agent.ports import Hub, Prover
from ota.agent.sets.fetch import Fetcher, Progress, SetRefusedError
from ota.agent.sets.metadata import ImagePlane, MetadataRefusedError
from ota.agent.sets.room import Room, make_room, spare
from ota.agent.sets.shelf import Base, Shelf
from ota.agent.settings import AgentSettings, Trust
from ota.agent.steps.deciding import (
    Fetch,
    Follow,
    Prove,
    Refresh,
    Step,
    Switch,
    View,
    decide,
    wanted,
)
from ota.agent.steps.deciding import is_left_alone as left_alone
from ota.agent.steps.intake import Intake
from ota.agent.steps.observing import Observer
from ota.agent.steps.reporting import Told, make_report
from ota.agent.steps.state import Refusal, State, read_state, write_state
from ota.agent.steps.telling import Teller

__all__ = ["Agent", "AgentSettings", "Trust"]

_MB = 1 << 20
_RETRY_S = 10.0
_LEAST_S = 1.0
"""Between two polls, however often somebody wakes this box."""


class Agent:
    """`installed` are the installation's own sets: digest by lane, and never fetched or deleted;
    `bases` says where they stand, so that only differences to them are fetched.
    """

    def __init__(
        self,
        *,
        device: str,
        version: str,
        files: Files,
        hub: Hub,
        prover: Prover,
        clock: Clock,
        trust: Trust,
        installed: Mapping[str, str],
        bases: Mapping[str, Base] | None = None,
        settings: AgentSettings | None = None,
        random: Random | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device, self._version = device, version
        self._files, self._hub, self._prover = files, hub, prover
        self._installed = dict(installed)
        self._settings = settings or AgentSettings()
        self._random = random or Random()  # noqa: S311 -- jitter, no secret
        self._monotonic = monotonic
        self._plane = ImagePlane(files, hub, root=trust.root, monotonic=monotonic)
        self._intake = Intake(
            device=device, plane=self._plane, trust=trust, clock=clock, monotonic=monotonic
        )
        self._shelf = Shelf(files, bases or {})
        self._fetcher = Fetcher(files, hub, self._shelf, monotonic=monotonic)
        self._trouble: dict[str, Reason] = {}
        self._progress = Progress()
        self._assignment: Assignment | None = None
        self._state, self._active = State(), Active()
        self._observer = Observer(files, self._settings.probation, monotonic=monotonic)
        self._teller = Teller(hub, self._settings, monotonic=monotonic)
        self._on_probation = self._opened = self._woken = False
        self._tidy_due = True
        self._failures = 0
        self._poll_at = monotonic() + self._random.random() * min(5.0, self._settings.poll_s / 10)
        self._fetch_at = self._polled_at = float("-inf")

    @property
    def assignment(self) -> Assignment | None:
        """What this box works on."""
        return self._assignment

    @property
    def active(self) -> Active:
        """What the edge is told to run."""
        return self._active

    @property
    def fetched_bytes(self) -> int:
        """Of sets, over the line, since this agent started."""
        return self._fetcher.bytes_fetched

    def wake(self) -> None:
        """Poll at the next step: somebody said that there is news (MQTT). From any thread."""
        self._woken = True

    def step(self) -> float:
        """One piece of work; answers in how many seconds to call again, 0 where more is to do.

        Raises nothing that the world does: what goes wrong stands in the report. A disk that
        refuses is trouble too, and tried again.
        """
        try:
            return self._work()
        except OSError as error:
            self._trouble["disk"] = Reason("ota_disk", {"why": str(error)[:200]})
            return _RETRY_S

    def _work(self) -> float:
        if not self._opened:
            self._open()
        self._observe()
        if self._woken:
            self._woken = False
            self._poll_at = min(self._poll_at, self._polled_at + _LEAST_S)
        if self._monotonic() >= self._poll_at:
            self._poll()
        view = self._view()
        step = decide(view)
        if not isinstance(step, Switch | Follow):
            # A switch is done at once: what is said of the moment before would only confuse.
            self._tell(view, step)
        more = self._carry_out(step, view)
        if more:
            return 0.0
        self._trouble.pop("disk", None)
        waits = [self._poll_at - self._monotonic()]
        if self._on_probation or isinstance(step, Fetch):
            waits.append(self._settings.watch_s)
        return max(min(waits), 0.0)

    def _open(self) -> None:
        """Where the last start ended."""
        self._state = read_state(self._files)
        try:
            self._active = read_active(self._files)
        except BadInputError:
            # It was never written by halves: somebody else did. The next change writes it anew.
            self._active = Active(change=max(self._state.settled, last_change(self._files)))
        try:
            self._plane.load()
        except MetadataRefusedError as error:
            self._trouble["metadata"] = error.reason
        self._assignment = self._intake.remembered(self._state)
        # Before anything asks for room: what an interrupted removal left takes some.
        self._tidy(self._view())
        self._opened = True

    def _observe(self) -> None:
        """What the edge made of it, and what follows for a set on probation."""
        seen = self._observer.look(self._active, self._state)
        self._on_probation = seen.outcome is not None
        if seen.outcome is None:
            return
        if seen.outcome.bad:
            lanes = self._active.lanes
            bad = {lanes[lane].model_set: reason for lane, reason in seen.outcome.bad.items()}
            self._refuse(BoxStep.RETURNED, bad)
        elif not seen.outcome.waiting:
            self._save(
                replace(self._state, settled=self._active.change, watched={}, late_before={})
            )
            self._on_probation, self._tidy_due = False, True
        elif seen.must_keep:
            self._save(seen.state)
        else:
            self._state = seen.state

    def _poll(self) -> None:
        self._polled_at = self._monotonic()
        try:
            # Without an assignment that holds (the director's key changed), whatever the tag says.
            polled = self._hub.poll(self._state.etag if self._assignment else "")
        except UnavailableError:
            self._failures += 1
        except (ForbiddenError, NotSignedInError) as error:
            self._failures += 1
            self._trouble["hub"] = Reason("ota_not_admitted", {"why": error.message[:200]})
        else:
            self._failures = 0
            self._trouble.pop("hub", None)
            if polled.envelope is not None:
                self._take(polled.envelope, polled.etag)
        wait = self._settings.poll_s * 2.0 ** min(self._failures, 10)
        wait = max(min(wait, self._settings.longest_wait_s), self._settings.poll_s)
        self._poll_at = self._monotonic() + wait * self._random.uniform(0.75, 1.25)

    def _take(self, envelope: bytes, etag: str) -> None:
        taken = self._intake.take(
            envelope, self._state, active=self._active, installed=self._installed
        )
        if taken is None:
            return
        assignment, state = taken
        view = replace(self._view(), assignment=assignment)
        refused = {k: v for k, v in state.refused.items() if left_alone(view, assignment, k)}
        self._save(replace(state, etag=etag, refused=refused))
        self._assignment = assignment
        self._tidy_due = True
        self._fetch_at = self._monotonic()

    def _tell(self, view: View, step: Step) -> None:
        report = self._report(view, step)
        moving = self._on_probation or isinstance(step, Fetch) or bool(report.shadow)
        self._teller.tell(report, moving=moving)

    def _report(self, view: View, step: Step) -> BoxReport:
        trouble = {**self._intake.trouble, **self._trouble}
        if view.clock is not None:
            trouble["clock"] = view.clock
        if silence := self._observer.silence():
            trouble["edge"] = silence
        told = Told(
            device=self._device,
            version=self._version,
            state=self._state,
            view=view,
            step=step,
            running=self._observer.running,
            on_probation=self._on_probation,
            trouble={**trouble, **getattr(step, "blocked", {})},
            snapshot=self._plane.snapshot,
            progress=self._progress,
        )
        free_mb = self._files.free_bytes() // _MB
        return make_report(told, at_us=self._intake.now_us(), free_mb=free_mb)

    def _view(self) -> View:
        assignment, held = self._assignment, self._shelf.held()
        state = self._state
        at = self._intake.trusted_time(state)
        run = {} if assignment is None else assignment.run
        stale = {lane: self._plane.stale(lane, at) for lane in run}
        proven = {each for each, version in state.proven.items() if version == self._version}
        view = View(
            assignment=assignment,
            active=self._active,
            installed=self._installed,
            held=frozenset(held),
            proven=proven,
            refused=state.refused,
            named=frozenset(),
            stale={lane: reason for lane, reason in stale.items() if reason is not None},
            clock=self._intake.clock_reason(state, self._settings.clock_tolerance_s),
            at_us=max(self._intake.now_us(), state.floors.time_us),
            may_refresh=self._intake.may_refresh(),
        )
        if assignment is None:
            return view
        asked = wanted(view, assignment)
        named = frozenset(each for each in asked if self._plane.find(*each) is not None)
        return replace(view, named=named)

    def _carry_out(self, step: Step, view: View) -> bool:
        """Whether something was done, so that more may follow at once."""
        match step:
            case Switch():
                return self._switch(step, view)
            case Follow(shadow, keep):
                self._write_active(replace(self._active, shadow=shadow, keep=keep))
                return True
            case Prove(lane, digest):
                return self._prove(lane, digest)
            case Fetch(lane, digest):
                return self._fetch(lane, digest, view)
            case Refresh():
                return self._intake.refresh(self._state)
            case _:
                if self._tidy_due:
                    self._tidy(view)
                return False

    def _switch(self, step: Switch, view: View) -> bool:
        for digest in step.to.values():
            if digest != INSTALLATION and not self._shelf.is_whole(digest):
                # The disk spoilt it since: fetched again, and never handed to the edge like this.
                self._shelf.discard(digest)
                return True
        assignment = view.assignment
        change, at_us = self._active.change + 1, self._intake.now_us()
        lanes = dict(self._active.lanes)
        for lane, digest in step.to.items():
            before = self._active.digest(lane)
            goes_back = before in self._state.refused or self._active.was_before(lane, digest)
            lanes[lane] = LaneActive(
                model_set=digest,
                previous=INSTALLATION if goes_back else before,
                change=change,
                at_us=at_us,
                rollout=assignment.rollout if assignment and not goes_back else "",
            )
        watched = {k: v for k, v in self._state.watched.items() if k not in step.to}
        late = {lane: self._observer.late_share(lane) for lane in step.to}
        late = {**self._state.late_before, **late}
        self._save(replace(self._state, watched=watched, late_before=late))
        self._write_active(replace(self._active, lanes=lanes, why=step.why))
        self._observer.switched()
        return True

    def _write_active(self, active: Active) -> None:
        active = replace(
            active,
            change=self._active.change + 1,
            epoch=self._state.floors.epoch,
            sequence=self._state.floors.sequence,
            at_us=self._intake.now_us(),
        )
        write_active(self._files, active)
        self._active = active
        self._tidy_due = True

    def _prove(self, lane: str, digest: str) -> bool:
        if not self._shelf.is_whole(digest):
            self._shelf.discard(digest)
            return True
        try:
            reason = self._prover.prove(lane, digest, self._files.where(held_folder(digest)))
        except UnavailableError:
            return False
        if reason is not None:
            self._refuse(BoxStep.FAILED, {digest: reason})
            return True
        held = self._shelf.held()
        proven = {each: by for each, by in self._state.proven.items() if each in held}
        self._save(replace(self._state, proven={**proven, digest: self._version}))
        return True

    def _fetch(self, lane: str, digest: str, view: View) -> bool:
        image = self._plane.find(lane, digest)
        if image is None or self._monotonic() < self._fetch_at:
            return False
        try:
            self._make_room(self._fetcher.missing_bytes(image), view)
            self._progress = self._fetcher.advance(image)
        except SetRefusedError as error:
            self._refuse(BoxStep.FAILED, {digest: error.reason})
            return True
        except (UnavailableError, ForbiddenError, NotSignedInError) as error:
            self._trouble[digest] = Reason("ota_hub_away", {"why": error.message[:200]})
            self._fetch_at = self._monotonic() + self._settings.watch_s * 2
            return False
        if self._progress.whole:
            self._trouble.pop(digest, None)
        return True

    def _make_room(self, missing: int, view: View) -> None:
        """Raises SetRefusedError where there is none even without all that nobody needs."""
        room = Room(self._settings.budget_mb * _MB, self._settings.reserve_mb * _MB)
        # While the edge's open pins are unknown, anything may be needed.
        known = self._observer.running if self._observer.pins_known else None
        make_room(self._shelf, self._files, room, missing, spare(view, known) if known else [])

    def _tidy(self, view: View) -> None:
        asked = [] if view.assignment is None else wanted(view, view.assignment)
        self._shelf.sweep([digest for _, digest in asked])
        self._progress = Progress()
        self._tidy_due = False

    def _refuse(self, step: BoxStep, reasons: Mapping[str, Reason]) -> None:
        rollout = self._assignment.rollout if self._assignment else ""
        attempts = self._assignment.attempts if self._assignment else 0
        new = {each: Refusal(step, why, rollout, attempts) for each, why in reasons.items()}
        self._save(replace(self._state, refused={**self._state.refused, **new}))

    def _save(self, state: State) -> None:
        """On disk first: what follows from it may then be done."""
        write_state(self._files, state)
        self._state = state
