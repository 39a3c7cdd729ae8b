"""What the agent does next: a pure decision over what is assigned, what is here and what runs.

In this order: away from what turned out bad, the emergency stop, back or over to what is assigned,
what runs beside, proving, fetching. A step towards something new needs both planes, files that are
not expired, a clock above its floor and an assignment in its time; a step back needs none of them,
only the set itself, which is always kept (I5, I6).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from contracts.ota import LANES, Assignment, BoxStep, Shadow
from contracts.reason import Reason
from ota.agent.handover import INSTALLATION, Active
from ota.agent.steps.state import Refusal


@dataclass(frozen=True, slots=True)
class Switch:
    """Let lanes run other sets, all at once."""

    to: Mapping[str, str]
    why: Reason


@dataclass(frozen=True, slots=True)
class Follow:
    """Nothing else runs, only what is beside it or kept has changed."""

    shadow: tuple[Shadow, ...]
    keep: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prove:
    lane: str
    digest: str


@dataclass(frozen=True, slots=True)
class Fetch:
    lane: str
    digest: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """The image plane's signed files anew: those at hand do not let the next step be taken."""

    why: Reason


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do; `blocked`: why the next step may not be taken, by what it is about."""

    blocked: Mapping[str, Reason] = field(default_factory=dict)


Step = Switch | Follow | Prove | Fetch | Refresh | Rest


@dataclass(frozen=True, slots=True)
class View:
    """All that a decision looks at. Digests are `sha256:` and 64 hex digits.

    `installed`: the installation's set by lane. `named`: lanes for which the image plane names a
    digest. `stale`: by lane, why nothing new of it may begin. `clock`: why the clock is not
    believed. `at_us` is the later of clock and floor.
    """

    assignment: Assignment | None
    active: Active
    installed: Mapping[str, str]
    held: Collection[str]
    proven: Collection[str]
    refused: Mapping[str, Refusal]
    named: Collection[tuple[str, str]]
    stale: Mapping[str, Reason]
    clock: Reason | None
    at_us: int
    may_refresh: bool = True
    """Whether asking for signed files once more is not too soon after the last time."""


def decide(view: View) -> Step:
    """The next step; the same view always gives the same."""
    if away := _away(view):
        return away
    assignment = view.assignment
    if assignment is None:
        return Rest()
    if assignment.stop:
        return _stop(view, assignment)
    blocked: dict[str, Reason] = {}
    over = _over(view, assignment, blocked)
    if isinstance(over, Switch):
        return over
    return _follow(view, assignment) or over or _bring(view, assignment, blocked) or Rest(blocked)


def _away(view: View) -> Switch | None:
    """From sets that failed on probation, also when the agent died before it could go back."""
    back: dict[str, str] = {}
    why = Reason("ota_returned")
    for lane, each in view.active.lanes.items():
        refusal = view.refused.get(each.model_set)
        if refusal is not None and refusal.step is BoxStep.RETURNED:
            back[lane] = _before(view, lane)
            why = refusal.reason
    return Switch(back, why) if back else None


def _before(view: View, lane: str) -> str:
    """The previous set, unless it is no longer good for anything: then the installation's."""
    previous = view.active.lanes[lane].previous
    known = own(view, lane, previous) == INSTALLATION or previous in view.held
    return previous if known and previous not in view.refused else INSTALLATION


def own(view: View, lane: str, digest: str) -> str:
    """`digest`, or INSTALLATION where it is the installation's own set of the lane."""
    return INSTALLATION if digest == view.installed.get(lane) else digest


def _stop(view: View, assignment: Assignment) -> Step:
    to: dict[str, str] = {}
    for lane, each in view.active.lanes.items():
        ours = bool(each.rollout) and each.rollout == assignment.rollout
        wanted = own(view, lane, assignment.run.get(lane, each.model_set))
        if (lane not in assignment.run and ours) or not _may_run(view, assignment, lane, wanted):
            wanted = _before(view, lane) if ours else each.model_set
        if wanted != each.model_set:
            to[lane] = wanted
    if to:
        return Switch(to, Reason("ota_stopped", {"rollout": assignment.rollout}))
    if view.active.shadow:
        return Follow((), _kept(view, assignment))
    return Rest()


def _may_run(view: View, assignment: Assignment, lane: str, digest: str) -> bool:
    """Whether a lane may run a set under an emergency stop: haste is a reason to go back, none to
    begin something that was not proven here, or that the image plane does not name any more.
    """
    if digest == view.active.digest(lane):
        return True
    if digest in view.refused:
        return False
    if digest == INSTALLATION or _is_previous(view, lane, digest):
        return True
    ready = digest in view.held and digest in view.proven and (lane, digest) in view.named
    return ready and lane not in view.stale and not _not_now(view, assignment)


