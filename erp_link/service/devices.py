"""Device heads: every entry of a device takes effect once, in order (I2); and its health."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from contracts.errors import JournalBrokenError, JournalError
from contracts.events import CameraChanged, DeviceStarted, JournalEntry
from contracts.reason import Reason
from erp_link.adapters import tables as t
from erp_link.adapters.guards import insert_missing
from erp_link.service.work import Work

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEVICE = select(t.device).where(t.device.c.device == bindparam("wanted")).with_for_update()
_LOG = insert(t.device_log)
_ADVANCE = update(t.device).where(t.device.c.device == bindparam("wanted"))


def moment_of(entry: JournalEntry) -> datetime:
    """When the device says that it happened."""
    return _EPOCH + timedelta(microseconds=entry.at_us)


def head(connection: Connection, device: str) -> tuple[int, str]:
    """Sequence and hash of the last entry applied; (0, "") for a device not heard of."""
    row = connection.execute(
        select(t.device.c.seq, t.device.c.hash).where(t.device.c.device == device)
    ).one_or_none()
    return (0, "") if row is None else (row.seq, row.hash)


def advance(work: Work, entry: JournalEntry) -> bool:
    """Move a device's head on by one entry; False where the entry was applied before.

    Raises JournalError at a gap, and JournalBrokenError where the entry does not follow the
    head's hash or differs from the one applied under its number (a fork).
    """
    row = _locked(work, entry.device)
    if entry.seq <= row.seq:
        known = work.connection.execute(
            select(t.device_log.c.hash).where(
                t.device_log.c.device == entry.device, t.device_log.c.seq == entry.seq
            )
        ).scalar_one_or_none()
        if known == entry.hash:
            return False
        raise JournalBrokenError(
            f"Entry {entry.seq} of {entry.device} differs from the one applied before",
            mend="Two journals run under one device: quarantine it and keep its log",
            device=entry.device,
            seq=entry.seq,
        )
    if entry.seq != row.seq + 1:
        raise JournalError(
            f"Entry {entry.seq} of {entry.device} came, {row.seq + 1} is the next one",
            mend="Send the entries from the head onwards",
            device=entry.device,
            seq=entry.seq,
            expected=row.seq + 1,
        )
    if row.seq and entry.previous != row.hash:
        raise JournalBrokenError(
            f"Entry {entry.seq} of {entry.device} does not follow entry {row.seq}",
            mend="Its chain is broken: quarantine the device and keep its log",
            device=entry.device,
            seq=entry.seq,
        )
    work.connection.execute(
        _LOG,
        {"device": entry.device, "seq": entry.seq, "hash": entry.hash, "kind": entry.kind},
    )
    work.connection.execute(
        _ADVANCE,
        {
            "wanted": entry.device,
            "seq": entry.seq,
            "hash": entry.hash,
            "boot": entry.boot,
            "last_at": moment_of(entry),
            "seen_at": work.now,
        },
    )
    return True


def started(work: Work, entry: JournalEntry, body: DeviceStarted) -> None:
    """What runs on the device from this boot on."""
    work.connection.execute(
        update(t.device)
        .where(t.device.c.device == entry.device)
        .values(
            station=body.station,
            version=body.version,
            model_sets=dict(body.model_sets),
            cameras={},
        )
    )
    text = Reason("story_device_started", {"device": entry.device, "version": body.version})
    for each in (text, *body.notes):
        work.event("device", each, reference=entry.device, at=moment_of(entry))
        work.tell("device", entry.device, each)


def camera_changed(work: Work, entry: JournalEntry, body: CameraChanged) -> None:
    """A camera's state for the health page."""
    row = _locked(work, entry.device)
    state = {"state": body.state, "detail": body.detail, "at": moment_of(entry).isoformat()}
    work.connection.execute(
        update(t.device)
        .where(t.device.c.device == entry.device)
        .values(cameras={**row.cameras, body.camera: state}, station=body.station)
    )
    text = Reason("story_camera", {"camera": body.camera, "state": body.state})
    work.event("camera", text, reference=entry.device, at=moment_of(entry))
    work.tell("device", entry.device, text)


def _locked(work: Work, device: str) -> Row[Any]:
    row = work.connection.execute(_DEVICE, {"wanted": device}).one_or_none()
    if row is not None:
        return row
    new = {"device": device, "seq": 0, "hash": "", "model_sets": {}, "cameras": {}}
    work.connection.execute(insert_missing(work.connection, t.device), new)
    return work.connection.execute(_DEVICE, {"wanted": device}).one()
