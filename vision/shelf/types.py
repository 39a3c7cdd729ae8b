"""What a picture of a shelf gives: codes that were read, and places where one was not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.geometry import Quad


class CodeState(StrEnum):
    """`confirmed`: read, and on the stock list. `off_list`: read, and not on it. `read`: read, where no
    list was given. `unread`: a code stands there and nothing is told as sure (I7); `candidates` may
    hold what a person can tap.
    """

    CONFIRMED = "confirmed"
    OFF_LIST = "off_list"
    READ = "read"
    UNREAD = "unread"


class How(StrEnum):
    """How a code was read: as it is, enlarged, with the damage as erasures, or by the stock list
    (bars and print that are left fit one listed product and no other).
    """

    READ = "read"
    ENLARGED = "enlarged"
    MENDED = "mended"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Maybe:
    """A product that an unread code may stand for. `share` is its probability, 0..1."""

    gtin: str
    text: str
    share: float


@dataclass(frozen=True, slots=True)
class ReadCode:
    """One code. `quad` in frame pixels, from the top left corner on clockwise as it is read.

    `format` is the canonical name (`EAN13`, `UPCA`, `GS1-128`, `DataMatrix`, ...); `gtin` the 14
    digits that the code says, `product` the 14 digits of the listed product it stands for, both
    empty where there is none; `units` how many base units carry such a code.
    """

    quad: Quad
    state: CodeState
    text: str = ""
    format: str = ""
    gtin: str = ""
    product: str = ""
    units: int = 0
    lot: str = ""
    expiry: str = ""
    """ISO 8601, empty where the code says none."""
    how: How = How.READ
    confidence: float = 0.0
    """Probability that the product is right; 1.0 where the symbology's own proofs hold. 0.0 for a
    weakly checked code that no list confirms: its check digit fits, as one wrong reading in ten does.
    """
    candidates: tuple[Maybe, ...] = ()


@dataclass(frozen=True, slots=True)
class ShelfReading:
    """All codes of one frame. `codes` were read, `unread` are places where a code stands that was
    not.
    """

    codes: tuple[ReadCode, ...]
    unread: tuple[ReadCode, ...]
    elapsed_ms: float
