"""Replay: every stem of a folder is a carton."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path, PurePath

from appliance.cameras.frame import Decode, Frame, make_frame
from appliance.cameras.replay import ReplayCarton, list_pictures, pair
from appliance.cartons.view import CartonView, carton_ids
from contracts.clock import Clock
from contracts.errors import BadFrameError
from contracts.reason import Reason
from vision.frames import decode_frame


class ReplayCartons:
    """The cartons of a folder, in name order, `interval_s` apart.

    A picture that cannot be decoded is a fault of its carton, never a picture of another one.
    `on_frame` sees each frame as it is taken (a page's live picture).
    """

    def __init__(
        self,
        folder: Path,
        *,
        station: str,
        cameras: Sequence[str],
        clock: Clock,
        decode: Decode = decode_frame,
        interval_s: float = 0.0,
        on_frame: Callable[[Frame], None] = lambda _frame: None,
    ) -> None:
        self._folder = folder
        self._cameras = tuple(cameras)
        self._clock = clock
        self._decode = decode
        self._interval_s = interval_s
        self._on_frame = on_frame
        self._new_id = carton_ids(station)
        self._number = 0

    def plan(self) -> list[ReplayCarton]:
        """What will be replayed. Raises BadInputError where the folder does not exist."""
        return pair(list_pictures(self._folder), self._cameras)

    async def cartons(self) -> AsyncIterator[CartonView]:
        for carton in await asyncio.to_thread(self.plan):
            yield await self._take(carton)
            await asyncio.sleep(self._interval_s)

    async def _take(self, carton: ReplayCarton) -> CartonView:
        opened_at = self._clock.now()
        faults: list[Reason] = []
        frames: dict[str, tuple[Frame, ...]] = {}
        for camera in self._cameras:
            taken: list[Frame] = []
            for file in carton.files.get(camera, ()):
                try:
                    taken.append(await asyncio.to_thread(self._load, file, camera))
                except BadFrameError as error:
                    params: dict[str, str | int | float] = {
                        "camera": camera,
                        "name": str(file),
                        "why": error.message,
                    }
                    faults.append(Reason("bad_frame", params))
                else:
                    self._on_frame(taken[-1])
            frames[camera] = tuple(taken)
        return CartonView(
            carton_id=self._new_id(opened_at),
            opened_at=opened_at,
            opened_by="replay",
            frames=frames,
            closed_at=self._clock.now(),
            faults=tuple(faults),
            name=carton.stem,
        )

    def _load(self, file: PurePath, camera: str) -> Frame:
        self._number += 1
        return make_frame(
            (self._folder / file).read_bytes(),
            camera=camera,
            at=self._clock.now(),
            name=str(file),
            number=self._number,
            decode=self._decode,
        )
