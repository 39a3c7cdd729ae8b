"""A frame: one picture of one camera, with the bytes it is stored as.

I4: what is judged is what the stored bytes decode to, so a frame is only ever made from bytes;
`sha256` is over those bytes and finds the picture again as evidence.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vision.frames import decode_frame

Image = NDArray[np.uint8]
"""(height, width, 3), BGR, 0..255."""

_MAGIC = ((b"\x89PNG", "image/png"), (b"BM", "image/bmp"))


class Decode(Protocol):
    """`vision.frames.decode_frame`, or a stand-in with the same promises."""

    def __call__(self, data: bytes, *, name: str) -> Image:
        """The picture as (height, width, 3) BGR; raises BadFrameError."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """`at` is when our clock saw the picture, UTC; `number` counts the camera's frames from 1.

    `jpeg` holds the bytes as stored (a PNG stays a PNG, see `media_type`). Two frames are the
    same only when they are the same object: pictures are compared by `sha256`.
    """

    camera: str
    at: datetime
    image: Image
    jpeg: bytes
    sha256: str
    name: str
    number: int

    @property
    def media_type(self) -> str:
        return next((kind for magic, kind in _MAGIC if self.jpeg.startswith(magic)), "image/jpeg")

    @property
    def width_px(self) -> int:
        return int(self.image.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.image.shape[0])


def make_frame(
    data: bytes, *, camera: str, at: datetime, name: str, number: int, decode: Decode = decode_frame
) -> Frame:
    """A frame from its stored bytes. Raises BadFrameError where they are no usable picture."""
    return Frame(
        camera=camera,
        at=at,
        image=decode(data, name=name),
        jpeg=data,
        sha256=hashlib.sha256(data).hexdigest(),
        name=name,
        number=number,
    )
