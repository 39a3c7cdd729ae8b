"""What a station's journal says of each product's profile: pure, the same at the station and the hub.

A product's profile changes in a chain of digests: each lesson makes a candidate out of the profile
before it, an undo takes the newest back, and a signature puts one of the chain in force. Lessons
after the one in force are pending: they may add review or hold, nothing else (I5). Going back to a
profile before the one in force sets aside what came after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from contracts.events import (
    DefectTaught,
    EventBody,
    LessonUndone,
    ProfileActivated,
    ProfileEnrolled,
)

ProfileBody = DefectTaught | LessonUndone | ProfileEnrolled | ProfileActivated


class StepState(StrEnum):
    PENDING = "pending"
    """Adds review or hold; waits for the quality lead."""
    IN_FORCE = "in_force"
    UNDONE = "undone"
    SET_ASIDE = "set_aside"
    """An earlier or another profile was signed instead."""


_STANDING = frozenset({StepState.PENDING, StepState.IN_FORCE})


@dataclass(frozen=True, slots=True)
class Step:
    """One candidate and what it came from. `before` is empty for an enrolment."""

    at: datetime
    seq: int
    operator: str
    before: str
    after: str
    file: str
    """SHA-256 of the candidate's file."""
    lesson: str
    """`miss`, `false_alarm` or `enrolled`."""
    defect: str = ""
    carton_id: str = ""
    picture: str = ""
    good_items: int = 0
    state: StepState = StepState.PENDING
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Activation:
    at: datetime
    digest: str
    file: str
    before: str
    signed_by: str
    reason: str
    serial: int


@dataclass(frozen=True, slots=True)
class ProductHistory:
    """One product at one station. `steps` and `activations` oldest first, nothing left out."""

    station: str
    gtin: str
    base: str = ""
    """The profile that the standing chain began from; empty where it began with an enrolment."""
    active: str = ""
    """The profile in force as far as the journal tells; empty before the first signature."""
    steps: tuple[Step, ...] = ()
    activations: tuple[Activation, ...] = ()

    @property
    def standing(self) -> tuple[Step, ...]:
        """The chain as it stands: what is in force and what is pending."""
        return tuple(step for step in self.steps if step.state in _STANDING)

    @property
    def pending(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.state is StepState.PENDING)

    @property
    def tip(self) -> Step | None:
        """The candidate: the newest pending step."""
        pending = self.pending
        return pending[-1] if pending else None

    @property
    def serial(self) -> int:
        """The highest serial put in force."""
        return max((each.serial for each in self.activations), default=0)


@dataclass(slots=True)
class Histories:
    """Takes entries one by one; `products` is what they amount to."""

    products: dict[tuple[str, str], ProductHistory] = field(default_factory=dict)

    def take(self, body: EventBody, *, at: datetime, seq: int) -> None:
        """Entries about something else are passed over."""
        if isinstance(body, DefectTaught | LessonUndone | ProfileEnrolled | ProfileActivated):
            place = (body.station, body.gtin)
            known = self.products.get(place) or ProductHistory(*place)
            self.products[place] = after(known, body, at=at, seq=seq)

    def of(self, station: str, gtin: str) -> ProductHistory:
        return self.products.get((station, gtin)) or ProductHistory(station, gtin)


def after(known: ProductHistory, body: ProfileBody, *, at: datetime, seq: int) -> ProductHistory:
    """A product's history with one more entry."""
    match body:
        case DefectTaught():
            return _taught(known, body, at, seq)
        case ProfileEnrolled():
            return _enrolled(known, body, at, seq)
        case LessonUndone():
            return _undone(known, body)
        case ProfileActivated():
            return _activated(known, body, at)


def _taught(known: ProductHistory, body: DefectTaught, at: datetime, seq: int) -> ProductHistory:
    step = Step(
        at=at,
        seq=seq,
        operator=body.operator,
        before=body.before,
        after=body.after,
        file=body.candidate,
        lesson=body.lesson,
        defect=body.defect,
        carton_id=body.carton_id,
        picture=body.picture,
    )
    standing = known.standing
    if not standing:
        # Only what may judge, or stands in the chain, can be taught: this profile judges.
        known = replace(known, active=known.active or body.before)
    if standing and body.before in {known.base, *(each.after for each in standing)}:
        return replace(known, steps=(*known.steps, step))
    # A chain that nothing here leads to: its beginning was put in place by hand, or is a profile
    # that another station's lessons made.
    aside = _set_aside(known.steps, body.operator, states=_STANDING)
    return replace(known, base=body.before, steps=(*aside, step))


def _enrolled(
    known: ProductHistory, body: ProfileEnrolled, at: datetime, seq: int
) -> ProductHistory:
    step = Step(
        at=at,
        seq=seq,
        operator=body.operator,
        before="",
        after=body.digest,
        file=body.candidate,
        lesson="enrolled",
        picture=next((each.sha256 for each in body.evidence if each.kind != "profile"), ""),
        good_items=body.good_items,
    )
    aside = _set_aside(known.steps, body.operator, states={StepState.PENDING})
    return replace(known, steps=(*aside, step))


def _undone(known: ProductHistory, body: LessonUndone) -> ProductHistory:
    steps = tuple(
        replace(step, state=StepState.UNDONE, ended_by=body.operator)
        if step.state is StepState.PENDING and step.after == body.before
        else step
        for step in known.steps
    )
    return replace(known, steps=steps)


def _activated(known: ProductHistory, body: ProfileActivated, at: datetime) -> ProductHistory:
    entry = Activation(
        at, body.after, body.file, body.before, body.signed_by, body.reason, body.serial
    )
    standing = known.standing
    places = [known.base, *(step.after for step in standing)]
    now = places.index(body.after) if body.after in places else None
    was = places.index(known.active) if known.active in places else 0
    reached = 0
    steps: list[Step] = []
    for step in known.steps:
        if step.state not in _STANDING:
            steps.append(step)
            continue
        reached += 1
        if now is not None and reached <= now:
            steps.append(replace(step, state=StepState.IN_FORCE))
        elif now is None or now < was:
            steps.append(replace(step, state=StepState.SET_ASIDE, ended_by=body.signed_by))
        else:
            steps.append(step)
    return replace(
        known,
        base=body.after if now is None else known.base,
        active=body.after,
        steps=tuple(steps),
        activations=(*known.activations, entry),
    )


def _set_aside(
    steps: Iterable[Step], by: str, *, states: Collection[StepState]
) -> tuple[Step, ...]:
    return tuple(
        replace(step, state=StepState.SET_ASIDE, ended_by=by) if step.state in states else step
        for step in steps
    )
