"""One suite for everything that reads lines: our pipeline on each engine, and other readers.

`make test-openvino` and `make test-paddle` name theirs in TALLYMAN_READERS and bring what it
needs; asked for and not there, it fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.bench.label_truth import read_truth
from appliance.engines import open_reader
from appliance.model_sets import READER, carried
from contracts.asn import ExpectedLine
from contracts.reading import ReadDecision
from erp_link.asn.files import read_asn
from tests.support.paddle import running_paddle
from tests.vision.reading.readings import line
from vision.engine import CPU, OPENVINO
from vision.frames import decode_frame
from vision.reading.detector import corners
from vision.reading.reader import LabelReader

ASKED = os.environ.get("TALLYMAN_READERS", "").split()
LIST = (
    line(1, "08804045943238", "L342836", "2028-12-03"),
    line(2, "06938967753711", "A98B61", "2029-09-19"),
)
ROWS = ("GTIN 08804045943238", "LOT L342836", "MFG 2027-06-05", "EXP 2028-12-03")
GOLDEN = 8


def label(rows: tuple[str, ...] = ROWS) -> np.ndarray:
    page = np.full((480, 640, 3), 215, np.uint8)
    for i, text in enumerate(rows):
        at = (90, 150 + 55 * i)
        cv2.putText(page, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.0, (40, 40, 40), 2, cv2.LINE_AA)
    return page


@pytest.fixture(scope="module")
def usual() -> LabelReader:
    return open_reader(carried(READER), CPU, threads=2)


@pytest.fixture(scope="module", params=["own", *ASKED])
def reader(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabelReader]:
    match request.param:
        case "own":
            yield open_reader(carried(READER), CPU, threads=1)
        case "openvino":
            yield open_reader(carried(READER), OPENVINO, threads=2)
        case "paddle":
            with running_paddle(tmp_path_factory.mktemp("paddle")) as (_, made):
                yield made
        case other:
            pytest.fail(f"TALLYMAN_READERS names {other}, which nobody knows")


def test_lines_are_where_they_stand_and_say_what_stands_there(reader: LabelReader) -> None:
    lines = reader.line_reader.lines(label())
    joined = "".join(each.text for each in lines).replace(" ", "")
    for row in ROWS:
        assert row.split()[1] in joined
    (lot,) = [each for each in lines if "L342836" in each.text]
    quad = corners(lot.box)
    # The row was drawn on a base line at 205 px, from 90 px on, in letters of 22 px; readers put
    # more or less room around it.
    assert quad[0] == pytest.approx((88, 176), abs=14)
    assert quad[2][1] == pytest.approx(212, abs=14)
    assert abs(lot.box[4]) < 0.05


def test_glyphs_are_probabilities_over_the_sets_letters(reader: LabelReader) -> None:
    letters = reader.matcher.charset.letters
    for each in reader.line_reader.lines(label()):
        assert each.glyphs.letters.shape == (len(each.glyphs), 1 + len(letters))
        assert np.all(each.glyphs.letters >= 0)
        assert np.all(each.glyphs.letters.sum(axis=1) <= 1 + 1e-3)
        assert np.all(np.diff(each.glyphs.at) >= 0)
        assert 0 <= each.confidence <= 1


def test_an_empty_belt_shows_no_text(reader: LabelReader) -> None:
    belt = np.full((480, 640, 3), 90, np.uint8)
    assert not any(each.text.strip() for each in reader.line_reader.lines(belt))
    reading = reader.read([belt], LIST, name="belt")
    assert [reason.code for reason in reading.reasons] == ["no_label"]


@pytest.mark.parametrize("shape", [(33, 640), (480, 31), (1, 1), (8, 2000)])
def test_odd_frames_are_read_as_any_other(reader: LabelReader, shape: tuple[int, int]) -> None:
    assert reader.line_reader.lines(np.full((*shape, 3), 200, np.uint8)) is not None


def test_several_threads_read_what_one_reads(reader: LabelReader) -> None:
    frames = [label(), label(ROWS[::-1]), label(ROWS[:2]), np.full((480, 640, 3), 90, np.uint8)]
    alone = [[each.text for each in reader.line_reader.lines(frame)] for frame in frames]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(reader.line_reader.lines, frames * 2))
    assert [[each.text for each in lines] for lines in together] == alone * 2


def test_a_clean_label_finds_its_line_and_only_a_measured_reader_accepts_it(
    reader: LabelReader,
) -> None:
    reading = reader.read([label()], LIST, name="clean")
    assert reading.asn_line == 1
    if reader.calibrated:
        assert reading.decision is ReadDecision.ACCEPT
    else:
        assert [reason.code for reason in reading.reasons] == ["reader_uncalibrated"]


@pytest.mark.data
def test_golden_frames_are_decided_as_on_the_usual_engine(
    reader: LabelReader, usual: LabelReader, data_dir: Path
) -> None:
    """The proof behind a variant in a manifest: same set, same decisions, as on more or fewer
    threads. A reader with networks
    of its own is another set: it must agree where it is sure, and accept nothing.
    """
    folder = data_dir / "labels" / "damaged_dev"
    expected = [ExpectedLine(each) for each in read_asn(folder / "asn.csv").lines]
    agreed = 0
    for truth in read_truth(folder, limit=GOLDEN):
        frame = decode_frame((folder / truth.file).read_bytes(), name=truth.file)
        wanted = usual.read([frame], expected, name=truth.file)
        given = reader.read([frame], expected, name=truth.file)
        agreed += given.asn_line == wanted.asn_line
        if reader.calibrated:
            assert (given.decision, given.asn_line) == (wanted.decision, wanted.asn_line)
            assert given.confidence == pytest.approx(wanted.confidence, abs=0.01)
            assert [each.text for each in given.lines] == [each.text for each in wanted.lines]
        else:
            assert given.decision is ReadDecision.REVIEW
    assert agreed >= GOLDEN - 2
