"""A camera by device index or RTSP URL, through OpenCV, always the newest picture.

A thread takes every picture off the device so that none waits in a driver's buffer; the newest one
is compressed once, and what is judged is what those stored bytes decode to (I4).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.cameras.frame import Decode, Frame, make_frame
from contracts.clock import Clock
from contracts.errors import UnavailableError
from vision.frames import decode_frame

_QUALITY: Final = 92


class Capture(Protocol):
    """cv2.VideoCapture, as far as we use it."""

    def isOpened(self) -> bool: ...  # noqa: N802 -- OpenCV's name

    def read(self) -> tuple[bool, Any]: ...

    def release(self) -> None: ...


def open_capture(address: str, *, open_timeout_ms: int, read_timeout_ms: int) -> Capture:
    """A device where `address` is an index (`0`) or a path below /dev, else a stream's URL."""
    if address.isdecimal() or address.startswith("/dev/"):
        return cv2.VideoCapture(int(address) if address.isdecimal() else address, cv2.CAP_V4L2)
    limits = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        open_timeout_ms,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        read_timeout_ms,
    ]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)


class _Newest:
    """One slot between the reading thread and the loop. A thread that hangs in a driver is left
    behind: it holds its own slot and can no longer speak.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._picture: tuple[NDArray[np.uint8], datetime] | None = None
        self.fresh = asyncio.Event()
        self.ended = ""
        self.stop = threading.Event()

    def put(self, picture: NDArray[np.uint8], at: datetime) -> None:
        with self._lock:
            self._picture = (picture, at)
        self._wake()

    def end(self, why: str) -> None:
        self.ended = why
        self._wake()

    def take(self) -> tuple[NDArray[np.uint8], datetime] | None:
        with self._lock:
            picture, self._picture = self._picture, None
        self.fresh.clear()
        return picture

    def _wake(self) -> None:
        if not self.stop.is_set() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.fresh.set)


class VideoSource:
    """`address` is a device index, a /dev path, or an RTSP or HTTP URL.

    At most `max_fps` pictures a second are handed out; those between are dropped.
    """

    live = True

    def __init__(
        self,
        address: str,
        *,
        camera: str,
        clock: Clock,
        decode: Decode = decode_frame,
        max_fps: float = 10.0,
        open_timeout_s: float = 5.0,
        read_timeout_s: float = 1.5,
        opener: Callable[[], Capture] | None = None,
    ) -> None:
        self._address = address
        self._camera = camera
        self._clock = clock
        self._decode = decode
        self._gap_s = 1 / max_fps
        self._open_timeout_s = open_timeout_s
        self._read_timeout_s = read_timeout_s
        self._opener = opener or (
            lambda: open_capture(
                address,
                open_timeout_ms=int(open_timeout_s * 1000),
                read_timeout_ms=int(read_timeout_s * 1000),
            )
        )
        self._number = 0

    async def frames(self) -> AsyncIterator[Frame]:
        loop = asyncio.get_running_loop()
        slot = _Newest(loop)
        name = f"camera {self._camera} reader"
        threading.Thread(target=self._pump, args=(slot,), name=name, daemon=True).start()
        limit = self._open_timeout_s + self._read_timeout_s
        try:
            while True:
                picture, at = await self._next(slot, limit)
                limit = self._read_timeout_s
                began = loop.time()
                self._number += 1
                yield await asyncio.to_thread(self._store, picture, at, self._number)
                await asyncio.sleep(max(0.0, self._gap_s - (loop.time() - began)))
        finally:
            slot.stop.set()

    async def _next(self, slot: _Newest, limit_s: float) -> tuple[NDArray[np.uint8], datetime]:
        try:
            async with asyncio.timeout(limit_s):
                while (taken := slot.take()) is None:
                    if slot.ended:
                        raise self._away(slot.ended)
                    await slot.fresh.wait()
        except TimeoutError:
            raise self._away(f"sent no picture for {limit_s:.1f} s") from None
        return taken

    def _away(self, why: str) -> UnavailableError:
        return UnavailableError(
            f"camera {self._camera} {why}",
            mend="Check its power, cable and address",
            camera=self._camera,
        )

    def _pump(self, slot: _Newest) -> None:
        try:
            capture = self._opener()
        except cv2.error as error:
            slot.end(f"could not be opened: {error}")
            return
        try:
            if not capture.isOpened():
                slot.end("could not be opened")
                return
            while not slot.stop.is_set():
                done, picture = capture.read()
                if not done or picture is None:
                    slot.end("stopped sending")
                    return
                slot.put(picture, self._clock.now())
        except cv2.error as error:
            slot.end(f"failed while reading: {error}")
        finally:
            capture.release()

    def _store(self, picture: NDArray[np.uint8], at: datetime, number: int) -> Frame:
        done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not done:
            raise self._away("sent a picture that cannot be stored")
        return make_frame(
            encoded.tobytes(),
            camera=self._camera,
            at=at,
            name=f"{self._camera}-{number}",
            number=number,
            decode=self._decode,
        )
