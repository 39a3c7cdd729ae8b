"""Routes of devices that work offline: what to carry, their logs, and what the logs dispute (I6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from contracts.device_log import LogEntry
from contracts.stock import BatchKey
from erp_link.api.paging import Paged
from erp_link.api.shapes import Key
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.service.core import Core
from erp_link.service.merge.carrying import Carry, Dispute, OfflineDevice, Unconfirmed
from erp_link.service.merge.desk import OfflineLogs
from erp_link.service.merge.logbook import Standing, Uploaded


@dataclass(frozen=True, slots=True)
class DeviceIn:
    """`public_key` is the raw Ed25519 key in lower-case hex; it stays the device's for ever."""

    device: str
    public_key: str


@dataclass(frozen=True, slots=True)
class ReasonIn:
    reason: str


@dataclass(frozen=True, slots=True)
class LogsIn:
    """Entries of one or several devices, in any order; sent again they change nothing."""

    entries: tuple[LogEntry, ...]


@dataclass(frozen=True, slots=True)
class RecountIn:
    """`counted`: units of the batch in the place, in base units."""

    batch: BatchKey
    location: str
    counted: int


@dataclass(frozen=True, slots=True)
class ConfirmIn:
    """`quantity` in base units; 0 confirms all that waits there."""

    batch: BatchKey
    location: str
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class Confirmed:
    quantity: int


def add_to(
    api: APIRouter,
    core_provider: Callable[[], Core],
    policy: DecisionPolicy,
    *,
    reader: Any,
    worker: Any,
    quality: Any,
) -> None:
    """Add the routes. A device has the roles of the person who enrols it: a release counts where
    that is quality, and as far as `policy` lets it.
    """

    def desk(core: Core = Depends(core_provider)) -> OfflineLogs:  # noqa: B008 -- FastAPI's way
        return OfflineLogs(core, policy)

    needs_desk = Depends(desk)
    _add_devices(api, needs_desk, reader, worker, quality)
    _add_logs(api, needs_desk, worker)
    _add_tasks(api, needs_desk, reader, worker)


def _add_devices(api: APIRouter, needs_desk: Any, reader: Any, worker: Any, quality: Any) -> None:
    @api.get("/offline/devices", tags=["offline"], dependencies=[reader])
    def devices(page: Paged, desk: OfflineLogs = needs_desk) -> list[OfflineDevice]:
        """Devices that keep a log, and those that sent one without being enrolled."""
        return page.cut(desk.devices(), lambda each: (each.device,))

    @api.post("/offline/devices", tags=["offline"], status_code=201)
    def enrol(
        body: DeviceIn, key: Key = None, desk: OfflineLogs = needs_desk, who: Any = worker
    ) -> OfflineDevice:
        """Enrol the device that you hold. The same key again renews its roles; another key for the
        same device is refused (`other_key`).
        """
        roles = sorted(str(role) for role in who.roles)
        return desk.enrol(body.device, body.public_key, roles=roles, by=who.name, key=key)

    @api.post("/offline/devices/{device}/readmit", tags=["offline"])
    def readmit(
        device: str,
        body: ReasonIn,
        key: Key = None,
        desk: OfflineLogs = needs_desk,
        who: Any = quality,
    ) -> OfflineDevice:
        """Somebody has looked into a quarantined device: its word counts again."""
        return desk.readmit(device, reason=body.reason, by=who.name, key=key)


def _add_logs(api: APIRouter, needs_desk: Any, worker: Any) -> None:
    @api.get("/offline/carry", tags=["offline"], dependencies=[worker])
    def carry(
        device: Annotated[str, Query(max_length=64)],
        location: Annotated[list[str] | None, Query(max_length=500)] = None,
        desk: OfflineLogs = needs_desk,
    ) -> Carry:
        """What to take along: stock (of some locations), open holds, the device's quotas, and where
        its log goes on. The device writes `version` and `seen` down in a `carried` entry.
        """
        return desk.carry(device, location or ())

    @api.post("/offline/logs", tags=["offline"])
    def upload(body: LogsIn, desk: OfflineLogs = needs_desk, who: Any = worker) -> Uploaded:
        """Send what was written offline. Answered when it is kept and booked; an entry that is not
        its device's own is kept, told under `refused` with its code, and stops nothing beside it.
        """
        return desk.upload(body.entries, by=who.name)

    @api.get("/offline/logs/{device}", tags=["offline"], dependencies=[worker])
    def standing(device: str, desk: OfflineLogs = needs_desk) -> Standing:
        """How far a device's log has come, and which number is missing."""
        return desk.standing(device)


def _add_tasks(api: APIRouter, needs_desk: Any, reader: Any, worker: Any) -> None:
    @api.get("/offline/conflicts", tags=["offline"], dependencies=[reader])
    def conflicts(
        page: Paged, *, open_only: bool = True, desk: OfflineLogs = needs_desk
    ) -> list[Dispute]:
        """What came in and contradicts itself or the books, with every side, newest first."""
        return page.cut(desk.disputes(open_only=open_only), lambda each: (each.conflict_id,))

    @api.post("/offline/recounts", tags=["offline"], status_code=204)
    def recount(
        body: RecountIn, key: Key = None, desk: OfflineLogs = needs_desk, who: Any = worker
    ) -> None:
        """A bin was counted again: that settles what counts disagreed on."""
        desk.recount(body.batch, body.location, body.counted, by=who.name, key=key)

    @api.get("/offline/unconfirmed", tags=["offline"], dependencies=[reader])
    def unconfirmed(page: Paged, desk: OfflineLogs = needs_desk) -> list[Unconfirmed]:
        """Goods that were seen offline and wait in inspection."""
        return page.cut(desk.unconfirmed(), lambda each: (str(each.batch), each.location))

    @api.post("/offline/confirmations", tags=["offline"])
    def confirm(
        body: ConfirmIn, key: Key = None, desk: OfflineLogs = needs_desk, who: Any = worker
    ) -> Confirmed:
        """Goods that were seen offline are what they seemed: they leave inspection. What a hold or
        a finding speaks of stays blocked; what needs an acceptance waits for it.
        """
        units = desk.confirm(
            body.batch, body.location, quantity=body.quantity, by=who.name, key=key
        )
        return Confirmed(units)
