"""Who waits for a person's word, and what the person said.

Rules: one request a device waits at a time; a yes is for exactly the key and the serial that were
shown; the same request asked again changes nothing; a no stays until a person says yes after all
or makes a new claim. Functions work within the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from appliance.identity.admission.records import (
    AwaitingApprovalError,
    Deed,
    OtherMachineError,
    Waiting,
    WaitKind,
    WaitState,
)
from contracts.errors import ConflictError, ForbiddenError, NotFoundError

_SELECT = (
    "SELECT device, kind, public_key, waiting.serial, coalesce(machines.serial, ''), asked_at, "
    "address, state, by, why FROM waiting LEFT JOIN machines USING (device)"
)
LIST = f"{_SELECT} WHERE state != 'approved' ORDER BY asked_at, device"
STORY = (
    "SELECT at, device, what, by, why FROM deeds WHERE ? = '' OR device = ? "
    "ORDER BY id DESC LIMIT 500"
)
_ONE = f"{_SELECT} WHERE device = ?"


def may_pass(db: sqlite3.Connection, asked: Waiting, now: datetime) -> None:
    """Nothing where a person approved just this request; it is then settled.

    Raises AwaitingApprovalError where nobody has yet (the request is kept), ForbiddenError where
    it was refused.
    """
    known = _find(db, asked.device)
    same = known is not None and (known.kind, known.public_key_pem, known.serial) == (
        asked.kind,
        asked.public_key_pem,
        asked.serial,
    )
    if known is None or not same:
        _put(db, asked)
        note(db, Deed(now, asked.device, f"asked:{asked.kind}", why=asked.key_id))
    elif known.state is WaitState.APPROVED:
        forget(db, asked.device)
        return
    elif known.state is WaitState.REFUSED:
        raise ForbiddenError(
            f"{asked.device} was refused at the hub: {known.why}",
            mend="Talk to the person who did; they can still approve it",
        )
    raise AwaitingApprovalError(
        f"{asked.device} waits for a person's approval at the hub",
        mend=f"Compare the key {asked.key_id} there and approve it",
        key_id=asked.key_id,
    )


def approve(
    db: sqlite3.Connection, device: str, key_id: str, *, by: str, now: datetime, new_machine: bool
) -> None:
    """Say yes to what waits for `device`, if it is still the request with key `key_id`.

    Raises NotFoundError, ConflictError (another key asks now), OtherMachineError unless
    `new_machine` says that the change of machine is known and meant.
    """
    waiting = _asking(db, device, key_id)
    if waiting.is_other_machine and not new_machine:
        raise OtherMachineError(
            f"{device} was enrolled on machine {waiting.known_serial} and asks from "
            f"{waiting.serial or 'one without serial'}",
            mend="Look at the machine; approve it as a new machine only if you replaced it",
        )
    _settle(db, device, WaitState.APPROVED, by, "")
    note(db, Deed(now, device, "approved", by, waiting.serial))


def refuse(
    db: sqlite3.Connection, device: str, key_id: str, *, by: str, why: str, now: datetime
) -> None:
    """Say no. Raises NotFoundError, ConflictError."""
    _asking(db, device, key_id)
    _settle(db, device, WaitState.REFUSED, by, why)
    note(db, Deed(now, device, "refused", by, why))


def forget(db: sqlite3.Connection, device: str) -> None:
    db.execute("DELETE FROM waiting WHERE device = ?", (device,))


def note(db: sqlite3.Connection, deed: Deed) -> None:
    """Add a line to a device's story."""
    db.execute(
        "INSERT INTO deeds (at, device, what, by, why) VALUES (?, ?, ?, ?, ?)",
        (deed.at.isoformat(), deed.device, deed.what, deed.by, deed.why),
    )


def to_waiting(row: tuple[str, ...]) -> Waiting:
    device, kind, key, serial, known, asked, address, state, by, why = row
    return Waiting(
        device=device,
        kind=WaitKind(kind),
        public_key_pem=key,
        serial=serial,
        known_serial=known,
        asked_at=datetime.fromisoformat(asked),
        address=address,
        state=WaitState(state),
        by=by,
        why=why,
    )


def _find(db: sqlite3.Connection, device: str) -> Waiting | None:
    row = db.execute(_ONE, (device,)).fetchone()
    return None if row is None else to_waiting(row)


def _asking(db: sqlite3.Connection, device: str, key_id: str) -> Waiting:
    waiting = _find(db, device)
    if waiting is None or waiting.state is WaitState.APPROVED:
        raise NotFoundError(f"{device[:80]!r} waits for no approval", mend="Look at the list again")
    if waiting.key_id != key_id:
        raise ConflictError(
            f"{device} asks with the key {waiting.key_id}, not {key_id}",
            mend="Compare the digits with the device's own again",
        )
    return waiting


def _put(db: sqlite3.Connection, asked: Waiting) -> None:
    db.execute(
        "INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?, ?, ?, 'waiting', '', '')",
        (
            asked.device,
            asked.kind,
            asked.public_key_pem,
            asked.serial,
            asked.asked_at.isoformat(),
            asked.address,
        ),
    )


def _settle(db: sqlite3.Connection, device: str, state: WaitState, by: str, why: str) -> None:
    db.execute(
        "UPDATE waiting SET state = ?, by = ?, why = ? WHERE device = ?", (state, by, why, device)
    )
