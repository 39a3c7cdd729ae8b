"""What was read from a label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.geometry import Quad
from contracts.reason import Reason


class ReadDecision(StrEnum):
    ACCEPT = "accept"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One field. `source` is `symbol`, `text`, `asn` (completed from the list) or `operator`."""

    value: str
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class LabelFields:
    """GTIN as 14 digits, batch as printed, expiry as ISO 8601 date; None where not read."""

    gtin: FieldValue | None = None
    batch: FieldValue | None = None
    expiry: FieldValue | None = None


@dataclass(frozen=True, slots=True)
class Symbol:
    """A decoded bar code or matrix code."""

    format: str
    text: str
    quad: Quad


@dataclass(frozen=True, slots=True)
class TextLine:
    text: str
    confidence: float
    quad: Quad


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer an operator may pick; at most three are offered."""

    gtin: str
    batch: str
    expiry: str
    probability: float
    asn_line: int | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class LabelReading:
    """`confidence` is the calibrated probability that every critical field is right (I7).

    `asn_line` counts the list's data lines from 1, or is None for "not on the list".
    """

    frame: str
    fields: LabelFields
    symbols: tuple[Symbol, ...]
    asn_line: int | None
    confidence: float
    decision: ReadDecision
    reasons: tuple[Reason, ...]
    model_set: str
    elapsed_ms: float
    lines: tuple[TextLine, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    print_style: str = ""
    """`printed` or `dot_matrix`; empty where the reader does not say."""
