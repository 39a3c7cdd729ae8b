"""Measure two model sets on the same lines and frames, for appliance.learning.candidate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.bench.label_truth import FIELDS, fields_answer, is_right, read_truth
from appliance.bench.statistics import calibration_error, reliability
from appliance.learning.candidate import Figures, Measured, Paired
from appliance.learning.lines import TeachingLine
from contracts.asn import ExpectedLine
from contracts.reading import LabelReading, ReadDecision
from erp_link.asn.files import read_asn
from vision.frames import decode_frame
from vision.reading.ctc import FOLD, UNREADABLE
from vision.reading.reader import LabelReader
from vision.reading.recogniser import Recogniser

_SURE = 0.9
"""Of every character: from here on a line counts as given out."""


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: was it right, how sure was it, was it given out as read?"""

    right: bool
    confidence: float
    accepted: bool


def measured(current: Sequence[Said], candidate: Sequence[Said]) -> Measured:
    """The answers of both sets to the same trials, in the same order."""
    both = list(zip(current, candidate, strict=True))
    return Measured(
        Paired(
            len(both),
            gains=sum(new.right and not old.right for old, new in both),
            losses=sum(old.right and not new.right for old, new in both),
        ),
        figures(current),
        figures(candidate),
    )


def figures(said: Sequence[Said]) -> Figures:
    bins = reliability([each.confidence for each in said], [each.right for each in said])
    return Figures(
        trials=len(said),
        right=sum(each.right for each in said),
        accepted=sum(each.accepted for each in said),
        wrong_accepts=sum(each.accepted and not each.right for each in said),
        calibration_error=calibration_error(bins),
    )


def read_lines(recogniser: Recogniser, lines: Sequence[TeachingLine]) -> list[Said]:
    """Lines of the hold-out. A line is as sure as its least sure character."""
    said = []
    for line in lines:
        read = recogniser.read(line.kept, line.box)
        sure = min(read.sure, default=read.confidence)
        right = plain(read.text) == plain(line.text)
        said.append(Said(right, sure, sure >= _SURE and UNREADABLE not in read.text))
    return said


def read_frames(
    reader: LabelReader, folder: Path, *, step: Callable[[], None] = lambda: None
) -> list[Said]:
    """Rendered frames with truth.json and asn.csv. Right is the accepted answer, or the first
    candidate of a review. Raises BadInputError.
    """
    expected = [ExpectedLine(line) for line in read_asn(folder / "asn.csv").lines]
    said = []
    for truth in read_truth(folder):
        frame = decode_frame((folder / truth.file).read_bytes(), name=truth.file)
        reading = reader.read([frame], expected, name=truth.file)
        accepted = reading.decision is ReadDecision.ACCEPT
        said.append(Said(is_right(truth, _answer(reading)), reading.confidence, accepted))
        step()
    return said


def plain(text: str) -> str:
    """What counts as the same text: small and full-width letters, spaces and marks of a date aside."""
    folded = text.translate(FOLD).upper()
    return "".join(c for c in folded if c.isalnum() or c == UNREADABLE)


def _answer(reading: LabelReading) -> dict[str, str | None]:
    if reading.decision is not ReadDecision.ACCEPT and reading.candidates:
        first = reading.candidates[0]
        return {name: getattr(first, name) for name in FIELDS}
    return dict(fields_answer(reading.fields))
