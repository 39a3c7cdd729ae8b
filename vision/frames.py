"""From the bytes of a picture to pixels, or a clear refusal.

The header is read by hand before anything is decoded, so that a 100-megapixel bomb costs nothing
and a picture that ends too early is refused instead of half-decoded with a grey rest.
Accepted: JPEG, PNG and BMP with 8 bits a channel, up to 50 megapixels. Grey becomes BGR, alpha is
laid over white, EXIF orientation is applied. Sixteen bits are refused: whether such a file holds
10, 12 or 16 real bits is not in it, and guessing turns a dark label black.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from contracts.errors import BadFrameError

MOST_PIXELS = 50_000_000
LEAST_SIDE_PX = 16
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")

_PNG = b"\x89PNG\r\n\x1a\n"
_SEND_AGAIN = "Send the whole file again"
# Start-of-frame markers that cv2 decodes: baseline, extended and progressive Huffman.
_SOF = frozenset({0xC0, 0xC1, 0xC2})
_OTHER_SOF = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_FILL, _END, _RESTARTS = 0xFF, 0xD9, range(0xD0, 0xD9)
_EIGHT_BITS = 8


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself: size in pixels, bits a channel."""

    kind: str
    width_px: int
    height_px: int
    bits: int


def decode_frame(data: bytes, *, name: str) -> NDArray[np.uint8]:
    """Decode one picture to (h, w, 3) uint8, BGR, upright by its EXIF orientation.

    Raises BadFrameError (empty, truncated, more than 50 megapixels, 16 bits, another format).
    """
    header = read_header(data, name=name)
    if header.width_px * header.height_px > MOST_PIXELS:
        raise BadFrameError(
            f"{name} is {header.width_px} x {header.height_px} pixels, "
            f"more than {MOST_PIXELS // 1_000_000} megapixels",
            mend="Set the camera to a smaller picture",
        )
    if min(header.width_px, header.height_px) < LEAST_SIDE_PX:
        raise BadFrameError(
            f"{name} is {header.width_px} x {header.height_px} pixels, too small to show a carton",
            mend=f"Send at least {LEAST_SIDE_PX} pixels a side",
        )
    if header.bits > _EIGHT_BITS:
        raise BadFrameError(
            f"{name} has {header.bits} bits a channel",
            mend="Set the camera to 8 bits, or convert the file to 8 bits a channel",
        )
    raw = np.frombuffer(data, dtype=np.uint8)
    try:
        image: MatLike | None = cv2.imdecode(raw, cv2.IMREAD_COLOR)
        if image is not None and header.kind == "PNG":
            image = _over_white(image, cv2.imdecode(raw, cv2.IMREAD_UNCHANGED))
    except cv2.error as error:
        raise BadFrameError(f"{name} cannot be decoded: {error}", mend=_SEND_AGAIN) from error
    if image is None:
        raise BadFrameError(f"{name} cannot be decoded as {header.kind}", mend=_SEND_AGAIN)
    return np.ascontiguousarray(image, dtype=np.uint8)


def read_header(data: bytes, *, name: str) -> Header:
    """Read size and depth, and walk to the end of the file. Raises BadFrameError."""
    if not data:
        raise BadFrameError(f"{name} is empty", mend=_SEND_AGAIN)
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data, name)
        if data.startswith(_PNG):
            return _png(data, name)
        if data.startswith(b"BM"):
            return _bmp(data, name)
    except (struct.error, IndexError):
        raise _truncated(name) from None
    raise BadFrameError(
        f"{name} is not a JPEG, PNG or BMP picture (it begins {data[:4].hex(' ')})",
        mend="Send JPEG, PNG or BMP",
    )


def _truncated(name: str) -> BadFrameError:
    return BadFrameError(f"{name} ends too early (truncated)", mend=_SEND_AGAIN)


def _jpeg(data: bytes, name: str) -> Header:
    """Walk the segments to the end-of-image marker; entropy-coded data may hold no marker
    besides restarts, so an end marker found this way is the picture's own, not a thumbnail's.
    """
    header: Header | None = None
    at = 2
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise _truncated(name)
        marker = data[at + 1]
        at += 1 if marker == _FILL else 2
        if marker == _END:
            if header is None:
                raise BadFrameError(f"{name} is a JPEG without a picture", mend=_SEND_AGAIN)
            return header
        if marker in {0x00, 0x01, _FILL} or marker in _RESTARTS:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if marker in _OTHER_SOF:
            raise BadFrameError(
                f"{name} is a lossless or arithmetic-coded JPEG", mend="Send baseline JPEG"
            )
        if marker in _SOF:
            bits, height, width = struct.unpack_from(">BHH", data, at + 2)
            header = Header("JPEG", width, height, bits)
            if width * height > MOST_PIXELS:
                return header
        at += length


def _png(data: bytes, name: str) -> Header:
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    header = Header("PNG", width, height, bits)
    if width * height > MOST_PIXELS:
        return header
    at = len(_PNG)
    while True:
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        (stored,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(data[at + 4 : at + 8 + length]) != stored:
            raise BadFrameError(f"{name} is damaged (checksum of {kind!r})", mend=_SEND_AGAIN)
        if kind == b"IEND":
            return header
        at += 12 + length


def _bmp(data: bytes, name: str) -> Header:
    start, _, width, height, _, depth, compression = struct.unpack_from("<IIiiHHI", data, 10)
    header = Header("BMP", abs(width), abs(height), _EIGHT_BITS)
    stored = compression in {0, 3}
    needed = start + ((abs(width) * depth + 31) // 32) * 4 * abs(height)
    if stored and abs(width * height) <= MOST_PIXELS and len(data) < needed:
        raise _truncated(name)
    return header


def _over_white(image: MatLike, whole: MatLike | None) -> MatLike:
    """Lay a picture with alpha over white: what lies under full transparency is arbitrary."""
    if whole is None or whole.shape[2:] != (4,):
        return image
    pixels = np.asarray(whole, dtype=np.float32)
    alpha = pixels[:, :, 3:] / 255.0
    return np.asarray(pixels[:, :, :3] * alpha + 255.0 * (1.0 - alpha) + 0.5, dtype=np.uint8)
