"""Good pictures come in: from the inspect camera, as files, from cartons that went by (I6)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance.enrolling.draft import Draft, Picture, Source
from appliance.enrolling.drafts import Added, Drafts
from appliance.enrolling.pictures import usable
from appliance.enrolling.ports import SeenCarton
from contracts.clock import Clock
from contracts.errors import BadFrameError, NotFoundError, UnavailableError
from vision.frames import decode_frame


@dataclass(frozen=True, slots=True)
class Camera:
    """What the station lends: `frame` is the camera's newest picture as stored bytes, None where it
    has none; `picture` the bytes of one kept as evidence; `cartons` what went by of a product.
    """

    name: str
    frame: Callable[[str], bytes | None]
    picture: Callable[[str], bytes | None]
    cartons: Callable[[str], Sequence[SeenCarton]]


class Collecting:
    """All methods block; call them in a thread."""

    def __init__(self, drafts: Drafts, camera: Camera, *, clock: Clock) -> None:
        self._drafts = drafts
        self._camera = camera
        self._clock = clock

    @property
    def camera(self) -> str:
        return self._camera.name

    def take(self, gtin: str, *, by: str, again: bool) -> Added:
        """The camera's picture of now; `again` where it shows the newest item once more.

        Raises UnavailableError, PictureRefusedError.
        """
        data = self._camera.frame(self.camera)
        if data is None:
            raise UnavailableError(
                f"Camera {self.camera} has no picture now",
                mend="Check its power and its cable, or send pictures as files",
            )
        return self._add(gtin, data, self.camera, Source.CAMERA, by=by, again=again)

    def upload(self, gtin: str, data: bytes, *, name: str, by: str, again: bool) -> Added:
        """Raises PictureRefusedError."""
        return self._add(gtin, data, name, Source.UPLOAD, by=by, again=again)

    def take_carton(self, gtin: str, sha256: str, *, by: str) -> Added:
        """The goods of a carton that went by. Raises NotFoundError, PictureRefusedError."""
        carton = next((one for one in self._camera.cartons(gtin) if one.sha256 == sha256), None)
        data = self._camera.picture(sha256) if carton else None
        if carton is None or data is None:
            raise NotFoundError("This carton's picture is gone", mend="Reload the page")
        return self._add(gtin, data, carton.carton_id, Source.CARTON, by=by, again=False)

    def cartons(self, gtin: str) -> list[SeenCarton]:
        """Cartons of the product seen lately whose pictures are not taken yet, newest first."""
        draft = self._drafts.find(gtin)
        taken = {picture.sha256 for picture in draft.pictures} if draft else set()
        return [one for one in self._camera.cartons(gtin) if one.sha256 not in taken]

    def _add(
        self, gtin: str, data: bytes, name: str, source: Source, *, by: str, again: bool
    ) -> Added:
        draft = self._drafts.get(gtin)
        image = usable(data, name=name, wanted=self._wanted(draft, source))
        height, width = image.shape[:2]
        picture = Picture(
            sha256=hashlib.sha256(data).hexdigest(),
            item=0,
            source=source,
            name=name,
            width_px=int(width),
            height_px=int(height),
            media_type=_media_type(data),
            by=by,
            at=self._clock.now(),
        )
        return self._drafts.add(draft.gtin, data, image, picture, again=again)

    def _wanted(self, draft: Draft, source: Source) -> tuple[int, int] | None:
        """The size of the pictures that are here, else of the station's own camera."""
        if draft.pictures:
            return draft.pictures[0].width_px, draft.pictures[0].height_px
        data = self._camera.frame(self.camera) if source is Source.UPLOAD else None
        if data is None:
            return None
        try:
            height, width = decode_frame(data, name=self.camera).shape[:2]
        except BadFrameError:
            # Whatever the camera has: it says nothing against the pictures that are sent.
            return None
        return int(width), int(height)


def _media_type(data: bytes) -> str:
    kinds = ((b"\x89PNG", "image/png"), (b"BM", "image/bmp"))
    return next((kind for magic, kind in kinds if data.startswith(magic)), "image/jpeg")
