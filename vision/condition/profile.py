"""The reference sides of a supplier's carton as one file: at most 1 MB, hashed, never pickled.

What is in it is bands of bytes, features and one JSON text; the digest covers all of it, so a
flipped bit is refused (I5).
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError, BadInputError
from vision.condition.align import Reference
from vision.condition.appearance import Anchor, Appearance
from vision.condition.band import Band
from vision.defects.scale import Scale
from vision.whole_file import write_whole

FORMAT = 1
MOST_BYTES = 1 << 20
MOST_SIDES = 6
_MOST_UNPACKED_BYTES = 8 << 20
_MEND = "Take the condition profile from its source again, or enrol the carton anew"
_META, _DIGEST = "meta", "digest"


@dataclass(frozen=True, slots=True)
class SideFacts:
    """What is known of one side besides its planes.

    `scores` has one leave-one-out score for each good carton but the anchor, in deviations from
    the typical one, the unit of `threshold` too.
    """

    name: str
    good_cartons: int
    scales: dict[str, Scale]
    """By channel; a channel that is missing does not count on this side."""
    scores: tuple[float, ...]
    bound_percent: int | None
    """At most so many of a hundred good sides are called damaged; None: too few to say."""
    threshold: float | None
    shown_from: float
    """From here on changes are shown to a person, bound or no bound."""
    brightness_low: float
    brightness_high: float
    sharpness_low: float
    resolution_low: float
    """Frame px for one px of the straightened side, where the good ones were seen worst."""
    ignored_share: float
    """Of the side, where good cartons differ among themselves: labels."""
    odd: tuple[str, ...] = ()
    """Cartons that look unlike the rest: a look at their pictures is due."""


@dataclass(frozen=True, slots=True)
class ConditionFacts:
    format: int
    product: str
    sides: tuple[SideFacts, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """`ignored` (h/4, w/4) where labels lie."""

    facts: SideFacts
    reference: Reference
    anchor: Anchor
    band: Band
    ignored: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ConditionProfile:
    """Never changes. Equal when the digests are."""

    facts: ConditionFacts
    sides: tuple[Side, ...]
    digest: str

    @classmethod
    def of(cls, product: str, sides: tuple[Side, ...]) -> ConditionProfile:
        """Freeze the sides; the digest is computed here and nowhere else.

        Raises BadInputError for no side or more than six.
        """
        if not 0 < len(sides) <= MOST_SIDES:
            raise BadInputError(
                f"A carton has 1 to {MOST_SIDES} sides, not {len(sides)}",
                mend="Name the sides to be enrolled",
            )
        facts = ConditionFacts(FORMAT, product, tuple(side.facts for side in sides))
        return cls(facts, sides, _digest(msgspec.json.encode(facts), _arrays(sides)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConditionProfile) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def to_bytes(self) -> bytes:
        """The file's content. Raises BadInputError above 1 MB."""
        buffer = io.BytesIO()
        texts = {
            _META: np.frombuffer(msgspec.json.encode(self.facts), np.uint8),
            _DIGEST: np.frombuffer(self.digest.encode(), np.uint8),
        }
        np.savez_compressed(buffer, allow_pickle=False, **texts, **_arrays(self.sides))
        data = buffer.getvalue()
        if len(data) > MOST_BYTES:
            raise BadInputError(
                f"The condition profile of {self.facts.product} takes {len(data)} bytes, "
                f"more than {MOST_BYTES}",
                mend="Enrol fewer sides: those that the label camera sees",
            )
        return data

    def save(self, path: Path) -> None:
        """Write whole or not at all. Raises BadInputError where the file cannot be written."""
        write_whole(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> ConditionProfile:
        """Raises BadInputError where there is no file, ArtefactRefusedError for what is not whole."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadInputError(
                f"{path} cannot be read: {error.strerror}",
                mend="Enrol the carton first: tallyman condition enrol",
            ) from error
        return cls.from_bytes(data, name=str(path))

    @classmethod
    def from_bytes(cls, data: bytes, *, name: str) -> ConditionProfile:
        """Raises ArtefactRefusedError naming what does not hold."""
        if len(data) > MOST_BYTES:
            raise ArtefactRefusedError(f"{name} is larger than such a profile may be", mend=_MEND)
        try:
            facts, arrays, stored, meta = _unpacked(data)
            sides = tuple(_side(one, arrays, n) for n, one in enumerate(facts.sides))
        except (
            Exception
        ) as error:  # zip, zlib, numpy and msgspec each raise their own for bad bytes
            raise ArtefactRefusedError(
                f"{name} is not a condition profile: {error}", mend=_MEND
            ) from error
        if facts.format != FORMAT:
            raise ArtefactRefusedError(f"{name} has another condition format", mend=_MEND)
        if _digest(meta, arrays) != stored:
            raise ArtefactRefusedError(f"{name} does not have the hash it names", mend=_MEND)
        return cls(facts, sides, stored)


def _unpacked(data: bytes) -> tuple[ConditionFacts, dict[str, NDArray[np.generic]], str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > _MOST_UNPACKED_BYTES:
        raise ValueError(f"it unpacks to {size} bytes")
    with np.load(io.BytesIO(data), allow_pickle=False) as parts:
        meta = parts[_META].tobytes()
        stored = parts[_DIGEST].tobytes().decode("ascii")
        arrays = {name: np.array(parts[name]) for name in parts.files if name[0].isdigit()}
    return msgspec.json.decode(meta, type=ConditionFacts), arrays, stored, meta


def _arrays(sides: tuple[Side, ...]) -> dict[str, NDArray[np.generic]]:
    found: dict[str, NDArray[np.generic]] = {}
    for number, side in enumerate(sides):
        parts: dict[str, NDArray[np.generic] | None] = {
            "points": side.reference.points.astype(np.float32),
            "descriptors": side.reference.descriptors,
            "reference": side.reference.detail,
            "tone": side.anchor.tone.astype(np.float32),
            "chroma": side.anchor.colour.astype(np.float32),
            "ignored": side.ignored.astype(np.uint8),
        }
        for end, look in (("low", side.band.low), ("high", side.band.high)):
            parts[f"detail_{end}"], parts[f"tone_{end}"] = look.detail, look.tone
            parts[f"colour_{end}"], parts[f"solid_{end}"] = look.colour, look.solid
        found |= {f"{number}_{name}": part for name, part in parts.items() if part is not None}
    return found


def _side(facts: SideFacts, arrays: dict[str, NDArray[np.generic]], number: int) -> Side:
    def floats(name: str) -> NDArray[np.float32]:
        array = arrays[f"{number}_{name}"]
        if array.dtype != np.float32:
            raise ValueError(f"{name} of {facts.name} is {array.dtype}")
        return array.astype(np.float32)

    def plane(name: str) -> NDArray[np.uint8]:
        array = arrays[f"{number}_{name}"]
        if array.dtype != np.uint8:
            raise ValueError(f"{name} of {facts.name} is {array.dtype}")
        return array.astype(np.uint8)

    def look(end: str) -> Appearance:
        solid = plane(f"solid_{end}") if f"{number}_solid_{end}" in arrays else None
        return Appearance(
            plane(f"detail_{end}"), plane(f"tone_{end}"), plane(f"colour_{end}"), solid
        )

    return Side(
        facts,
        Reference(floats("points"), plane("descriptors"), plane("reference")),
        Anchor(floats("tone"), floats("chroma")),
        Band(look("low"), look("high")),
        plane("ignored").astype(np.bool_),
    )


def _digest(meta: bytes, arrays: dict[str, NDArray[np.generic]]) -> str:
    whole = hashlib.sha256(meta)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        whole.update(f"{name} {array.shape} {array.dtype.str}".encode())
        whole.update(array.tobytes())
    return "sha256:" + whole.hexdigest()
