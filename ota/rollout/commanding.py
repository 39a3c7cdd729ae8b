"""May this be commanded now, and what happens then? Pure: people's commands as events."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from contracts.errors import BadInputError, ConflictError, ForbiddenError
from contracts.reason import Reason
from ota.rollout import events as e
from ota.rollout.state import Phase, Rollout

MOST_WHY = 1000


def approve(state: Rollout, *, by: str, note: str, second_person: bool) -> list[e.Event]:
    """Raises ConflictError, ForbiddenError for whoever drafted it where two people are asked for."""
    _in(state, Phase.DRAFT)
    if second_person and by == state.drafted_by:
        raise ForbiddenError(
            f"{by} drafted rollout {state.rollout}", mend="Somebody else approves it"
        )
    return [e.Approved(note)]


def cancel(state: Rollout, *, why: str) -> list[e.Event]:
    _in(state, Phase.DRAFT, Phase.APPROVED)
    return [e.Cancelled(why)]


def pause(state: Rollout, *, why: str) -> list[e.Event]:
    _under_way(state)
    return [] if state.paused else [e.Paused(why)]


def resume(state: Rollout, *, why: str) -> list[e.Event]:
    _under_way(state)
    return [e.Resumed(why)] if state.paused else []


def abort(state: Rollout, *, by: str, why: str, emergency: bool = False) -> list[e.Event]:
    """Every box back. Raises ConflictError, BadInputError without a reason."""
    if state.phase in (Phase.DRAFT, Phase.APPROVED):
        return [e.Cancelled(said(why))]
    if state.phase is Phase.RETURNING and emergency and not state.emergency and state.why:
        return [e.Aborted(state.why, emergency=True)]
    _under_way(state)
    code = "ota_stopped_by" if emergency else "ota_aborted_by"
    return [e.Aborted(Reason(code, {"by": by, "why": said(why)}), emergency)]


def retry(state: Rollout, boxes: Sequence[str]) -> list[e.Event]:
    """Ask failed boxes once more: those named, or all. Raises ConflictError, BadInputError."""
    _under_way(state)
    wanted = tuple(boxes) or tuple(sorted(state.failed))
    if foreign := [box for box in wanted if box not in state.failed]:
        raise BadInputError(
            f"{', '.join(foreign)} did not fail in rollout {state.rollout}",
            mend="Name boxes that failed, or none for all of them",
        )
    return [e.Retried(wanted)] if wanted else []


def skip(state: Rollout, boxes: Sequence[str], *, why: str) -> list[e.Event]:
    """Go on without these boxes. Raises ConflictError, BadInputError."""
    _under_way(state)
    if foreign := [box for box in boxes if box not in state.members]:
        raise BadInputError(f"{', '.join(foreign)} are no boxes of rollout {state.rollout}")
    new = tuple(box for box in boxes if box not in state.skipped)
    return [e.Skipped(new, said(why))] if new else []


def roll_back(state: Rollout, *, newest: bool, why: str) -> list[e.Event]:
    """Take back what was done. Raises ConflictError where it is not done, or a later rollout of the
    lane is: only the newest can be taken back, one after the other.
    """
    if state.under_way:
        raise ConflictError(
            f"Rollout {state.rollout} is still under way", mend="Abort it: its boxes go back"
        )
    _in(state, Phase.DONE)
    if not newest:
        raise ConflictError(
            f"A later rollout of lane {state.plan.lane} stands on {state.rollout}",
            mend="Take that one back first",
        )
    return [e.RolledBack(said(why))]


def may(state: Rollout, *, newest: bool) -> tuple[str, ...]:
    """The commands that make sense now, for a page."""
    match state.phase:
        case Phase.DRAFT:
            return ("approve", "cancel")
        case Phase.APPROVED:
            return ("cancel",)
        case Phase.DONE:
            return ("rollback",) if newest else ()
        case _ if not state.under_way:
            return ()
        case _:
            retries = ("retry", "skip") if state.failed else ("skip",)
            return ("resume" if state.paused else "pause", "abort", *retries)


def said(why: str) -> str:
    """A reason that somebody gave. Raises BadInputError where none or a novel is."""
    why = why.strip()
    if not why or len(why) > MOST_WHY:
        raise BadInputError(
            f"This needs its reason, in {MOST_WHY} signs at most", mend="Say why, for the record"
        )
    return why


def _in(state: Rollout, *phases: Phase) -> None:
    if state.phase not in phases:
        raise _not_now(state, phases)


def _under_way(state: Rollout) -> None:
    if not state.under_way:
        raise ConflictError(
            f"Rollout {state.rollout} is {state.phase}, not under way", mend="Look at it again"
        )


def _not_now(state: Rollout, phases: Collection[Phase]) -> ConflictError:
    return ConflictError(
        f"Rollout {state.rollout} is {state.phase}; this is for one that is {' or '.join(phases)}",
        mend="Look at it again",
    )
