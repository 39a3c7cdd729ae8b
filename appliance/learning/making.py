"""Make an example from two journal entries and the pictures that the verdict names.

The reader sees the pictures once more: the journal keeps texts, not the doubts of every character,
nor which of several pictures a line was found in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.learning.cutting import cut_line, label_area, painted, png
from appliance.learning.example import Example, Glyph, KeptLine, KeptPicture, SeenLine
from appliance.learning.keeping import Keeping, Privacy, truth_of, what_to_keep
from contracts.events import CartonJudged, CartonSettled
from contracts.stock import Evidence
from vision.frames import decode_frame
from vision.reading.ctc import UNREADABLE, Charset, Glyphs
from vision.reading.detector import corners
from vision.reading.reader import LabelReader
from vision.reading.recogniser import ReadLine

LABEL = "label"
READ = "read"
_MOST_LETTERS, _LEAST_PROBABILITY = 3, 0.01

Image = NDArray[np.uint8]
Sees = Callable[[Image, int], Sequence[SeenLine]]
"""A picture and its number among the carton's label pictures to the lines that are seen there."""


def sees(reader: LabelReader) -> Sees:
    """The reader's own eyes."""
    charset = reader.matcher.charset

    def see(image: Image, frame: int) -> Sequence[SeenLine]:
        return [
            _seen(line, frame, charset)
            for line in reader.line_reader.lines(image)
            if line.text.strip()
        ]

    return see


def make_example(
    judged: CartonJudged,
    settled: CartonSettled,
    *,
    device: str,
    at_us: int,
    picture: Callable[[str], bytes | None],
    see: Sees,
    seen_by: str,
    privacy: Privacy,
) -> Example | None:
    """None where no picture is left or none of them shows a field. `picture` gives the stored bytes
    by hash; `at_us` is when the answer was recorded. Raises BadFrameError.
    """
    reading = judged.reading
    if reading is None:
        return None
    shown: list[tuple[Evidence, bytes, Image]] = []
    for evidence in judged.evidence:
        data = picture(evidence.sha256) if evidence.kind == LABEL else None
        if data is not None:
            shown.append((evidence, data, decode_frame(data, name=evidence.sha256)))
    lines = [line for number, (_, _, image) in enumerate(shown) for line in see(image, number)]
    keeping = what_to_keep(truth_of(settled), lines)
    if not keeping.places:
        return None
    return Example(
        device=device,
        station=judged.station,
        carton_id=judged.carton_id,
        session=judged.session,
        at_us=at_us,
        model_set=judged.model_sets.get(READ, reading.model_set),
        seen_by=seen_by,
        camera=shown[0][0].camera,
        decision=str(reading.decision),
        confidence=reading.confidence,
        reasons=judged.verdict.reasons,
        candidates=reading.candidates,
        truth=truth_of(settled),
        how=settled.how,
        asn_line=settled.asn_line,
        privacy=str(privacy),
        lines=tuple(
            KeptLine(
                lines[index],
                tuple(place.field for place in places),
                png(cut_line(shown[lines[index].frame][2], lines[index].quad)),
            )
            for index, places in sorted(keeping.places.items())
        ),
        pictures=tuple(_pictures(privacy, shown, lines, keeping)),
    )


def _pictures(
    privacy: Privacy,
    shown: Sequence[tuple[Evidence, bytes, Image]],
    lines: Sequence[SeenLine],
    keeping: Keeping,
) -> Sequence[KeptPicture]:
    if privacy is Privacy.FRAME:
        return [
            KeptPicture("frame", number, evidence.media_type, data)
            for number, (evidence, data, _) in enumerate(shown)
        ]
    if privacy is not Privacy.LABEL:
        return []
    kept = []
    for number, (_, _, image) in enumerate(shown):
        here = {index: line.quad for index, line in enumerate(lines) if line.frame == number}
        closed = [quad for index, quad in here.items() if index not in keeping.open_lines]
        if here:
            left, top, right, bottom = label_area(image, list(here.values()))
            label = painted(image, closed)[top:bottom, left:right]
            kept.append(KeptPicture("label", number, "image/png", png(label)))
    return kept


def _seen(line: ReadLine, frame: int, charset: Charset) -> SeenLine:
    a, b, c, d = ((round(float(x), 1), round(float(y), 1)) for x, y in corners(line.box))
    return SeenLine(
        frame, (a, b, c, d), line.text, round(line.confidence, 4), _glyphs(line.glyphs, charset)
    )


def _glyphs(glyphs: Glyphs, charset: Charset) -> tuple[Glyph, ...]:
    names = ("", *charset.letters, UNREADABLE)
    whole = glyphs.letters
    if glyphs.hidden is not None:
        whole = np.column_stack([whole, glyphs.hidden])
    found = []
    for at, probabilities in zip(glyphs.at, whole, strict=True):
        best = np.argsort(-probabilities)[:_MOST_LETTERS]
        letters = tuple(
            (names[i], round(float(probabilities[i]), 3))
            for i in best
            if probabilities[i] >= _LEAST_PROBABILITY
        )
        found.append(Glyph(round(float(at), 4), letters))
    return tuple(found)