def _over(view: View, assignment: Assignment, blocked: dict[str, Reason]) -> Step | None:
    """To what is assigned: back at once, on to something new only together and when all may."""
    why = Reason("ota_assigned", {"rollout": assignment.rollout})
    back, new = _differing(view, assignment)
    if back:
        return Switch(back, why)
    if not new or any(each not in view.held or each not in view.proven for each in new.values()):
        return None
    if reason := _not_now(view, assignment):
        blocked.update(reason)
        return None
    for lane, digest in new.items():
        unnamed = Reason("ota_not_in_image_plane", {"lane": lane, "set": digest})
        reason_of_files = view.stale.get(lane) if (lane, digest) in view.named else unnamed
        if reason_of_files is not None:
            blocked["metadata"] = reason_of_files
            return Refresh(reason_of_files) if view.may_refresh else None
    return Switch(new, why)


def _differing(view: View, assignment: Assignment) -> tuple[dict[str, str], dict[str, str]]:
    """Lanes that are to go back to what they ran before, and those that are to run something new."""
    back: dict[str, str] = {}
    new: dict[str, str] = {}
    for lane, wanted_set in sorted(assignment.run.items()):
        digest = own(view, lane, wanted_set)
        same = lane not in LANES or digest == view.active.digest(lane)
        if same or is_left_alone(view, assignment, digest):
            continue
        is_back = digest == INSTALLATION or _is_previous(view, lane, digest)
        (back if is_back else new)[lane] = digest
    return back, new


def _is_previous(view: View, lane: str, digest: str) -> bool:
    each = view.active.lanes.get(lane)
    return each is not None and each.previous == digest and digest in view.held


def _not_now(view: View, assignment: Assignment) -> dict[str, Reason]:
    if view.clock is not None:
        return {"clock": view.clock}
    if view.at_us > assignment.not_after_us:
        told = {"not_after_us": assignment.not_after_us, "at_us": view.at_us}
        return {"assignment": Reason("ota_assignment_expired", dict(told))}
    return {}


def is_left_alone(view: View, assignment: Assignment, digest: str) -> bool:
    """Whether this box refused the set, and nobody asked it since to try once more."""
    refusal = view.refused.get(digest)
    if refusal is None:
        return False
    another = bool(assignment.rollout) and assignment.rollout != refusal.rollout
    return not another and assignment.attempts <= refusal.attempts


def wanted(view: View, assignment: Assignment) -> list[tuple[str, str]]:
    """Lanes and sets that must stand here proven, the most urgent first; none that the installation
    brings, and none that is left alone.
    """
    asked = [*assignment.run.items(), *assignment.stage.items()]
    asked += [(each.lane, each.model_set) for each in assignment.shadow]
    found: dict[tuple[str, str], None] = {}
    for lane, digest in asked:
        mine = own(view, lane, digest)
        if lane in LANES and mine != INSTALLATION and not is_left_alone(view, assignment, mine):
            found[lane, mine] = None
    return list(found)


def _bring(view: View, assignment: Assignment, blocked: dict[str, Reason]) -> Step | None:
    missing = wanted(view, assignment)
    for lane, digest in missing:
        if digest in view.held and digest not in view.proven:
            return Prove(lane, digest)
    for lane, digest in missing:
        if digest in view.held:
            continue
        if (lane, digest) in view.named:
            return Fetch(lane, digest)
        blocked[digest] = Reason("ota_not_in_image_plane", {"lane": lane, "set": digest})
        if view.may_refresh:
            return Refresh(blocked[digest])
    return None


def _follow(view: View, assignment: Assignment) -> Follow | None:
    shadow = tuple(each for each in assignment.shadow if _can_run_beside(view, assignment, each))
    keep = _kept(view, assignment)
    if (shadow, keep) == (view.active.shadow, view.active.keep):
        return None
    return Follow(shadow, keep)


def _can_run_beside(view: View, assignment: Assignment, each: Shadow) -> bool:
    digest = own(view, each.lane, each.model_set)
    ready = digest == INSTALLATION or (digest in view.held and digest in view.proven)
    return each.lane in LANES and ready and not is_left_alone(view, assignment, digest)


def _kept(view: View, assignment: Assignment) -> tuple[str, ...]:
    return tuple(each for each in assignment.keep if each in view.held)
