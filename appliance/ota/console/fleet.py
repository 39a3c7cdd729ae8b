"""Who runs what: what boxes report, what the director wants, whom the hub lets in (I3, I5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from appliance.identity.admission.records import Deed, Device
from appliance.identity.admission.records import Waiting as Asking
from appliance.ota.console.moments import moment, moment_or_none
from appliance.ota.console.stories import fleet_told, set_told, told
from appliance.ota.rollouts import BoxView, RolloutDesk
from appliance.web.ota.rows import BoxPage, BoxRow, Happening, LaneRow, SetName, Span
from contracts.clock import Clock
from contracts.errors import NotFoundError
from contracts.ota import LANES, Assignment, BoxReport, BoxStep
from ota.model_set import ModelSet
from ota.registry.lanes import LANE_OF_KIND
from ota.registry.records import SetEvent, SetRecord
from ota.rollout.boxes import Box, Heard
from ota.rollout.ports import Ran

_ORDER: Final = {lane: place for place, lane in enumerate(LANES)}
_STORY: Final = 60
_TWO: Final = 2


class Sets(Protocol):
    """ota.registry.registry.Registry, as far as the console asks it."""

    def sets(self) -> Sequence[SetRecord]: ...

    def events(self, *, digest: str = "", most: int = 1000) -> Sequence[SetEvent]: ...


class Devices(Protocol):
    """appliance.identity.registry.DeviceRegistry."""

    def device(self, device: str) -> Device | None: ...

    def devices(self) -> Sequence[Device]: ...

    def heard_at(self, device: str) -> datetime | None: ...

    def readmit(self, device: str, why: str, *, by: str) -> None: ...

    def revoke(self, device: str, why: str, *, by: str) -> None: ...

    def waiting(self) -> Sequence[Asking]: ...

    def approve(self, device: str, key_id: str, *, by: str, new_machine: bool) -> None: ...

    def refuse(self, device: str, key_id: str, *, by: str, why: str) -> None: ...

    def story(self, device: str = "") -> Sequence[Deed]: ...


class FleetConsole:
    """Meets appliance.web.ota.ports.Fleet. `installed`: the sets that came with the installation."""

    def __init__(
        self,
        desk: RolloutDesk,
        sets: Sets,
        devices: Devices,
        *,
        installed: Callable[[], Iterable[ModelSet]] = tuple,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._desk = desk
        self._sets = sets
        self._devices = devices
        self._installed = installed

    def boxes(self) -> Sequence[BoxRow]:
        enrolled = {each.device: each for each in self._devices.devices()}
        views = {each.heard.box.device: each for each in self._desk.boxes()}
        unheard = [each for each in enrolled if each not in views]
        return [
            *(self._row(view, enrolled.get(name)) for name, view in views.items()),
            *(self._row(_nothing(name), enrolled[name]) for name in unheard),
        ]

    def box(self, device: str) -> BoxPage:
        known = self._devices.device(device)
        views = {each.heard.box.device: each for each in self._desk.boxes()}
        if device not in views and known is None:
            raise NotFoundError(
                f"No box {device[:80]!r} is enrolled", mend="Choose one from the list of boxes"
            )
        view = views.get(device) or _nothing(device)
        report = view.heard.report
        ran = self._desk.ran(device)
        return BoxPage(
            self._row(view, known),
            held=report.held if report else (),
            staged=report.staged if report else (),
            open_pins=report.open_pins if report else (),
            previous=_before(ran),
            spans=tuple(_span(each) for each in reversed(ran)),
            story=tuple(self._story(device, ran)),
            labels=view.heard.box.labels,
            serial=known.serial if known else "",
            key_id=known.key_id if known and known.public_key_pem else "",
            note=known.note if known else "",
            assignment=view.assignment,
        )

    def names(self) -> Mapping[str, SetName]:
        came = {
            each.digest: SetName(
                each.digest, each.name, each.version, LANE_OF_KIND.get(each.kind, ""), "installed"
            )
            for each in self._installed()
        }
        known = {
            each.digest: SetName(each.digest, each.name, each.version, each.lane, str(each.state))
            for each in self._sets.sets()
        }
        return came | known

    def stopped(self) -> Happening | None:
        if not self._desk.stopped():
            return None
        stops = [each for each in self._desk.deeds() if each.what == "stopped"]
        return fleet_told(stops[-1]) if stops else Happening(self._clock.now(), "fleet_stopped")

    def stop(self, *, by: str, why: str) -> None:
        self._desk.stop_everything(by=by, why=why)

    def clear_stop(self, *, by: str, why: str) -> None:
        self._desk.lift(by=by, why=why)

    def place(self, device: str, *, cell: str, site: str, by: str) -> None:
        known = {each.heard.box.device: each.heard.box.labels for each in self._desk.boxes()}
        self._desk.place(Box(device, cell, site, known.get(device, {})), by=by)

    def lock_out(self, device: str, *, by: str, why: str) -> None:
        self._devices.revoke(device, why, by=by)

    def readmit(self, device: str, *, by: str, why: str) -> None:
        self._devices.readmit(device, why, by=by)

    def asking(self) -> Sequence[Asking]:
        return self._devices.waiting()

    def let_in(self, device: str, key_id: str, *, by: str, new_machine: bool) -> None:
        self._devices.approve(device, key_id, by=by, new_machine=new_machine)

    def turn_away(self, device: str, key_id: str, *, by: str, why: str) -> None:
        self._devices.refuse(device, key_id, by=by, why=why)

    def audit(self) -> Sequence[Happening]:
        lines = [
            *set_told(self._sets.events()),
            *map(_membership, self._devices.story()),
            *map(fleet_told, self._desk.deeds()),
        ]
        for each in self._desk.rollouts():
            lines += told(self._desk.history(each.rollout))
        return sorted(lines, key=lambda line: line.at, reverse=True)

    def ran_at(self, at: datetime) -> Mapping[str, Mapping[str, str]]:
        at_us = int(at.timestamp() * 1_000_000)
        found: dict[str, dict[str, str]] = {}
        for each in self._desk.ran():
            if each.since_us <= at_us and (each.until_us is None or at_us < each.until_us):
                found.setdefault(each.device, {})[each.lane] = each.model_set
        return found

    def _row(self, view: BoxView, known: Device | None) -> BoxRow:
        box, report = view.heard.box, view.heard.report
        heard = moment_or_none(view.heard_us) or self._devices.heard_at(box.device)
        return BoxRow(
            box.device,
            box.cell,
            box.site,
            report.version if report else "",
            standing=str(known.state) if known else "active",
            step=report.step if report else BoxStep.IDLE,
            lanes=_lanes(report, view.assignment),
            heard_at=heard if report else None,
            online=view.heard.live,
            sequence=report.sequence if report else 0,
            wanted_sequence=view.assignment.sequence if view.assignment else 0,
            rollout=view.assignment.rollout if view.assignment else "",
            trouble=report.trouble if report else {},
            progress_bytes=report.progress_bytes if report else 0,
            wanted_bytes=report.wanted_bytes if report else 0,
            free_mb=report.free_mb if report else 0,
            certificate_ends_at=known.expires_at if known and known.certificate_pem else None,
        )

    def _story(self, device: str, ran: Sequence[Ran]) -> list[Happening]:
        lines = [
            *(Happening(moment(each.since_us), "began", model_set=each.model_set) for each in ran),
            *(replace(_membership(each), device="") for each in self._devices.story(device)),
            *(
                replace(fleet_told(each), device="")
                for each in self._desk.deeds()
                if each.about == device
            ),
        ]
        for each in self._desk.rollouts():
            history = self._desk.history(each.rollout)
            lines += [replace(line, device="") for line in told(history) if line.device == device]
        return sorted(lines, key=lambda line: line.at, reverse=True)[:_STORY]


def _nothing(device: str) -> BoxView:
    return BoxView(Heard(Box(device)), {}, (), None)


def _lanes(report: BoxReport | None, assigned: Assignment | None) -> tuple[LaneRow, ...]:
    """`run` empty for a lane: the set of the installation, whichever that is."""
    running = report.running if report else {}
    staged = report.staged if report else ()
    wanted = assigned.run if assigned else {}
    coming = assigned.stage if assigned else {}
    lanes = running.keys() | wanted.keys() | coming.keys()
    return tuple(
        LaneRow(
            lane,
            running.get(lane, ""),
            wanted.get(lane, ""),
            variant=report.variant.get(lane, "") if report else "",
            coming=coming.get(lane, ""),
            staged=(wanted.get(lane) or coming.get(lane, "")) in staged,
        )
        for lane in sorted(lanes, key=lambda lane: (_ORDER.get(lane, len(_ORDER)), lane))
    )


def _before(ran: Sequence[Ran]) -> dict[str, str]:
    """By lane the set that ran before the one that runs now; `ran` is oldest first."""
    sets: dict[str, list[str]] = {}
    for each in ran:
        sets.setdefault(each.lane, []).append(each.model_set)
    return {lane: each[-_TWO] for lane, each in sets.items() if len(each) >= _TWO}


def _span(ran: Ran) -> Span:
    return Span(
        ran.lane,
        ran.model_set,
        moment(ran.since_us),
        moment(ran.until_us) if ran.until_us is not None else None,
        variant=ran.variant,
    )


def _membership(deed: Deed) -> Happening:
    what = deed.what.partition(":")[0]  # what it asked for stands behind it, as in asked:recovery
    return Happening(deed.at, f"box_{what}", by=deed.by, why=deed.why, device=deed.device)
