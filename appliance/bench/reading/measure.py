"""One frame, read with the list and without it, held against the truth.

The only place of the bench that knows the label reader's steps; everything behind it works on
`Measured`, which is also what a campaign keeps as one JSON line a frame.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.bench.label_truth import FIELDS, Truth, fields_answer, is_right
from appliance.bench.lines_found import FrameLines, count_found
from contracts.asn import ExpectedLine
from contracts.reading import ReadDecision
from vision.frames import decode_frame
from vision.reading.decide import Outcome
from vision.reading.reader import LabelReader, View


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of one frame. `right`: every critical field as given equals the truth (forced
    choice). `wrong`: fields given out that are not what is true; `missing`: critical fields that
    were not given out at all, which is an honest "unreadable".
    """

    right: bool
    accepted: bool
    confidence: float
    wrong: tuple[str, ...]
    missing: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """One frame. `grade`: percent of the code area that was destroyed, to the nearest ten.
    `best_line_right`: the best announced line, taken at its word, is the truth. `with_list` is
    None where nothing was announced. `ms` is wall time from the decoded frame to the reading,
    `cpu_ms` the processor's over all threads, `stages` wall time by step. `lines`: critical lines
    found whole, and how many there are.
    """

    file: str
    kind: str
    grade: int
    on_list: bool
    critical: tuple[str, ...]
    with_list: Told | None
    best_line_right: bool
    without_list: Told
    ms: float
    cpu_ms: float
    stages: dict[str, float]
    lines: tuple[int, int] = (0, 0)


def measure(
    reader: LabelReader,
    expected: Sequence[ExpectedLine],
    folder: Path,
    truth: Truth,
    lines: FrameLines | None = None,
) -> Measured:
    """Read the frame `truth.file` in `folder` both ways. Raises BadFrameError, OSError."""
    opened = time.perf_counter()
    frame = load(folder, truth)
    start, cpu = time.perf_counter(), time.process_time()
    view = reader.see(frame)
    seen = time.perf_counter()
    judged = reader.conclude([frame], [view], expected)
    outcome = judged.outcome
    end, cpu_end = time.perf_counter(), time.process_time()
    plain = reader.conclude([frame], [view], ()).outcome if expected else outcome
    return Measured(
        file=truth.file,
        kind=truth.kind,
        grade=10 * round(10 * truth.damage),
        on_list=truth.on_asn,
        critical=truth.critical,
        with_list=_told(truth, outcome) if expected else None,
        best_line_right=_best_line_right(truth, outcome, expected),
        without_list=_told(truth, plain),
        ms=round(1000 * (end - start), 2),
        cpu_ms=round(1000 * (cpu_end - cpu), 2),
        stages={
            "decode": round(1000 * (start - opened), 2),
            "see": round(1000 * (seen - start), 2),
            "conclude": round(1000 * (end - seen), 2),
        },
        lines=count_found(lines, _boxes(view)) if lines else (0, 0),
    )


def load(folder: Path, truth: Truth) -> NDArray[np.uint8]:
    """The frame as (h, w, 3) uint8 BGR."""
    return decode_frame((folder / truth.file).read_bytes(), name=truth.file)


def _told(truth: Truth, outcome: Outcome) -> Told:
    given = fields_answer(outcome.fields)
    return Told(
        right=is_right(truth, given),
        accepted=outcome.decision is ReadDecision.ACCEPT,
        confidence=round(outcome.confidence, 5),
        wrong=tuple(
            name
            for name in FIELDS
            if name in truth.fields and given[name] not in (None, truth.fields[name])
        ),
        missing=tuple(name for name in truth.critical if given[name] is None),
        reasons=tuple(reason.code for reason in outcome.reasons),
    )


def _best_line_right(truth: Truth, outcome: Outcome, expected: Sequence[ExpectedLine]) -> bool:
    by_number = {each.line.number: each.line for each in expected}
    numbers = [outcome.asn_line, *(each.asn_line for each in outcome.candidates)]
    best = next((by_number[n] for n in numbers if n is not None), None)
    if best is None:
        return False
    said = {"gtin": best.gtin, "batch": best.batch, "expiry": best.expiry.isoformat()}
    return is_right(truth, said)


def _boxes(view: View) -> NDArray[np.float64]:
    """What was found and read, (n, 5)."""
    return np.array([line.box for line in view.lines], dtype=np.float64).reshape(-1, 5)
