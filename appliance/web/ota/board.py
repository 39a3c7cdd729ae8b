"""What the list of boxes says of each one: its condition, who runs what, which rows a filter shows.

Pure. A box whose set differs from the one it should run drifts, unless it is on its way there now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from appliance.web.ota.rows import BoxRow, SetName
from contracts.ota import LANES, BoxStep


class Condition(StrEnum):
    """How a box is, the worst that is true of it."""

    LOCKED_OUT = "locked_out"
    QUARANTINED = "quarantined"
    FAILED = "failed"
    RETURNED = "returned"
    DRIFTS = "drifts"
    OFFLINE = "offline"
    UPDATING = "updating"
    NEW = "new"
    AS_DESIRED = "as_desired"


SHOWS: Final = ("all", "drift", "trouble", "updating", "offline", "locked")
_ON_ITS_WAY: Final = frozenset({BoxStep.FETCHING, BoxStep.PROVING, BoxStep.STAGED})
_TROUBLED: Final = frozenset({Condition.FAILED, Condition.RETURNED})
_LOCKED: Final = frozenset({Condition.LOCKED_OUT, Condition.QUARANTINED})
_RANK: Final = {condition: rank for rank, condition in enumerate(Condition)}


def condition(box: BoxRow) -> Condition:
    """The one word for a box: the first that is true of it."""
    said = (
        (Condition.LOCKED_OUT, box.standing == "revoked"),
        (Condition.QUARANTINED, box.standing == "quarantined"),
        (Condition.NEW, box.heard_at is None),
        (Condition.FAILED, box.step is BoxStep.FAILED),
        (Condition.RETURNED, box.step is BoxStep.RETURNED),
        (Condition.DRIFTS, drifts(box)),
        (Condition.OFFLINE, not box.online),
        (Condition.UPDATING, is_moving(box)),
        (Condition.AS_DESIRED, True),
    )
    return next(word for word, is_so in said if is_so)


def is_moving(box: BoxRow) -> bool:
    """It works on its newest assignment, or has just begun to run what it brought."""
    return box.online and (box.step in _ON_ITS_WAY or box.step is BoxStep.PROBATION)


def drifts(box: BoxRow) -> bool:
    """A lane runs something else than it should, and the box is not on its way there."""
    return not is_moving(box) and any(lane.differs for lane in box.lanes)


def fits(box: BoxRow, shown: str) -> bool:
    """Whether a box belongs to one of SHOWS."""
    now = condition(box)
    match shown:
        case "drift":
            return now not in _LOCKED and drifts(box)
        case "trouble":
            return now in _TROUBLED or bool(box.trouble)
        case "updating":
            return now is Condition.UPDATING
        case "offline":
            return now not in _LOCKED and now is not Condition.NEW and not box.online
        case "locked":
            return now in _LOCKED
        case _:
            return True


def counts(boxes: Iterable[BoxRow]) -> Counter[str]:
    """How many boxes each of SHOWS would list."""
    found: Counter[str] = Counter()
    for box in boxes:
        found.update(shown for shown in SHOWS if fits(box, shown))
    return found


def urgency(box: BoxRow) -> tuple[int, str, str]:
    """What needs a look first, the rest by cell and name: a list that hops about is no list."""
    now = condition(box)
    last = _RANK[Condition.OFFLINE] + 1
    return (min(_RANK[now], last), box.cell, box.device)


def words_of(box: BoxRow, names: Mapping[str, SetName]) -> str:
    """What a box is found by."""
    sets = " ".join(
        f"{digest} {names[digest].name} {names[digest].version}" if digest in names else digest
        for lane in box.lanes
        for digest in {lane.running, lane.desired}
        if digest
    )
    said = " ".join(reason.code for reason in box.trouble.values())
    return (
        f"{box.device} {box.cell} {box.site} {box.version} {box.step} {condition(box)} "
        f"{box.rollout} {said} {sets}"
    )


@dataclass(frozen=True, slots=True)
class Share:
    """So many boxes run one digest in a lane; `start` and `width` in thousandths of its bar."""

    digest: str
    boxes: int
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class LaneShares:
    """Who runs what in one lane, the most common first. `drifting` boxes should run another."""

    lane: str
    shares: tuple[Share, ...]
    boxes: int
    drifting: int


def shares(boxes: Sequence[BoxRow]) -> tuple[LaneShares, ...]:
    """Every lane that any box has, in the order of the lanes. Boxes that are locked out are left
    out: what they ran last is no part of the fleet.
    """
    ran: dict[str, Counter[str]] = {}
    drifting: Counter[str] = Counter()
    for box in boxes:
        if box.standing == "revoked":
            continue
        for lane in box.lanes:
            if lane.running:
                ran.setdefault(lane.lane, Counter())[lane.running] += 1
            drifting[lane.lane] += lane.differs and not is_moving(box)
    order = [*LANES, *sorted(ran.keys() - set(LANES))]
    return tuple(_shared(lane, ran[lane], drifting[lane]) for lane in order if lane in ran)


def _shared(lane: str, ran: Counter[str], drifting: int) -> LaneShares:
    total = ran.total()
    found: list[Share] = []
    start = 0.0
    for digest, boxes in sorted(ran.items(), key=lambda each: (-each[1], each[0])):
        width = 1000 * boxes / total
        found.append(Share(digest, boxes, start, width))
        start += width
    return LaneShares(lane, tuple(found), total, drifting)


def cells(boxes: Iterable[BoxRow]) -> tuple[str, ...]:
    """The cells that boxes stand in, by name."""
    return tuple(sorted({box.cell for box in boxes if box.cell}))


def sites(boxes: Iterable[BoxRow]) -> tuple[str, ...]:
    """The sites, by name."""
    return tuple(sorted({box.site for box in boxes if box.site}))
