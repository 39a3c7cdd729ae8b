"""Devices as the device port asks for them on each request: from memory, and never behind the file.

A lost device must be out by its next request, whoever revoked it: this process or a command in a
shell. So each look-up first asks SQLite whether any connection has committed since
(`PRAGMA data_version`), and forgets everything where the table of devices has another edition.
"""

from __future__ import annotations

import sqlite3
import threading
from datetime import datetime
from pathlib import Path

from appliance.identity.admission.records import Device, DeviceState
from appliance.identity.admission.tables import DEVICES

_ONE = f"{DEVICES} WHERE device = ?"


class KnownDevices:
    """Read-only, on a connection of its own: it waits for no writer. A look-up that hits takes
    microseconds, so that it may stand on the event loop.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=10
        )
        self._commits = -1
        self._edition = -1
        self._kept: dict[str, Device] = {}

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def device(self, name: str) -> Device | None:
        with self._lock:
            self._forget_what_changed()
            known = self._kept.get(name)
            if known is None:
                row = self._db.execute(_ONE, (name,)).fetchone()
                if row is None:
                    return None
                known = self._kept[name] = to_device(row)
            return known

    def _forget_what_changed(self) -> None:
        (commits,) = self._db.execute("PRAGMA data_version").fetchone()
        if commits == self._commits:
            return
        (edition,) = self._db.execute("SELECT number FROM edition").fetchone()
        if edition != self._edition:
            self._kept.clear()
        self._commits, self._edition = commits, edition


def to_device(row: tuple[str, ...]) -> Device:
    device, key, certificate, state, note, kept, changed, serial = row
    return Device(
        device,
        key,
        certificate,
        DeviceState(state),
        note,
        kept,
        datetime.fromisoformat(changed),
        serial,
    )
