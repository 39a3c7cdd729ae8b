"""What each box shall do, derived from the rollouts and nothing else: no assignment is ever edited.

In each lane the newest rollout that concerns a box speaks for it: under way by its phase, done for
its candidate, taken back for the set before. Where none does, the lane is not named and stays as it
is. A box is told to run a set only once it said that it holds it, proven; until then to stage it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from contracts.ota import Shadow
from ota.rollout.boxes import Heard
from ota.rollout.choosing import fits
from ota.rollout.events import STANDS_BY, Member, Role
from ota.rollout.plan import SHADOWED
from ota.rollout.standing import holds
from ota.rollout.state import Phase, Rollout

OWN = ""
"""As a digest to run: the set that came with the installation."""
_RETURNS = frozenset({Phase.RETURNING, Phase.RETURNED})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an assignment says of sets. `attempts` grows when the box is asked once more for the
    same: then the assignment is made out anew.
    """

    stage: dict[str, str] = field(default_factory=dict)
    run: dict[str, str] = field(default_factory=dict)
    shadow: tuple[Shadow, ...] = ()
    keep: tuple[str, ...] = ()
    rollout: str = ""
    stop: bool = False
    attempts: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.stage or self.run or self.shadow or self.keep or self.stop)


@dataclass(frozen=True, slots=True)
class Voice:
    """A rollout that says something, with what does not depend on the box. `touched`: the cells
    that its waves have come to; `open`: whether boxes may begin to run something new now.
    """

    state: Rollout
    touched: frozenset[str]
    open: bool = True
    withdrawn: bool = False


def voices(
    rollouts: Iterable[Rollout],
    *,
    closed: Collection[str] = (),
    withdrawn: Collection[str] = (),
) -> list[Voice]:
    """For many boxes at once, in the order given; `closed`: rollouts outside of their windows,
    `withdrawn`: digests that no box is told to run any more, but those that do already go on.
    """
    return [
        Voice(
            state,
            frozenset(
                member.cell for member in state.members.values() if 0 <= member.wave <= state.wave
            ),
            open=not state.paused and state.rollout not in closed,
            withdrawn=state.plan.candidate in withdrawn,
        )
        for state in rollouts
    ]


def wanted(heard: Heard, said: Sequence[Voice], *, pinned: Iterable[str] = ()) -> Wanted:
    """What this box shall do. `said` newest first; `pinned`: digests under which batches are judged
    that are still open.
    """
    made = _Made(heard)
    for voice in said:
        if voice.state.plan.lane not in made.settled:
            made.ask(voice)
    return made.wanted(pinned)


class _Made:
    """An assignment while it is put together, lane by lane."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._stage: dict[str, str] = {}
        self._run: dict[str, str] = {}
        self._shadow: list[Shadow] = []
        self._keep: set[str] = set()
        self._rollout = ""
        self._stop = False
        self._attempts = 0
        self._fallen: set[str] = set()
        self.settled: set[str] = set()

    def ask(self, voice: Voice) -> None:
        """Let one rollout speak for its lane."""
        state = voice.state
        member = state.members.get(self._heard.box.device)
        if state.phase is Phase.DONE:
            self._done(voice, member)
        elif member is None:
            return
        elif state.phase in _RETURNS:
            self._return(state, member)
        elif state.under_way:
            self._go_on(voice, member)

    def wanted(self, pinned: Iterable[str]) -> Wanted:
        self._run.update(dict.fromkeys(self._fallen - self.settled, OWN))
        named = {*self._stage.values(), *self._run.values()}
        keep = sorted({*self._keep, *pinned} - named - {OWN})
        return Wanted(
            self._stage,
            self._run,
            tuple(self._shadow),
            tuple(keep),
            self._rollout,
            self._stop,
            self._attempts,
        )

    def _done(self, voice: Voice, member: Member | None) -> None:
        state = voice.state
        whole = state.plan.waves[-1].percent >= 100  # noqa: PLR2004 -- percent
        newcomer = member is None and whole and fits(state.plan.scope, self._heard.box)
        if newcomer or (member is not None and member.wave != STANDS_BY):
            self._bring(voice)

    def _return(self, state: Rollout, member: Member) -> None:
        lane, before = state.plan.lane, member.before
        if state.phase is Phase.RETURNING:
            self._rollout = self._rollout or state.rollout
            self._stop = self._stop or state.emergency
        if not before:
            # It came with the candidate already: what the fleet had before is older rollouts' word.
            self._fallen.add(lane)
            return
        self.settled.add(lane)
        # Whoever only shared a cell, or was not reached yet, runs what it ran all along.
        if state.ran_anywhere or self._running(lane) != before:
            self._run[lane] = before

    def _go_on(self, voice: Voice, member: Member) -> None:
        state = voice.state
        if member.cell not in voice.touched or member.device in state.skipped:
            return
        lane = state.plan.lane
        self._rollout = self._rollout or state.rollout
        self._attempts += state.retries.get(member.device, 0)
        if member.wave >= 0 and (member.wave, member.cell) in state.begun:
            self._bring(voice)
            self._watch(state, member)
        else:
            self._stage[lane] = state.plan.candidate
            self.settled.add(lane)
            self._look(state, member)
        if member.before:
            self._keep.add(member.before)

    def _bring(self, voice: Voice) -> None:
        """Run it where it is held, else fetch it first. Who runs it already is not stopped by a
        pause or the end of a window; nobody begins then.
        """
        lane, candidate = voice.state.plan.lane, voice.state.plan.candidate
        self.settled.add(lane)
        runs = self._running(lane) == candidate
        if runs or (voice.open and not voice.withdrawn and holds(self._heard, lane, candidate)):
            self._run[lane] = candidate
        elif not voice.withdrawn:
            self._stage[lane] = candidate

    def _look(self, state: Rollout, member: Member) -> None:
        """The candidate beside the running set, from the moment that the gate is open."""
        gate = state.gate
        shown = gate is not None and gate.role is Role.SHADOW and gate.wave == state.wave
        if shown and gate is not None and member.device in gate.boxes:
            self._shadow.append(Shadow(state.rollout, state.plan.lane, state.plan.candidate))

    def _watch(self, state: Rollout, member: Member) -> None:
        """The set before beside the candidate, until the wave is done."""
        plan, gate = state.plan, state.gate
        looked_at = gate is not None and gate.wave == state.wave and member.device in gate.boxes
        if looked_at and plan.watch and plan.lane in SHADOWED and member.before:
            self._shadow.append(Shadow(state.rollout, plan.lane, member.before))

    def _running(self, lane: str) -> str:
        report = self._heard.report
        return report.running.get(lane, "") if report is not None else ""
