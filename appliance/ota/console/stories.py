"""What happened, as lines that a page can show: of a rollout, of a set, of a box. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from appliance.ota.console.moments import moment
from appliance.web.ota.rows import Happening
from ota.registry.records import SetEvent
from ota.rollout import events as e
from ota.rollout.ports import Deed

_NOT_SHOWN = (e.GateOpened,)


def told(recorded: Iterable[e.Recorded]) -> list[Happening]:
    """A rollout's history in its order."""
    return [_told(each) for each in recorded if not isinstance(each.event, _NOT_SHOWN)]


def _told(recorded: e.Recorded) -> Happening:
    event, more = recorded.event, dict[str, Any]()
    match event:
        case e.Drafted(plan):
            more = {"why": plan.why, "model_set": plan.candidate}
        case e.BoxFailed(returned=True):
            more = {"what": "box_returned"}
        case e.Aborted(emergency=True):
            more = {"what": "stopped"}
        case e.Joined(member):
            more = {"device": member.device}
        case e.CellRuns(_, cell):
            more = {"why": cell}
        case e.Retried(devices):
            more = {"why": ", ".join(devices)}
        case e.Skipped(devices, why):
            more = {"why": f"{why} ({', '.join(devices)})"}
        case e.GenerationsOpened(batches):
            more = {"number": batches}
        case _:
            pass
    return replace(_plainly(recorded), **more)


def _plainly(recorded: e.Recorded) -> Happening:
    """What most events say under the same names."""
    event: Any = recorded.event
    wave = getattr(event, "wave", None)
    return Happening(
        moment(recorded.at_us),
        e.KIND_OF[type(event)],
        by="" if recorded.who == e.SYSTEM else recorded.who,
        why=str(getattr(event, "why", "") or getattr(event, "note", "")),
        rollout=recorded.rollout,
        device=str(getattr(event, "device", "")),
        reason=getattr(event, "reason", None),
        number=wave + 1 if wave is not None else 0,
    )


def set_told(events: Iterable[SetEvent]) -> list[Happening]:
    """A set's audit trail in its order."""
    return [
        Happening(
            moment(each.at_us), f"set_{each.deed}", by=each.by, why=each.why, model_set=each.digest
        )
        for each in events
    ]


def _with(line: Happening, **values: Any) -> Happening:

    return replace(line, **values)


def fleet_told(deed: Deed) -> Happening:
    """What a person did outside of any rollout: stopped the fleet, let it go on, placed a box."""
    return Happening(
        moment(deed.at_us), f"fleet_{deed.what}", by=deed.who, why=deed.why, device=deed.about
    )
