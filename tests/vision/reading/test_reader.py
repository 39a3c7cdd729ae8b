"""The whole reader on pictures: our own rendering, turned and bad ones; real photos."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from appliance.bench.label_truth import fields_answer, is_right, read_truth
from appliance.model_sets import READER, carried
from contracts.asn import ExpectedLine
from contracts.errors import ArtefactRefusedError
from contracts.reading import ReadDecision
from erp_link.asn.files import read_asn
from tests.vision.reading.readings import line
from vision.frames import decode_frame
from vision.reading.reader import LabelReader
from vision.reading.symbols import read_symbols

LIST = (
    line(1, "08804045943238", "L342836", "2028-12-03"),
    line(2, "06938967753711", "A98B61", "2029-09-19"),
)
TEXT = ("GTIN 08804045943238", "LOT L342836", "MFG 2027-06-05", "EXP 2028-12-03")


@pytest.fixture(scope="module")
def reader() -> LabelReader:
    model_set = carried(READER)
    return LabelReader.load(model_set.folder, model_set=model_set.digest)


def label(rows: tuple[str, ...] = TEXT) -> np.ndarray:
    page = np.full((480, 640, 3), 215, np.uint8)
    for i, text in enumerate(rows):
        cv2.putText(
            page,
            text,
            (90, 150 + 55 * i),
            cv2.FONT_HERSHEY_SIMPLEX,
            1.0,
            (40, 40, 40),
            2,
            cv2.LINE_AA,
        )
    return page


def test_a_clean_label_is_accepted_with_its_line(reader: LabelReader) -> None:
    reading = reader.read([label()], LIST, name="clean")
    assert reading.decision is ReadDecision.ACCEPT, reading
    assert reading.asn_line == 1
    assert reading.model_set == reader.model_set
    assert reading.fields.expiry is not None
    assert date.fromisoformat(reading.fields.expiry.value) == date(2028, 12, 3)


@pytest.mark.parametrize(
    "turn", [cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE]
)
def test_a_turned_carton_reads_the_same(reader: LabelReader, turn: int) -> None:
    turned = np.ascontiguousarray(cv2.rotate(label(), turn))
    assert reader.read([turned], LIST, name="turned").asn_line == 1


def test_an_empty_belt_is_no_label(reader: LabelReader) -> None:
    belt = np.full((480, 640, 3), 90, np.uint8)
    for expected in (LIST, ()):
        reading = reader.read([belt], expected, name="belt")
        assert reading.decision is ReadDecision.REVIEW
        assert [reason.code for reason in reading.reasons] == ["no_label"]


def test_two_half_hidden_frames_of_one_carton_read_together(reader: LabelReader) -> None:
    upper, lower = label(), label()
    upper[180:, :] = 215
    lower[:180, :] = 215
    together = reader.read([upper, lower], LIST, name="both")
    assert together.asn_line == 1
    assert together.confidence >= reader.read([upper], LIST, name="one").confidence


def test_a_folder_without_a_reader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactRefusedError):
        LabelReader.load(tmp_path, model_set="none")


@pytest.mark.data
def test_damaged_frames_of_the_development_set(reader: LabelReader, data_dir: Path) -> None:
    """A smoke that can fail: ten frames; the whole set is `tallyman bench read`."""
    folder = data_dir / "labels" / "damaged_dev"
    expected = [ExpectedLine(each) for each in read_asn(folder / "asn.csv").lines]
    right = wrong = 0
    for truth in read_truth(folder, limit=10):
        frame = decode_frame((folder / truth.file).read_bytes(), name=truth.file)
        reading = reader.read([frame], expected, name=truth.file)
        sound = is_right(truth, fields_answer(reading.fields))
        right += sound
        wrong += reading.decision is ReadDecision.ACCEPT and not sound
    assert right >= 6
    assert wrong == 0


@pytest.mark.data
def test_shipping_labels_show_their_tracking_number(data_dir: Path) -> None:
    found = set()
    for path in sorted((data_dir / "labels" / "shipping_ups").rglob("*.JPG")):
        frame = decode_frame(path.read_bytes(), name=path.name)
        found |= {each.symbol.format for each in read_symbols(frame) if "1Z" in each.symbol.text}
    assert found & {"Code128", "MaxiCode"}


@pytest.mark.data
def test_symbols_on_real_photos_are_right_and_never_worse_than_the_decoders_own(
    data_dir: Path,
) -> None:
    photos = right = wrong = wrong_plain = 0
    for path in sorted((data_dir / "labels" / "barcodes_zxing").rglob("*.png"))[::5]:
        said = path.with_suffix(".txt")
        if not said.exists():
            continue
        truth = _plain(said.read_text(encoding="utf-8", errors="replace"))
        try:
            frame = decode_frame(path.read_bytes(), name=path.name)
        except Exception:  # noqa: BLE001, S112 -- some of these photos are made to be refused
            continue
        photos += 1
        ours = [_plain(each.symbol.text) for each in read_symbols(frame)]
        theirs = [_plain(code.text) for code in zxingcpp.read_barcodes(frame)]
        right += truth in ours
        wrong += any(text != truth for text in ours)
        wrong_plain += any(text != truth for text in theirs)
    assert photos > 50
    assert right >= 0.6 * photos
    assert wrong <= wrong_plain


def _plain(text: str) -> str:
    return re.sub(r"\s", "", text)
