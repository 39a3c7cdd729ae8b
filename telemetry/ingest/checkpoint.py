"""The state of the rules at one position, so that a start goes through seconds again, not days."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import msgspec

from contracts.telemetry import AlarmChanged
from telemetry.segments.files import Position, sync_folder

_MAGIC = b"TGc1"


class Checkpoint(msgspec.Struct, frozen=True):
    position: Position
    """The state is that after this group."""
    catalogue: str
    """Version of the catalogue that decoded it, for the log."""
    state: bytes
    """As `Engine.save` gave it."""
    untold: tuple[AlarmChanged, ...] = ()
    """Changes that had not reached the journal; told again at the start (I2)."""


class CheckpointFile:
    """One file, replaced whole: after a crash it is the old one or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, checkpoint: Checkpoint) -> None:
        """Durable when it returns. Raises OSError; the one before stays."""
        body = msgspec.msgpack.encode(checkpoint)
        part = self._path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(_MAGIC + zlib.crc32(body).to_bytes(4) + body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)
        sync_folder(self._path.parent)

    def read(self) -> Checkpoint | None:
        """None where there is none, or where it cannot be used: the segments tell it all again."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        body = data[8:]
        if data[:4] != _MAGIC or zlib.crc32(body).to_bytes(4) != data[4:8]:
            return None
        try:
            return msgspec.msgpack.decode(body, type=Checkpoint)
        except msgspec.MsgspecError:
            return None
