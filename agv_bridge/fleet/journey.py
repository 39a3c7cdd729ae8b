"""One load's journey as a time line: asked for, sent, accepted, picked up, set down. Pure.

The core's record says what happened to the stock; the steps that vehicles took say how it went.
Steps come in any order and several times over; the line is always the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.reason import Reason
from contracts.stock import TransportOrder, TransportState

STAGES = (
    TransportState.REQUESTED,
    TransportState.SENT,
    TransportState.ACCEPTED,
    TransportState.PICKED,
    TransportState.DROPPED,
)
_ENDS = {TransportState.DROPPED, TransportState.FAILED, TransportState.CANCELLED}
_RANK = {state: rank for rank, state in enumerate((*STAGES, *sorted(_ENDS - {STAGES[-1]})))}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened on the way."""

    state: TransportState
    at: datetime
    vehicle: str = ""
    reason: str = ""
    """Why, where it went wrong: a code of the catalogue."""
    load_id: str = ""
    """The load as the vehicle read it; empty where it did not read one."""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the five stages; `at` None: not reached. `lasted`: since the stage before."""

    state: TransportState
    at: datetime | None
    vehicle: str = ""
    lasted: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Journey:
    """The story of one transport order."""

    order: TransportOrder
    state: TransportState
    stages: tuple[Stage, ...]
    steps: tuple[Step, ...]
    """Everything told, oldest first."""
    troubles: tuple[Reason, ...]
    """What went wrong, each once, oldest first."""
    load_read: str
    """The load that the vehicle read; empty where it read none."""
    vehicles: tuple[str, ...]
    """Who had it, in order."""
    ended_at: datetime | None

    @property
    def read_another(self) -> bool:
        return bool(self.load_read) and self.load_read != self.order.load_id


def journey_of(order: TransportOrder, state: TransportState, steps: Iterable[Step]) -> Journey:
    """The journey as its steps tell it. `state` is the core's word for where it stands."""
    told = _in_order(steps)
    begins = {TransportState.REQUESTED, TransportState.SENT}
    current = max((n for n, each in enumerate(told) if each.state in begins), default=0)
    stages = _stages(told, told[current:])
    reasons = [(each.reason, each.vehicle) for each in told if each.reason]
    troubles = tuple(
        Reason(code, {"vehicle": vehicle, "order": order.order_id})
        for code, vehicle in dict.fromkeys(reasons)
    )
    read = [each.load_id for each in told if each.load_id]
    ends = [each.at for each in told if each.state in _ENDS]
    return Journey(
        order,
        state,
        stages,
        told,
        troubles,
        read[-1] if read else "",
        tuple(dict.fromkeys(each.vehicle for each in told if each.vehicle)),
        max(ends) if ends and state in _ENDS else None,
    )


def _in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """By time, then by stage; the same step told twice is one, the fuller telling counts."""
    fullest: dict[tuple[TransportState, str, datetime], Step] = {}
    for each in steps:
        key = (each.state, each.vehicle, each.at)
        before = fullest.get(key)
        if before is None or _fullness(each) > _fullness(before):
            fullest[key] = each
    return tuple(sorted(fullest.values(), key=lambda each: (each.at, _RANK[each.state])))


def _fullness(step: Step) -> tuple[int, str, str, str]:
    told = (step.reason, step.load_id, step.place)
    return (sum(map(bool, told)), *told)


def _stages(told: Sequence[Step], current: Sequence[Step]) -> tuple[Stage, ...]:
    """Stages of the vehicle that has the order now: what an earlier one did is in the steps."""
    stages: list[Stage] = []
    before: datetime | None = None
    for state in STAGES:
        source = told if state is STAGES[0] else current
        found = next((each for each in source if each.state is state), None)
        at = found.at if found is not None else None
        lasted = at - before if at is not None and before is not None else None
        vehicle = found.vehicle if found is not None else ""
        stages.append(
            Stage(state, at, vehicle, max(lasted, timedelta()) if lasted is not None else None)
        )
        before = at or before
    return tuple(stages)
