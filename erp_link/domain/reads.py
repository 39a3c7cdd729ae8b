"""What one carton says about reading: read or left to a person, why, and whether it was right (I7).

Rules. A carton is *read* when the reader accepted its reading, whatever else the verdict asked a
person for; every other carton is a *review* of reading, for one named cause, so that read and review
sum to the cartons and the causes sum to the reviews. Whether a reading was *right* is known only
where a person said what the label says: then all three fields must agree. Nothing else counts as
truth; a refused carton leaves it open.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events import CartonJudged, CartonSettled
from contracts.reading import LabelFields, LabelReading, ReadDecision
from contracts.reason import Reason
from erp_link.domain.carriers import carrier_of

AUDIT = "audit"
"""The reason code of a carton that was drawn at random for a person to confirm."""

CAUSES = (
    "no_picture",
    "engine_failed",
    "no_label",
    "two_labels",
    "off_list",
    "glare",
    "blurred",
    "damaged",
    "unreadable",
    "conflict",
    "perhaps_off_list",
    "uncalibrated",
    "low_confidence",
    "other",
)
"""Why a carton was not read, the one that explains most first: a carton has the first that applies."""

_CAUSE_OF = {
    "engine_failed": "engine_failed",
    "no_label": "no_label",
    "two_labels": "two_labels",
    "off_list": "off_list",
    "glare": "glare",
    "blurred": "blurred",
    "damaged": "damaged",
    **{
        f"{field}_{how}": "unreadable"
        for field in ("gtin", "batch", "expiry")
        for how in ("unreadable", "partly_read")
    },
    "field_conflict": "conflict",
    "perhaps_off_list": "perhaps_off_list",
    "reader_uncalibrated": "uncalibrated",
    "low_confidence": "low_confidence",
}

BANDS = 20
"""Bands of confidence, each five points wide."""
QUARTER_US = 15 * 60 * 1_000_000
"""Time is counted in quarters of an hour since 1970: every time zone's hours are made of them."""


@dataclass(frozen=True, slots=True)
class Facet:
    """Everything that rates are split by, time and cause apart.

    `camera` is station and camera. `source` is where the fields came from: symbol, text, mixed,
    list (completed from the list) or none. `print_style` is printed, dot_matrix, or "" unknown.
    """

    camera: str = ""
    supplier: str = ""
    carrier: str = ""
    print_style: str = ""
    source: str = "none"
    model_set: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """Everything that a carton counts under, time apart. `cause` is "" where it was read.

    `audited`: drawn at random. `was_right` is None while nobody has said what the label says.
    """

    facet: Facet
    accepted: bool
    audited: bool
    cause: str
    was_right: bool | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a label says: GTIN as 14 digits, batch, expiry as ISO 8601; "" where not read."""

    gtin: str = ""
    batch: str = ""
    expiry: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A judged carton as the rates count it. `confidence` is None where nothing was read from.

    `pictures` are the SHA-256 of its label pictures.
    """

    cell: Cell
    confidence: float | None
    answer: Answer
    reasons: tuple[Reason, ...]
    pictures: tuple[str, ...]

    @property
    def band(self) -> int | None:
        return None if self.confidence is None else band_of(self.confidence)


def band_of(confidence: float) -> int:
    """The band of a confidence in [0, 1]."""
    return min(BANDS - 1, max(0, int(confidence * BANDS)))


def read_of(body: CartonJudged, *, supplier: str, truth: Answer | None) -> Read:
    """What `body` says about reading. `supplier` is who announced the delivery, `truth` what a
    person says the label says, where it is known.
    """
    reading = body.reading
    labels = [each for each in body.evidence if each.kind == "label"]
    camera = next((each.camera for each in labels if each.camera), "")
    answer = _answer(reading.fields) if reading else Answer()
    accepted = reading is not None and reading.decision is ReadDecision.ACCEPT
    facet = Facet(
        camera=f"{body.station} {camera}".strip(),
        supplier=supplier,
        carrier=carrier_of(symbol.text for symbol in reading.symbols) if reading else "",
        print_style=reading.print_style if reading else "",
        source=_source(reading.fields) if reading else "none",
        model_set=reading.model_set if reading else body.model_sets.get("read", ""),
    )
    return Read(
        cell=Cell(
            facet,
            accepted=accepted,
            audited=any(reason.code == AUDIT for reason in body.verdict.reasons),
            cause="" if accepted else _cause(reading, body.verdict.reasons),
            was_right=is_right(answer, truth, claimed=reading is not None),
        ),
        confidence=reading.confidence if reading else None,
        answer=answer,
        reasons=body.verdict.reasons,
        pictures=tuple(each.sha256 for each in labels),
    )


def truth_of(body: CartonSettled) -> Answer | None:
    """What a person says the label says; None where the carton was only set aside."""
    if body.how == "refused":
        return None
    return Answer(body.gtin, body.batch, body.expiry)


def is_right(answer: Answer, truth: Answer | None, *, claimed: bool) -> bool | None:
    """Whether a reading was right; None where nobody knows, or nothing was `claimed`."""
    return None if truth is None or not claimed else answer == truth


def _cause(reading: LabelReading | None, verdict: tuple[Reason, ...]) -> str:
    if reading is None:
        failed = any(reason.code == "engine_failed" for reason in verdict)
        return "engine_failed" if failed else "no_picture"
    found = {_CAUSE_OF.get(reason.code, "other") for reason in reading.reasons}
    return min(found or {"low_confidence"}, key=CAUSES.index)


def _source(fields: LabelFields) -> str:
    sources = {
        field.source for field in (fields.gtin, fields.batch, fields.expiry) if field is not None
    }
    if "asn" in sources:
        return "list"
    if len(sources) > 1:
        return "mixed"
    return sources.pop() if sources else "none"


def _answer(fields: LabelFields) -> Answer:
    gtin, batch, expiry = (
        field.value if field is not None else ""
        for field in (fields.gtin, fields.batch, fields.expiry)
    )
    return Answer(gtin, batch, expiry)
