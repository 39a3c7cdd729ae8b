"""A product's good look as one file: at most 1 MB, hashed, bound to its networks, never pickled.

A profile does not change: teaching makes another one (I5). What is in the file is arrays of
plain numbers and one JSON text; the digest covers both, so a flipped bit is refused.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError, BadInputError
from vision.defects.facts import FORMAT, ProfileFacts, Range
from vision.defects.packing import packed, unpacked
from vision.whole_file import write_whole

__all__ = ["FORMAT", "MOST_BYTES", "Profile", "ProfileFacts", "Range"]

MOST_BYTES = 1 << 20
_MOST_UNPACKED_BYTES = 4 << 20
_PACKED = ("bank", "scenes", "usual", "flaws", "strange")
_PLAIN = ("spread", "crack_weights", "head")
_MEND = "Take the profile from its source again, or enrol the product anew"

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """`bank` (n, 152) good patches, `scenes` (m, 16, 152), `usual` (r, c, 152) and
    `spread` (r, c) of each place, `flaws` (k, 152) patches of confirmed misses;
    `strange` (items, k, 152) the strangest patches of good items; `crack_weights` (n,) of the
    product's own crack network, `head` (p, q) of one learned from flaws, either empty where there
    is none. Read-only. Equal when their digests are.
    """

    facts: ProfileFacts
    bank: NDArray[np.float32]
    scenes: NDArray[np.float32]
    usual: NDArray[np.float32]
    spread: NDArray[np.float32]
    flaws: NDArray[np.float32]
    strange: NDArray[np.float32]
    crack_weights: NDArray[np.float16]
    head: NDArray[np.float32]
    digest: str
    stored: Arrays
    """As in the file."""

    @classmethod
    def of(
        cls,
        facts: ProfileFacts,
        *,
        bank: NDArray[np.float32],
        scenes: NDArray[np.float32],
        usual: NDArray[np.float32],
        spread: NDArray[np.float32],
        flaws: NDArray[np.float32],
        strange: NDArray[np.float32] | None = None,
        crack_weights: NDArray[np.float16] | None = None,
        head: NDArray[np.float32] | None = None,
    ) -> Profile:
        """Freeze the parts; the digest is computed here and nowhere else."""
        parts: Arrays = {
            "bank": bank,
            "scenes": scenes,
            "usual": usual,
            "flaws": flaws,
            "strange": np.empty((0, 0, 0), np.float32) if strange is None else strange,
            "spread": spread,
            "crack_weights": np.empty(0, np.float16) if crack_weights is None else crack_weights,
            "head": np.empty((0, 0), np.float32) if head is None else head,
        }
        return cls._frozen(facts, _stored(parts), msgspec.json.encode(facts))

    def but(self, facts: ProfileFacts, **changed: NDArray[Any]) -> Profile:
        """Another profile: these facts, the named arrays in place of this one's."""
        names = (*_PACKED, *_PLAIN)
        if wrong := sorted(set(changed) - set(names)):
            raise ValueError(f"a profile has no {', '.join(wrong)}")
        return Profile.of(facts, **{name: getattr(self, name) for name in names} | changed)

    @classmethod
    def _frozen(cls, facts: ProfileFacts, stored: Arrays, meta: bytes) -> Profile:
        return cls(
            facts=facts,
            **{name: unpacked(stored[name]) for name in _PACKED},
            spread=_widened(stored["spread"]),
            head=_widened(stored["head"]),
            crack_weights=stored["crack_weights"],
            digest=_digest(meta, stored),
            stored=stored,
        )

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
        np.savez_compressed(buffer, allow_pickle=False, meta=meta, digest=digest, **self.stored)
        data = buffer.getvalue()
        if len(data) > MOST_BYTES:
            raise BadInputError(
                f"The profile of {self.product} takes {len(data)} bytes, more than {MOST_BYTES}",
                mend="Enrol the product anew with the taught pictures among the good ones",
            )
        return data

    def save(self, path: Path) -> None:
        """Write whole or not at all. Raises BadInputError where the file cannot be written."""
        write_whole(path, self.to_bytes())

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
                _check_format(meta, name)
                stored_digest = parts["digest"].tobytes().decode("ascii")
                stored = MappingProxyType({part: np.array(parts[part]) for part in _TYPES})
            _check_types(stored)
            facts = msgspec.json.decode(meta, type=ProfileFacts)
            profile = cls._frozen(facts, stored, meta)
        except ArtefactRefusedError:
            raise
        except (
            Exception
        ) as error:  # zip, zlib, numpy and msgspec each raise their own for bad bytes
            raise ArtefactRefusedError(f"{name} is not a profile: {error}", mend=_MEND) from error
        if profile.digest != stored_digest:
            raise ArtefactRefusedError(f"{name} does not have the hash it names", mend=_MEND)
        return profile


_TYPES: Mapping[str, type[np.generic]] = {
    **dict.fromkeys(_PACKED, np.int8),
    **dict.fromkeys(_PLAIN, np.float16),
}


class _Made(msgspec.Struct):
    format: int


def _check_format(meta: bytes, name: str) -> None:
    found = msgspec.json.decode(meta, type=_Made).format
    if found != FORMAT:
        raise ArtefactRefusedError(
            f"{name} has profile format {found}, this version reads format {FORMAT}",
            mend="Enrol the product anew from its good pictures: tallyman inspect enrol",
        )


def _check_unpacked(size: int) -> None:
    if size > _MOST_UNPACKED_BYTES:
        raise ValueError(f"it unpacks to {size} bytes")


def _check_types(stored: Arrays) -> None:
    for name, wanted in _TYPES.items():
        if stored[name].dtype != wanted:
            raise ValueError(f"its {name} holds {stored[name].dtype}, not {np.dtype(wanted)}")
        stored[name].setflags(write=False)


def _stored(parts: Mapping[str, NDArray[Any]]) -> Arrays:
    stored: dict[str, NDArray[Any]] = {name: packed(parts[name]) for name in _PACKED}
    stored |= {name: np.array(parts[name], dtype=np.float16) for name in _PLAIN}
    for array in stored.values():
        array.setflags(write=False)
    return MappingProxyType(stored)


def _widened(stored: NDArray[np.float16]) -> NDArray[np.float32]:
    whole = stored.astype(np.float32)
    whole.setflags(write=False)
    return whole


def _digest(meta: bytes, stored: Arrays) -> str:
    whole = hashlib.sha256(meta)
    for name in sorted(stored):
        array = stored[name]
        whole.update(repr((name, array.dtype.str, array.shape)).encode())
        whole.update(np.ascontiguousarray(array).tobytes())
    return "sha256:" + whole.hexdigest()
