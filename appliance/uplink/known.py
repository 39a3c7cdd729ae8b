"""What the hub last told this device, kept on disk through restarts during an outage (I6)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from appliance.durable import write_atomic

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Known(Generic[T]):
    """One document from the hub: its value, the hub's tag for it, and the file that keeps it."""

    def __init__(self, path: Path, kind: type[T], default: T) -> None:
        self._path = path
        self._kind = kind
        self.value = default
        self.etag = ""
        self.is_known = False
        if path.exists():
            self._load()

    def replace(self, body: bytes, etag: str) -> bool:
        """Take over what the hub sent; True when it differs. Blocks for a disk write.

        Raises msgspec.MsgspecError when the body is not such a document; the old one stands.
        """
        value = msgspec.json.decode(body, type=self._kind)
        changed = not self.is_known or value != self.value
        if changed:
            write_atomic(self._path, body, mode=0o600)
        self.value, self.etag, self.is_known = value, etag, True
        return changed

    def _load(self) -> None:
        try:
            self.value = msgspec.json.decode(self._path.read_bytes(), type=self._kind)
        except (OSError, msgspec.MsgspecError):
            # A newer or older software wrote it: the hub is asked for all of it again.
            _log.warning("kept_document_unreadable", extra={"path": str(self._path)})
        else:
            self.is_known = True
