"""JPEGs that a phone took: kept as evidence by the hash that its log entry names (I4)."""

from __future__ import annotations

import hashlib

from appliance.evidence import EvidenceStore
from contracts.errors import BadFrameError, JournalFullError, NotFoundError
from vision.frames import decode_frame

MOST_BYTES = 4 << 20
_JPEG = b"\xff\xd8\xff"
_LEAST_FREE = 256 << 20


def keep(store: EvidenceStore, sha256: str, data: bytes) -> None:
    """Store a photo that can be shown. Raises BadFrameError where the bytes are not what their name
    says, or no picture; JournalFullError where the disk has no room.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BadFrameError(
            f"The photo's bytes are not those of {sha256[:12]}",
            mend="Name it by the SHA-256 of its bytes, in lower-case hex, and send them whole",
        )
    if store.has(sha256):
        return
    if not data.startswith(_JPEG):
        raise BadFrameError(f"Photo {sha256[:12]} is no JPEG", mend="Send photos as JPEG")
    decode_frame(data, name=sha256[:12])
    if store.free_bytes() < _LEAST_FREE:
        raise JournalFullError(
            "The hub's disk has no room for photos",
            mend="Free space on it; the phone keeps its photos and sends them again",
        )
    store.put(data)


def find(store: EvidenceStore, sha256: str) -> bytes:
    """A photo's bytes. Raises BadInputError for what is no hash, NotFoundError."""
    store.path(sha256)
    data = store.get(sha256)
    if data is None or not data.startswith(_JPEG):
        raise NotFoundError(
            f"No photo {sha256[:12]} is kept here", mend="The phone that took it may send it yet"
        )
    return data
