"""One learning example: what the reader saw on a carton, what it believed, and what was true.

An example is one file, so it is there or not, is sent in one request and is erased in one step. It
names no person: who settled the carton stands in the journal alone.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import msgspec

from appliance.journal.stamp import to_us
from contracts.errors import BadInputError
from contracts.geometry import Quad
from contracts.reading import Candidate
from contracts.reason import Reason

FIELDS = ("gtin", "batch", "expiry")
FORMAT = 1
MOST_BYTES = 32 << 20
_NAME = re.compile(r"([0-9]{16})-([0-9a-f]{8})-([0-9a-f]{16})-([0-9a-f]{64})\.example")
_MOST_US = 10**16 - 1


@dataclass(frozen=True, slots=True)
class Truth:
    """What the operator said: GTIN of 14 digits, batch as keyed, expiry as ISO 8601 date."""

    gtin: str
    batch: str
    expiry: str


@dataclass(frozen=True, slots=True)
class Glyph:
    """One place of a line. `at` lies along the line, 0..1; `letters` are the likeliest with their
    probabilities, best first, the empty one meaning "nothing here" and vision.reading.ctc.UNREADABLE
    "something that cannot be read".
    """

    at: float
    letters: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class SeenLine:
    """A line as the reader saw it, `quad` in pixels of the carton's label picture `frame` (from 0)."""

    frame: int
    quad: Quad
    text: str
    confidence: float
    glyphs: tuple[Glyph, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A line that shows `fields` (of FIELDS). `crop` is a PNG: the line upright, as
    appliance.learning.cutting makes it.
    """

    line: SeenLine
    fields: tuple[str, ...]
    crop: bytes


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A label or a whole frame where the privacy setting allows one; `data` is a PNG or as stored."""

    kind: str
    frame: int
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Example:
    """`model_set` judged the carton; `seen_by` is the set whose lines stand here. `at_us` is when
    the operator's answer was recorded (microseconds since 1970, UTC). `how` is `candidate` or
    `keyed`. `decision`, `confidence`, `reasons` and `candidates` are what the reader believed.
    """

    device: str
    station: str
    carton_id: str
    session: str | None
    at_us: int
    model_set: str
    seen_by: str
    camera: str
    decision: str
    confidence: float
    reasons: tuple[Reason, ...]
    candidates: tuple[Candidate, ...]
    truth: Truth
    how: str
    asn_line: int | None
    privacy: str
    lines: tuple[KeptLine, ...]
    pictures: tuple[KeptPicture, ...] = ()
    format: int = FORMAT


@dataclass(frozen=True, slots=True, order=True)
class ExampleName:
    """The name of an example's file tells its age, its device and carton (by their keys) and its
    content; it sorts by age.
    """

    at_us: int
    device: str
    carton: str
    sha256: str

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """None for what is not an example's name."""
        match = _NAME.fullmatch(name)
        return cls(int(match[1]), match[2], match[3], match[4]) if match else None

    def __str__(self) -> str:
        return f"{self.at_us:016d}-{self.device}-{self.carton}-{self.sha256}.example"


def device_key(device: str) -> str:
    """8 hex digits that stand for a device."""
    return hashlib.sha256(device.encode()).hexdigest()[:8]


def carton_key(device: str, carton_id: str) -> str:
    """16 hex digits that stand for a carton of a device."""
    return hashlib.sha256(f"{device}\n{carton_id}".encode()).hexdigest()[:16]


def encode_example(example: Example) -> bytes:
    """MessagePack; the same example gives the same bytes."""
    return msgspec.msgpack.encode(example, order="deterministic")


def decode_example(data: bytes) -> Example:
    """Raises BadInputError for bytes that are no example of a format known here."""
    try:
        example = msgspec.msgpack.decode(data, type=Example)
    except msgspec.MsgspecError as error:
        raise BadInputError(
            f"not a learning example: {error}", mend="Update the software on both sides"
        ) from error
    if example.format != FORMAT or not 0 <= example.at_us <= _MOST_US:
        raise BadInputError(
            f"an example of format {example.format} at {example.at_us} is not known here",
            mend="Update the software on both sides",
        )
    return example


def name_of(example: Example, data: bytes) -> ExampleName:
    """`data` are the example's bytes."""
    return ExampleName(
        example.at_us,
        device_key(example.device),
        carton_key(example.device, example.carton_id),
        hashlib.sha256(data).hexdigest(),
    )


def time_of(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1e6, UTC)


def us_of(at: datetime) -> int:
    return to_us(at)
