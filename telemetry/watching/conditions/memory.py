"""What a condition knows, and all of it survives a restart."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum

import msgspec

from contracts.telemetry import AlarmChange, AlarmChanged
from telemetry.watching.fences import Fence

INFINITY = float("inf")
NEVER = 1 << 62
MOST_ABROAD = 1e300
"""Beyond this a float is no measurement: sums and differences of such are no numbers, and a journal
takes no alarm with them.
"""


class Phase(IntEnum):
    QUIET = 0
    WAITING = 1
    RAISED = 2


class Memory(msgspec.Struct):
    """What a condition knows: all of it survives a restart."""

    phase: Phase = Phase.QUIET
    since_us: int = 0
    heard_us: int = 0
    """Our clock when it began."""
    alarm_since_us: int = 0
    """`since_us` of the newest alarm: no two of a condition have the same."""
    turns: int = 0
    """How often the machine's clock was set back; what began twice at one time is two alarms."""
    good_us: int | None = None
    good_heard_us: int = 0
    raised_us: int = 0
    told_us: int = 0
    seen_us: int = 0
    """Newest reading since it began: an older one that comes later changes nothing but the trace."""
    steps: int = 0
    """Escalation steps that were taken."""
    silenced: bool = False
    """Somebody has acknowledged: no further escalation."""
    pause_until_us: int = 0
    value: float | None = None
    worst: float | None = None
    last: AlarmChanged | None = None
    minutes: dict[int, list[float]] = {}
    window: list[tuple[int, float]] = []


def nothing_new() -> Memory:
    """What a condition without news knows: it watches for long, and nothing was wrong."""
    return Memory(heard_us=1)


def bring_back(memory: Memory, now_us: int, rearm_us: int) -> None:
    """The machine's clock was set back to `now_us`: what stood in the future began just now.

    Minutes and steps of a time that has not come yet are no measure of anything and go; their
    readings stand in the history.
    """
    for name in ("since_us", "heard_us", "alarm_since_us", "good_heard_us", "raised_us",
                 "told_us", "seen_us"):  # fmt: skip
        setattr(memory, name, min(getattr(memory, name), now_us))
    if memory.good_us is not None:
        memory.good_us = min(memory.good_us, now_us)
    memory.pause_until_us = min(memory.pause_until_us, now_us + rearm_us)
    for start in [start for start in memory.minutes if start > now_us]:
        del memory.minutes[start]
    memory.window[:] = [each for each in memory.window if each[0] <= now_us]
    memory.turns += 1


def name_head(fence: Fence, sha256: str) -> str:
    """How the names of a fence's conditions begin: another text has other conditions."""
    return f"{fence.fence}@{fence.version}.{sha256[:12]}"


def given_up(last: AlarmChanged, now_us: int) -> AlarmChanged:
    """The end of an alarm whose fence or sensor is not there any more."""
    return replace(last, number=last.number + 1, change=AlarmChange.CLEARED, at_us=now_us, trace=())
