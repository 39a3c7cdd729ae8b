"""Which devices keep an offline log: their keys, their roles, and whether their word counts (I4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contracts.errors import ConflictError, NotFoundError
from contracts.reason import Reason
from erp_link.adapters import merge_tables as m
from erp_link.domain.merge import conflicts as cf
from erp_link.domain.merge.conflicts import ConflictKind
from erp_link.service.merge import disputes, proving, reading
from erp_link.service.work import Work

ACTIVE, QUARANTINED, UNKNOWN, REVOKED = "active", "quarantined", "unknown", "revoked"


def device_row(work: Work, device: str, *, lock: bool = False) -> Row[Any]:
    """Raises NotFoundError."""
    return known_device(work.connection, device, lock=lock)


def known_device(connection: Connection, device: str, *, lock: bool = False) -> Row[Any]:
    """Raises NotFoundError."""
    query = select(m.offline_device).where(m.offline_device.c.device == device)
    query = query.with_for_update() if lock else query
    row: Row[Any] | None = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"No device {device[:80]!r} keeps a log here", mend="Enrol it first")
    return row


def quarantine(work: Work, device: str, seq: int, why: str, *, code: str) -> None:
    """From `seq` on the device's word lifts no hold; somebody is told."""
    row = device_row(work, device, lock=True)
    if row.state != UNKNOWN:
        lowest = seq if row.suspect_from is None else min(seq, row.suspect_from)
        # A revoked device stays revoked; of what quality takes of it, releases count as little.
        found = {} if row.state == REVOKED else {"state": QUARANTINED, "why": why}
        work.connection.execute(
            update(m.offline_device)
            .where(m.offline_device.c.device == device)
            .values(suspect_from=lowest, **found)
        )
        look_again(work, device, since=lowest)
    text = Reason("story_offline_quarantined", {"device": device, "why": why, "seq": seq})
    work.event("device", text, reference=device)
    suspect = [cf.of(ConflictKind.DEVICE_SUSPECT, [code], device=device, quantity=seq)]
    disputes.settle(work, f"device/{device}", suspect)


def look_again(work: Work, device: str, *, since: int) -> None:
    """What a device's word has lifted, or could not lift, is brought in line once more."""
    work.connection.execute(
        update(m.offline_entry)
        .where(
            m.offline_entry.c.device == device,
            m.offline_entry.c.kind == "released",
            m.offline_entry.c.seq >= since,
            m.offline_entry.c.state == reading.SETTLED,
        )
        .values(state=reading.BOOKED)
    )


def enrol(work: Work, device: str, public_key: str, *, owner: str, roles: Iterable[str]) -> None:
    """Give a device its key; the same key again changes nothing but owner and roles.

    Raises ConflictError where the device has another key.
    """
    values = {"owner": owner, "roles": sorted(roles), "enrolled_by": work.by}
    known = work.connection.execute(
        select(m.offline_device).where(m.offline_device.c.device == device).with_for_update()
    ).one_or_none()
    if known is None:
        work.connection.execute(
            insert(m.offline_device).values(
                device=device,
                public_key=public_key,
                state=ACTIVE,
                why="",
                enrolled_at=work.now,
                **values,
            )
        )
    elif known.state == REVOKED:
        raise proving.RevokedDeviceError(
            f"{device} was revoked and stays so",
            mend="Enrol it with a new key, as a new device",
            device=device,
        )
    elif known.state == UNKNOWN:
        work.connection.execute(
            update(m.offline_device)
            .where(m.offline_device.c.device == device)
            .values(public_key=public_key, state=ACTIVE, why="", enrolled_at=work.now, **values)
        )
        disputes.settle(work, f"device/{device}", ())
    elif known.public_key != public_key:
        raise proving.OtherKeyError(
            f"{device} is enrolled with another key",
            mend="Give the device a new id: its log is chained under the first key",
            device=device,
        )
    else:
        work.connection.execute(
            update(m.offline_device).where(m.offline_device.c.device == device).values(**values)
        )
    text = Reason("story_offline_enrolled", {"device": device, "owner": owner})
    work.event("device", text, reference=device)


def revoke(work: Work, device: str, reason: str) -> None:
    """From now on what the device sends is kept and books nothing; what came before stands. One that
    is not known here, or was revoked before, changes nothing.
    """
    row = work.connection.execute(
        select(m.offline_device).where(m.offline_device.c.device == device).with_for_update()
    ).one_or_none()
    if row is None or row.state == REVOKED:
        return
    work.connection.execute(
        update(m.offline_device)
        .where(m.offline_device.c.device == device)
        .values(state=REVOKED, why=reason)
    )
    text = Reason("story_offline_revoked", {"device": device, "reason": reason})
    work.event("device", text, reference=device)


def readmit(work: Work, device: str, reason: str) -> None:
    """Somebody has looked into a quarantined device. A revoked one stays revoked; what it sent
    since is taken (OfflineLogs.readmit). Raises NotFoundError, ConflictError.
    """
    row = device_row(work, device, lock=True)
    if row.state == REVOKED:
        text = Reason("story_offline_taken", {"device": device, "reason": reason})
        work.event("device", text, reference=device)
        disputes.settle(work, f"device/{device}", (), words=reason)
        return
    if row.state != QUARANTINED:
        raise ConflictError(
            f"{device} is {row.state}, not quarantined", mend="Look at the list again"
        )
    work.connection.execute(
        update(m.offline_device)
        .where(m.offline_device.c.device == device)
        .values(state=ACTIVE, why=reason, suspect_from=None)
    )
    look_again(work, device, since=1)
    text = Reason("story_offline_readmitted", {"device": device, "reason": reason})
    work.event("device", text, reference=device)
    disputes.settle(work, f"device/{device}", (), words=reason)
