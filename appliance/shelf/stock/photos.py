"""JPEGs that a phone took: kept as evidence by the hash that its log entry names (I4).

They are kept without being decoded. Nobody here looks at their pixels: what counts is that the bytes
are those that the entry names, and whoever opens one does so in a browser. So neither a picture that
swells up nor one that its decoder falls over can do anything to the hub, and no process of its own is
needed. What a file says of itself is read by hand (vision.frames), from its first byte to its end
marker: size, depth, and that it is whole.
"""

from __future__ import annotations

import hashlib

from appliance.evidence import EvidenceStore
from contracts.errors import BadFrameError, JournalFullError, NotFoundError
from vision.frames import LEAST_SIDE_PX, MOST_PIXELS, read_header

MOST_BYTES = 4 << 20
_JPEG = b"\xff\xd8\xff"
_EIGHT_BITS = 8
_LEAST_FREE = 256 << 20


def keep(store: EvidenceStore, sha256: str, data: bytes) -> None:
    """Store a photo. Raises BadFrameError where the bytes are not what their name says, no whole
    JPEG of 8 bits, or one of more pixels than anybody should be made to open; JournalFullError where
    the disk has no room.
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
    _check(data, f"Photo {sha256[:12]}")
    if store.free_bytes() < _LEAST_FREE:
        raise JournalFullError(
            "The hub's disk has no room for photos",
            mend="Free space on it; the phone keeps its photos and sends them again",
        )
    store.put(data)


def _check(data: bytes, name: str) -> None:
    header = read_header(data, name=name)
    size = f"{header.width_px} x {header.height_px} pixels"
    if header.width_px * header.height_px > MOST_PIXELS:
        raise BadFrameError(
            f"{name} is {size}, more than {MOST_PIXELS // 1_000_000} megapixels",
            mend="Take a smaller picture",
        )
    if min(header.width_px, header.height_px) < LEAST_SIDE_PX or header.bits != _EIGHT_BITS:
        raise BadFrameError(
            f"{name} is {size} with {header.bits} bits a channel",
            mend=f"Send at least {LEAST_SIDE_PX} pixels a side, with 8 bits",
        )


def find(store: EvidenceStore, sha256: str) -> bytes:
    """A photo's bytes. Raises BadInputError for what is no hash, NotFoundError."""
    store.path(sha256)
    data = store.get(sha256)
    if data is None or not data.startswith(_JPEG):
        raise NotFoundError(
            f"No photo {sha256[:12]} is kept here", mend="The phone that took it may send it yet"
        )
    return data
