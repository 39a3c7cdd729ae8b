"""Which pictures may teach a product's good look, and which of them show the same carton again. Pure.

A refusal is a reason in the trade's words, because whoever uploads is not who wrote the decoder.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadFrameError
from contracts.reason import Reason
from vision.frames import decode_frame

SIDE = 64
"""Sides of a thumbnail, in pixels."""
SAME_SHOT = 1.5
"""Grey levels. The same goods taken twice differ by 0.6 at most (noise, JPEG, 3 % of light), other
goods of one product by 6 and more: demo goods and real cookies, `tests/appliance/enrolling`.
"""
_FLAT, _LOW = 4.0, 30.0
"""Standard deviations of grey: a wall, and goods that hardly show."""
_CLIPPED_SHARE = 0.5
_BLACK, _WHITE = 4, 251
_MOST_BYTES = 30 << 20
_HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif")


class PictureRefusedError(BadFrameError):
    """A picture that cannot teach; `reason` says why in both languages."""

    def __init__(self, name: str, reason: Reason) -> None:
        super().__init__(f"{name} cannot be used: {reason.code}", mend="Take another picture")
        self.name = name
        self.reason = reason


def usable(data: bytes, *, name: str, wanted: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """The decoded picture (h, w, 3) BGR. `wanted` is the (width, height) it must have.

    Raises PictureRefusedError for what is no picture, shows nothing, or is of another camera.
    """
    if not data:
        raise PictureRefusedError(name, Reason("enrol_empty_file"))
    if len(data) > _MOST_BYTES:
        raise PictureRefusedError(name, Reason("enrol_too_large", {"most": _MOST_BYTES >> 20}))
    if data[4:12] in _HEIC:
        raise PictureRefusedError(name, Reason("enrol_heic"))
    if not data.startswith((b"\xff\xd8", b"\x89PNG", b"BM")):
        raise PictureRefusedError(name, Reason("enrol_no_picture"))
    try:
        image = decode_frame(data, name=name)
    except BadFrameError as error:
        raise PictureRefusedError(
            name, Reason("enrol_damaged", {"why": error.message.removeprefix(f"{name} ")})
        ) from error
    height, width = image.shape[:2]
    if wanted is not None and (width, height) != wanted:
        got, like = f"{width} x {height}", f"{wanted[0]} x {wanted[1]}"
        raise PictureRefusedError(name, Reason("enrol_other_size", {"got": got, "wanted": like}))
    check_shows_something(image, name)
    return image


def check_shows_something(image: NDArray[np.uint8], name: str) -> None:
    """Raises PictureRefusedError for a picture that is black, white or one even surface."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    contrast = float(grey.std())
    # Goods on a black or white ground are clipped over most of the picture too, but not all alike.
    if contrast < _LOW and float((grey <= _BLACK).mean()) > _CLIPPED_SHARE:
        raise PictureRefusedError(name, Reason("enrol_black"))
    if contrast < _LOW and float((grey >= _WHITE).mean()) > _CLIPPED_SHARE:
        raise PictureRefusedError(name, Reason("enrol_white"))
    if contrast < _FLAT:
        raise PictureRefusedError(name, Reason("enrol_nothing"))


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(64, 64) grey of a (h, w, 3) BGR picture: noise is averaged away, goods are not."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small: NDArray[np.float32] = cv2.resize(
        grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA
    ).astype(np.float32)
    return small


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How far two thumbnails lie apart in grey levels (root mean square), whatever the light."""
    first, second = one - one.mean(), other - other.mean()
    gain = float((first * second).sum()) / max(float((second * second).sum()), 1.0)
    return float(np.sqrt(np.square(first - gain * second).mean()))


def same_shot(new: NDArray[np.float32], known: Sequence[NDArray[np.float32]]) -> int | None:
    """Which of the known thumbnails shows the very same goods; None where none does."""
    far = [difference(new, one) for one in known]
    nearest = min(range(len(far)), key=far.__getitem__, default=None)
    return nearest if nearest is not None and far[nearest] < SAME_SHOT else None
