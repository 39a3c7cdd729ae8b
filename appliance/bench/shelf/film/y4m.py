"""YUV4MPEG2 files, which Chromium plays as a camera (`--use-file-for-fake-video-capture`)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_y4m(path: Path, frames: Iterable[NDArray[np.uint8]], *, fps: int) -> int:
    """Grey frames (height, width), all of one size, as 4:2:0 in the video range, which is how
    Chromium understands the file; how many there were. The file is 1.4 MB a frame at 1280x720.
    """
    written = 0
    with path.open("wb") as file:
        for frame in frames:
            height, width = frame.shape
            if not written:
                file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420\n".encode())
            file.write(b"FRAME\n")
            file.write(_VIDEO_RANGE[frame].tobytes())
            file.write(b"\x80" * (2 * ((height + 1) // 2) * ((width + 1) // 2)))
            written += 1
    return written


_VIDEO_RANGE = np.round(16 + np.arange(256) * (219 / 255)).astype(np.uint8)
