"""The desk of rollouts: what people command and what they look at (I3, I5, I7)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from appliance.ota.desk.engine import STOP, Engine
from appliance.ota.rollouts import BoxView, Envelope, GateView
from contracts.errors import NotFoundError
from contracts.ota import BoxReport
from ota.rollout import commanding
from ota.rollout.boxes import Box
from ota.rollout.choosing import check_names, choose, drawn
from ota.rollout.events import Drafted, Event, Member, Recorded
from ota.rollout.plan import Plan, check_plan
from ota.rollout.ports import Deed, Ran
from ota.rollout.state import Phase, Rollout
from ota.rollout.waiting import Waiting, waits_for


class Rollouts:
    """appliance.ota.rollouts.RolloutDesk."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # What people command

    def draft(self, plan: Plan, *, by: str) -> Rollout:
        """Raises BadInputError, and what says why boxes may not be told to run the set."""
        check_plan(plan)
        self._engine.around.assignable(plan.candidate, plan.lane)
        # Chance draws now: who approves the draft sees the waves that it will begin with.
        plan = replace(plan, seed=plan.seed or drawn())
        with self._engine.lock:
            self._engine.look()
            check_names(plan, self._engine.fleet.all)
            name = f"{self._engine.clock.now():%Y%m%d}-{plan.lane}-{secrets.token_hex(3)}"
            return self._engine.book.add(name, [Drafted(plan)], who=by, at_us=self._engine.now_us())

    def approve(self, rollout: str, *, by: str, note: str = "") -> Rollout:
        two = self._engine.policy.second_person
        state = self.rollout(rollout)
        self._engine.around.assignable(state.plan.candidate, state.plan.lane)
        return self._command(
            rollout, lambda s: commanding.approve(s, by=by, note=note, second_person=two), by
        )

    def cancel(self, rollout: str, *, by: str, why: str = "") -> Rollout:
        return self._command(rollout, lambda s: commanding.cancel(s, why=why), by)

    def pause(self, rollout: str, *, by: str, why: str = "") -> Rollout:
        return self._command(rollout, lambda s: commanding.pause(s, why=why), by)

    def resume(self, rollout: str, *, by: str, why: str = "") -> Rollout:
        return self._command(rollout, lambda s: commanding.resume(s, why=why), by)

    def abort(self, rollout: str, *, by: str, why: str) -> Rollout:
        return self._command(rollout, lambda s: commanding.abort(s, by=by, why=why), by)

    def retry(self, rollout: str, boxes: Sequence[str] = (), *, by: str) -> Rollout:
        return self._command(rollout, lambda s: commanding.retry(s, boxes), by)

    def skip(self, rollout: str, boxes: Sequence[str], *, by: str, why: str) -> Rollout:
        return self._command(rollout, lambda s: commanding.skip(s, boxes, why=why), by)

    def roll_back(self, rollout: str, *, by: str, why: str) -> Rollout:
        return self._command(
            rollout,
            lambda s: commanding.roll_back(s, newest=self._engine.book.is_newest(s), why=why),
            by,
        )

    def stop_everything(self, *, by: str, why: str) -> list[Rollout]:
        """Emergency: every rollout under way goes back at once, and none begins until `lift`."""
        why = commanding.said(why)
        with self._engine.lock:
            self._engine.store.set_fact(STOP, f"{by}: {why}")
            self._note(by, "stopped", why=why)
            self._engine.book.refresh()
            stopped = [
                self._command(
                    state.rollout,
                    lambda s: commanding.abort(s, by=by, why=why, emergency=True),
                    by,
                )
                for state in self._engine.book.all()
                if state.under_way or (state.phase is Phase.RETURNING and not state.emergency)
            ]
            self._engine.dirty = None
        self._engine.around.changed()
        return stopped

    def lift(self, *, by: str, why: str) -> None:
        """Rollouts may begin again; those that were stopped stay stopped."""
        why = commanding.said(why)
        with self._engine.lock:
            self._note(by, "lifted", why=why)
            self._engine.store.set_fact(STOP, "")
        self._engine.around.changed()

    def stopped(self) -> str:
        return self._engine.store.fact(STOP)

    def place(self, box: Box, *, by: str) -> None:
        """Raises NotFoundError for a box that was never let in."""
        with self._engine.lock:
            known = (
                box.device in self._engine.fleet.all or box.device in self._engine.around.admitted()
            )
            if not known:
                raise NotFoundError(
                    f"No box {box.device[:80]!r} is known", mend="tallyman device list"
                )
            labels = " ".join(f"{name}={value}" for name, value in sorted(box.labels.items()))
            self._note(by, "placed", box.device, f"{box.cell} {box.site} {labels}".strip())
            self._engine.fleet.place(box)
            self._engine.dirty = None
        self._engine.around.changed()

    # What people look at

    def rollouts(self) -> list[Rollout]:
        with self._engine.lock:
            self._engine.refresh()
            return self._engine.book.all()

    def rollout(self, rollout: str) -> Rollout:
        with self._engine.lock:
            self._engine.refresh()
            return self._engine.book.one(rollout)

    def may(self, rollout: str) -> tuple[str, ...]:
        """The commands that make sense now."""
        with self._engine.lock:
            state = self.rollout(rollout)
            return commanding.may(state, newest=self._engine.book.is_newest(state))

    def history(self, rollout: str) -> list[Recorded]:
        self.rollout(rollout)
        return self._engine.store.history(rollout)

    def gate(self, rollout: str) -> GateView | None:
        with self._engine.lock:
            state = self.rollout(rollout)
            return self._engine.gates.view(state, self._engine.fleet.all)

    def waiting(self, rollout: str) -> list[Waiting]:
        with self._engine.lock:
            state = self.rollout(rollout)
            return waits_for(state, self._engine.moment(state, self._engine.clock.now()))

    def preview(self, plan: Plan) -> list[Member]:
        check_plan(plan)
        with self._engine.lock:
            self._engine.look()
            check_names(plan, self._engine.fleet.all)
            return list(choose(plan, self._engine.fleet.all, seed=plan.seed or 1))

    def boxes(self) -> list[BoxView]:
        with self._engine.lock:
            self._engine.look()
            return [self._view(device) for device in sorted(self._engine.fleet.all)]

    def drifting(self) -> list[str]:
        """Live boxes that do not run what they are told to run."""
        with self._engine.lock:
            return sorted(
                device
                for device, heard in self._engine.fleet.all.items()
                if heard.live and self._engine.assignments.differs(heard)
            )

    def box(self, device: str) -> BoxView:
        with self._engine.lock:
            if device not in self._engine.fleet.all:
                raise NotFoundError(f"No box {device[:80]!r} is known", mend="tallyman device list")
            return self._view(device)

    def ran(self, device: str = "") -> list[Ran]:
        return self._engine.store.ran(device)

    def deeds(self) -> list[Deed]:
        """Stops, their ends and the places of boxes: who, when and why, oldest first."""
        return self._engine.store.deeds()

    def _note(self, who: str, what: str, about: str = "", why: str = "") -> None:
        self._engine.store.note(Deed(self._engine.now_us(), who, what, about, why))

    # What boxes ask and say

    def envelope(self, device: str) -> Envelope | None:
        return self._engine.envelope(device)

    def reported(self, report: BoxReport) -> None:
        self._engine.reported(report)

    def tick(self) -> bool:
        return self._engine.tick()

    def _command(
        self,
        rollout: str,
        decide: Callable[[Rollout], Sequence[Event]],
        by: str,
    ) -> Rollout:
        with self._engine.lock:
            state = self._engine.book.command(rollout, decide, who=by, at_us=self._engine.now_us())
            self._engine.dirty = None
        self._engine.around.changed()
        return state

    def _view(self, device: str) -> BoxView:
        heard = self._engine.fleet.all[device]
        assignment = self._engine.assignments.assignment(device)
        wanted = {**assignment.stage, **assignment.run} if assignment else {}
        running = heard.report.running if heard.report else {}
        drift = [lane for lane, digest in wanted.items() if digest and running.get(lane) != digest]
        return BoxView(
            heard,
            wanted,
            tuple(sorted(drift)),
            assignment,
            self._engine.fleet.heard_us(device),
        )
