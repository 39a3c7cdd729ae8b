"""The drafts of a station on disk: one folder a product, its pictures by hash, and `draft.json`.

A picture is on the disk before the draft names it, and a draft is replaced whole, so a station
that is switched off in the middle loses at most the last press of a button.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from appliance.durable import write_atomic
from appliance.enrolling.draft import MOST_PICTURES, Draft, Picture
from appliance.enrolling.pictures import PictureRefusedError, same_shot, thumbnail
from contracts.errors import BadInputError, NotFoundError
from contracts.gs1 import normalise_gtin
from contracts.reason import Reason
from vision.defects.profile import Profile
from vision.frames import decode_frame

_DRAFT, _ENROLLED = "draft.json", "enrolled.profile"
_SUFFIX = {"image/jpeg": ".jpg", "image/png": ".png", "image/bmp": ".bmp"}
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Added:
    """A picture that was taken in; `again` is the item whose carton it shows once more."""

    picture: Picture
    again: int | None = None


class Drafts:
    """All methods block for a short disk access; call them in a thread. Safe from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._thumbs: dict[str, NDArray[np.float32]] = {}

    def all(self) -> list[Draft]:
        """Every draft that can be read, by GTIN."""
        found = [self._read(path.parent.name) for path in self.folder.glob(f"*/{_DRAFT}")]
        return sorted((one for one in found if one is not None), key=lambda draft: draft.gtin)

    def get(self, gtin: str) -> Draft:
        """Raises NotFoundError, BadInputError for what is no GTIN."""
        draft = self.find(gtin)
        if draft is None:
            raise NotFoundError(
                f"No pictures of {gtin} are kept at this station",
                mend="Begin with the product on the page Products",
            )
        return draft

    def find(self, gtin: str) -> Draft | None:
        return self._read(normalise_gtin(gtin))

    def begin(self, gtin: str, product: str) -> Draft:
        """The draft of a product, made where there is none. Raises BadInputError."""
        number = normalise_gtin(gtin)
        with self._lock:
            draft = self._read(number)
            if draft is None:
                draft = Draft(number, product.strip() or number)
            elif product.strip():
                draft = replace(draft, product=product.strip())
            self._write(draft)
            return draft

    def change(self, gtin: str, change: Callable[[Draft], Draft]) -> Draft:
        """Replace a draft by what `change` makes of it. Raises NotFoundError."""
        with self._lock:
            draft = self.get(gtin)
            changed = change(draft)
            if changed != draft:
                self._write(changed)
            return changed

    def add(
        self, gtin: str, data: bytes, image: NDArray[np.uint8], picture: Picture, *, again: bool
    ) -> Added:
        """Keep a usable picture. It is another item, unless `again` says that it shows the newest
        one, or it does show one of those that are here: a carton that lay still is one carton.

        Raises PictureRefusedError for a picture that is here already or is one too many.
        """
        with self._lock:
            draft = self.get(gtin)
            if draft.picture(picture.sha256) is not None:
                raise PictureRefusedError(picture.name, Reason("enrol_again_same"))
            if len(draft.pictures) >= MOST_PICTURES:
                raise PictureRefusedError(
                    picture.name, Reason("enrol_enough", {"most": MOST_PICTURES})
                )
            thumb = thumbnail(image)
            place = same_shot(thumb, [self._thumb(draft, one) for one in draft.pictures])
            twin = draft.pictures[place].item if place is not None else None
            newest = draft.pictures[-1].item if draft.pictures and again else draft.next_item
            kept = replace(picture, item=newest if twin is None else twin)
            write_atomic(self._path(draft.gtin, kept), data)
            self._thumbs[kept.sha256] = thumb
            self._write(draft.with_picture(kept))
            return Added(kept, twin)

    def remove(self, gtin: str, sha256: str) -> Draft:
        """Take a picture out. Raises NotFoundError."""
        with self._lock:
            draft = self.get(gtin)
            picture = draft.picture(sha256)
            if picture is None:
                raise NotFoundError("This picture is not there any more", mend="Reload the page")
            rest = draft.without(sha256)
            self._write(rest)
            self._path(draft.gtin, picture).unlink(missing_ok=True)
            self._thumbs.pop(sha256, None)
            return rest

    def discard(self, gtin: str) -> None:
        """Forget the pictures of a product; profiles stay. Raises NotFoundError."""
        with self._lock:
            draft = self.get(gtin)
            # The draft goes first: pictures without one are nobody's, never the other way round.
            (self._place(draft.gtin) / _DRAFT).unlink(missing_ok=True)
            shutil.rmtree(self._place(draft.gtin), ignore_errors=True)

    def keep_profile(self, draft: Draft, profile: Profile) -> None:
        """Keep what was enrolled: cracks are learned for it, whatever is taught meanwhile."""
        write_atomic(self._place(draft.gtin) / _ENROLLED, profile.to_bytes())

    def profile(self, draft: Draft) -> Profile:
        """Raises BadInputError, ArtefactRefusedError where it is gone or damaged."""
        return Profile.load(self._place(draft.gtin) / _ENROLLED)

    def data(self, draft: Draft, picture: Picture) -> bytes:
        """The picture's file. Raises BadInputError where the disk has lost it."""
        try:
            return self._path(draft.gtin, picture).read_bytes()
        except OSError as error:
            raise BadInputError(
                f"Picture {picture.name} of {draft.product} cannot be read: {error.strerror}",
                mend="Remove it and take it again",
            ) from error

    def path(self, draft: Draft, picture: Picture) -> Path:
        return self._path(draft.gtin, picture)

    def image(self, draft: Draft, picture: Picture) -> NDArray[np.uint8]:
        """(h, w, 3) BGR. Raises BadInputError."""
        return decode_frame(self.data(draft, picture), name=picture.name)

    def small_jpeg(self, draft: Draft, picture: Picture, *, width: int = 320) -> bytes:
        """For the page: a hundred pictures of a camera would be too much for a phone."""
        image = self.image(draft, picture)
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])

    def _thumb(self, draft: Draft, picture: Picture) -> NDArray[np.float32]:
        if picture.sha256 not in self._thumbs:
            self._thumbs[picture.sha256] = thumbnail(self.image(draft, picture))
        return self._thumbs[picture.sha256]

    def _place(self, gtin: str) -> Path:
        return self.folder / gtin

    def _path(self, gtin: str, picture: Picture) -> Path:
        suffix = _SUFFIX.get(picture.media_type, ".jpg")
        return self._place(gtin) / "pictures" / f"{picture.sha256}{suffix}"

    def _read(self, gtin: str) -> Draft | None:
        try:
            return msgspec.json.decode((self._place(gtin) / _DRAFT).read_bytes(), type=Draft)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("draft not read", gtin=gtin, why=str(error))
            return None

    def _write(self, draft: Draft) -> None:
        write_atomic(self._place(draft.gtin) / _DRAFT, msgspec.json.encode(draft))
