"""Rollouts as the console shows and commands them; what was decided is decided in ota.rollout."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from appliance.ota.console import progress
from appliance.ota.console.curves import Curves
from appliance.ota.console.stories import told
from appliance.ota.rollouts import GateView, RolloutDesk
from appliance.web.ota.rows import (
    Point,
    Preview,
    PreviewWave,
    RolloutBox,
    RolloutPage,
    RolloutRow,
)
from contracts.clock import Clock
from contracts.errors import ConflictError
from contracts.reason import Reason
from ota.rollout.boxes import Fleet
from ota.rollout.events import STANDS_BY, Member
from ota.rollout.gating import policy_of
from ota.rollout.plan import Plan, check_plan
from ota.rollout.state import ENDED, Phase, Rollout

_LOOK_S: Final = 1.0
_DRAWN_LATER: Final = (Phase.DRAFT, Phase.APPROVED)
_FEW: Final = 5
"""Fewer boxes than this in a first wave say little about the others."""


class RolloutConsole:
    """Meets appliance.web.ota.ports.Rollouts."""

    def __init__(
        self, desk: RolloutDesk, curves: Curves, *, clock: Clock, second_person: bool
    ) -> None:
        self._desk = desk
        self._curves = curves
        self._clock = clock
        self._second_person = second_person
        self._version = ""
        self._ended: set[str] = set()

    def listed(self) -> Sequence[RolloutRow]:
        fleet = self._fleet()
        rows = [self._row(each, fleet) for each in self._desk.rollouts()]
        return sorted(rows, key=lambda row: not row.is_open)

    def one(self, rollout: str) -> RolloutPage:
        state, gate = self._desk.rollout(rollout), self._desk.gate(rollout)
        history = self._desk.history(rollout)
        if state.phase in _DRAWN_LATER:
            # Drawn when it begins; whoever approves it sees who it would be as boxes are now.
            members = {each.device: each for each in self._desk.preview(state.plan)}
            state = replace(state, members=members)
        boxes = _boxes(state, self._fleet(), gate)
        policy = policy_of(state, state.gate) if state.gate else state.plan.policy
        return RolloutPage(
            progress.row_of(state, boxes, gate),
            state,
            gate,
            progress.signals_of(policy, gate),
            progress.waves_of(state, boxes, history),
            boxes,
            waiting=tuple(self._desk.waiting(rollout)),
            may=progress.offered(state, self._desk.may(rollout)),
            history=tuple(reversed(told(history))),
            before=tuple(sorted({each.before for each in state.members.values() if each.before})),
            in_window=state.plan.may_run(self._clock.now()),
            second_person=self._second_person,
        )

    def preview(self, plan: Plan) -> Preview:
        members = self._desk.preview(check_plan(plan))
        waves: defaultdict[int, list[Member]] = defaultdict(list)
        for each in members:
            waves[each.wave].append(each)
        rows: list[PreviewWave] = []
        reached = 0
        for number, wave in enumerate(plan.waves):
            mine = waves[number]
            reached += len(mine)
            rows.append(
                PreviewWave(
                    number + 1,
                    tuple(each.device for each in mine),
                    tuple(sorted({each.cell for each in mine if each.cell})),
                    reached,
                    progress.clean_frames(plan.policy) if wave.certify else 0,
                )
            )
        return Preview(
            tuple(rows), reached, len(waves[STANDS_BY]), tuple(self._warnings(plan, rows))
        )

    def create(self, plan: Plan, *, by: str) -> str:
        return self._desk.draft(plan, by=by).rollout

    def act(self, rollout: str, command: str, *, by: str, why: str) -> None:
        desk = self._desk
        state = desk.rollout(rollout)
        failed = sorted(set(state.failed) - state.skipped)
        commands: dict[str, Callable[[], Rollout]] = {
            "approve": lambda: desk.approve(rollout, by=by, note=why),
            "cancel": lambda: desk.cancel(rollout, by=by, why=why),
            "pause": lambda: desk.pause(rollout, by=by, why=why),
            "resume": lambda: desk.resume(rollout, by=by, why=why),
            "retry": lambda: desk.retry(rollout, by=by),
            "skip": lambda: desk.skip(rollout, failed, by=by, why=why),
            "abort": lambda: desk.abort(rollout, by=by, why=why),
            "rollback": lambda: desk.roll_back(rollout, by=by, why=why),
        }
        if command not in commands:
            raise ConflictError(
                f"{command[:40]!r} is no command of a rollout", mend=f"Use {', '.join(commands)}"
            )
        commands[command]()
        self.look()

    def points(self, rollout: str, *, gate: int) -> Sequence[Point]:
        kept = self._curves.of(rollout, gate)
        return [*kept, *progress.last_point(self._desk.history(rollout), gate, kept)]

    def version(self) -> str:
        return self._version

    def look(self) -> None:
        """Note what the gates have shown, and whether anything changed that a page shows."""
        told: list[object] = [self._desk.stopped()]
        for each in self._desk.rollouts():
            told.append((each.rollout, each.events))
            gate = self._desk.gate(each.rollout) if self._is_drawn(each) else None
            if gate is not None:
                point = self._point(gate)
                self._curves.note(each.rollout, point)
                told.append((point.gate, point.frames, point.against))
        for box in self._desk.boxes():
            report = box.heard.report
            told.append((box.heard.box, box.heard.live, tuple(box.wanted.items())))
            if report is not None:
                told.append(
                    (report.step, report.sequence, report.progress_bytes, str(report.running))
                )
                told.append((report.staged, str(report.trouble)))
        self._version = hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    def _is_drawn(self, rollout: Rollout) -> bool:
        """While it is under way, and once more after its gate ended it."""
        if rollout.phase not in (Phase.RETURNING, Phase.RETURNED):
            return rollout.under_way
        is_new = rollout.rollout not in self._ended
        self._ended.add(rollout.rollout)
        return is_new

    async def watch(self) -> None:
        """Look once a second, for as long as the hub runs."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(_LOOK_S)

    def _point(self, gate: GateView) -> Point:
        frames = sum(
            max((each[0] for each in counts.values()), default=0) for counts in gate.counts.values()
        )
        certified = gate.decision.certified.values()
        now_us = int(self._clock.now().timestamp() * 1_000_000)
        return Point(
            now_us, gate.number, frames, gate.decision.against, min(certified, default=1.0)
        )

    def _fleet(self) -> Fleet:
        return {each.heard.box.device: each.heard for each in self._desk.boxes()}

    def _row(self, state: Rollout, fleet: Fleet) -> RolloutRow:
        if state.phase in ENDED:
            return progress.ended_row(state)
        gate = self._desk.gate(state.rollout) if state.under_way else None
        return progress.row_of(state, _boxes(state, fleet, gate), gate)

    def _warnings(self, plan: Plan, waves: Sequence[PreviewWave]) -> list[Reason]:
        fleet = self._fleet()
        asked = [device for wave in waves for device in wave.boxes]
        away = sum(not fleet[device].live for device in asked if device in fleet)
        has_it = sum(
            each.report is not None and each.report.running.get(plan.lane) == plan.candidate
            for each in (fleet[device] for device in asked if device in fleet)
        )
        found: list[Reason] = []
        if not asked:
            found.append(Reason("ota_plan_nobody"))
        elif len(waves[0].boxes) < min(_FEW, len(asked)):
            found.append(Reason("ota_plan_few", {"n": len(waves[0].boxes)}))
        if away:
            found.append(Reason("ota_plan_away", {"n": away}))
        if has_it:
            found.append(Reason("ota_plan_has_it", {"n": has_it}))
        if not plan.shadow:
            found.append(Reason("ota_plan_no_shadow"))
        if any(not wave.certify for wave in plan.waves):
            found.append(Reason("ota_plan_not_certified"))
        return found


def _boxes(state: Rollout, fleet: Fleet, gate: GateView | None) -> tuple[RolloutBox, ...]:
    """By wave and name; those that stand by last."""
    rows = [
        progress.box_of(state, member, fleet.get(member.device), gate)
        for member in state.members.values()
    ]
    return tuple(sorted(rows, key=lambda box: (box.wave or len(rows) + 1, box.cell, box.device)))
