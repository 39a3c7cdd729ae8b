"""A product's good look as one file: at most 1 MB, hashed, bound to one backbone, never pickled.

A profile does not change: teaching makes another one (I5). What is in the file is arrays of
plain numbers and one JSON text; the digest covers both, so a flipped bit is refused.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError, BadInputError
from vision.defects.scale import Scale

FORMAT = 1
MOST_BYTES = 1 << 20
_MOST_UNPACKED_BYTES = 4 << 20
_ARRAYS = ("bank", "scenes", "thumb", "usual", "spread", "flaws")
_MEND = "Take the profile from its source again, or enrol the product anew"


@dataclass(frozen=True, slots=True)
class Range:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """What is known of a product besides its patches.

    `scores` has one leave-one-out score for each good item, in deviations from the typical one
    (vision.defects.scale), the unit of `threshold` too.
    """

    format: int
    product: str
    backbone: str
    """Digest of the model set whose patches these are."""
    width_px: int
    height_px: int
    good_items: int
    good_images: int
    patch_scale: Scale
    place_scale: Scale | None
    """None while the items are too few to say what belongs where."""
    place_counts: bool
    """Whether places are part of the score; else, of loosely lying goods, only of the gate."""
    place: Range
    """The strangest cell of good items."""
    scores: tuple[float, ...]
    bound_percent: int | None
    """At most so many of a hundred good items are called defective; None: too few to say."""
    threshold: float | None
    brightness: Range
    sharpness: Range
    typical: Range
    """Median patch distance of good pictures."""
    scene: Range
    shift_x: Range
    shift_y: Range
    odd: tuple[str, ...] = ()
    """Items that look unlike the rest: a look at their pictures is due before they set a limit."""
    parent: str = ""
    """Digest of the profile that this one was taught from."""
    lessons: tuple[str, ...] = ()
    """What was taught since enrolment: `miss` or `false_alarm`, oldest first."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """`bank` (n, 152) good patches, `scenes` (m, 16, 152), `thumb` (64, 64) luma, `usual`
    (r, c, 152) and `spread` (r, c) of each place, `flaws` (k, 152) patches of confirmed misses;
    float16, read-only. Equal when their digests are.
    """

    facts: ProfileFacts
    bank: NDArray[np.float16]
    scenes: NDArray[np.float16]
    thumb: NDArray[np.float16]
    usual: NDArray[np.float16]
    spread: NDArray[np.float16]
    flaws: NDArray[np.float16]
    digest: str

    @classmethod
    def of(
        cls,
        facts: ProfileFacts,
        *,
        bank: NDArray[np.float32],
        scenes: NDArray[np.float32],
        thumb: NDArray[np.float32],
        usual: NDArray[np.float32],
        spread: NDArray[np.float32],
        flaws: NDArray[np.float32],
    ) -> Profile:
        """Freeze the parts; the digest is computed here and nowhere else."""
        parts = (bank, scenes, thumb, usual, spread, flaws)
        arrays = [np.array(part, dtype=np.float16) for part in parts]
        return cls._frozen(facts, arrays, msgspec.json.encode(facts))

    @classmethod
    def _frozen(
        cls, facts: ProfileFacts, arrays: list[NDArray[np.float16]], meta: bytes
    ) -> Profile:
        for array in arrays:
            array.setflags(write=False)
        bank, scenes, thumb, usual, spread, flaws = arrays
        return cls(facts, bank, scenes, thumb, usual, spread, flaws, _digest(meta, arrays))

    @property
    def product(self) -> str:
        return self.facts.product

    @property
    def good_items(self) -> int:
        return self.facts.good_items

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Profile) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def to_bytes(self) -> bytes:
        """The file's content. Raises BadInputError above 1 MB."""
        buffer = io.BytesIO()
        meta = np.frombuffer(msgspec.json.encode(self.facts), dtype=np.uint8)
        digest = np.frombuffer(self.digest.encode(), dtype=np.uint8)
        np.savez_compressed(
            buffer,
            meta=meta,
            digest=digest,
            bank=self.bank,
            scenes=self.scenes,
            thumb=self.thumb,
            usual=self.usual,
            spread=self.spread,
            flaws=self.flaws,
        )
        data = buffer.getvalue()
        if len(data) > MOST_BYTES:
            raise BadInputError(
                f"The profile of {self.product} takes {len(data)} bytes, more than {MOST_BYTES}",
                mend="Enrol the product anew with the taught pictures among the good ones",
            )
        return data

    def save(self, path: Path) -> None:
        """Write whole or not at all; an earlier file stays until the new one is on disk."""
        data = self.to_bytes()
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)  # noqa: PTH105 -- the same call, on a name we hold as text

    @classmethod
    def load(cls, path: Path) -> Profile:
        """Raises BadInputError where there is no file, ArtefactRefusedError for what is not whole."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadInputError(
                f"{path} cannot be read: {error.strerror}",
                mend="Enrol the product first: tallyman inspect enrol",
            ) from error
        return cls.from_bytes(data, name=str(path))

    @classmethod
    def from_bytes(cls, data: bytes, *, name: str) -> Profile:
        """Raises ArtefactRefusedError naming what does not hold."""
        if len(data) > MOST_BYTES:
            raise ArtefactRefusedError(f"{name} is larger than a profile may be", mend=_MEND)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
            _check_unpacked(unpacked)
            with np.load(io.BytesIO(data), allow_pickle=False) as parts:
                meta = parts["meta"].tobytes()
                stored = parts["digest"].tobytes().decode("ascii")
                arrays = [np.array(parts[part]) for part in _ARRAYS]
            facts = msgspec.json.decode(meta, type=ProfileFacts)
        except ArtefactRefusedError:
            raise
        except (
            Exception
        ) as error:  # zip, zlib, numpy and msgspec each raise their own for bad bytes
            raise ArtefactRefusedError(f"{name} is not a profile: {error}", mend=_MEND) from error
        if facts.format != FORMAT or any(array.dtype != np.float16 for array in arrays):
            raise ArtefactRefusedError(f"{name} has another profile format", mend=_MEND)
        profile = cls._frozen(facts, arrays, meta)
        if profile.digest != stored:
            raise ArtefactRefusedError(f"{name} does not have the hash it names", mend=_MEND)
        return profile


def _check_unpacked(size: int) -> None:
    if size > _MOST_UNPACKED_BYTES:
        raise ValueError(f"it unpacks to {size} bytes")


def _digest(meta: bytes, arrays: list[NDArray[np.float16]]) -> str:
    whole = hashlib.sha256(meta)
    for array in arrays:
        whole.update(repr(array.shape).encode())
        whole.update(np.ascontiguousarray(array).astype("<f2").tobytes())
    return "sha256:" + whole.hexdigest()
