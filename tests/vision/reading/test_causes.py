"""Why a label could not be read: the cause is named, and a good label has none."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import appliance
from appliance.bench.label_truth import read_truth
from tests.vision.reading.printed import CARDBOARD, write
from tests.vision.reading.readings import glyphs
from vision.frames import decode_frame
from vision.reading.causes import Causes, causes_of
from vision.reading.recogniser import ReadLine

ROWS = ("LOT L342836", "MFG 2027-06-05", "EXP 2028-12-03", "GTIN 08804045943238")


def carton() -> NDArray[np.uint8]:
    """A carton with print straight on its board."""
    frame = np.full((960, 1280, 3), CARDBOARD, np.uint8)
    write(frame, ROWS, at=(300, 300), size=1.2)
    return frame


def boxes() -> NDArray[np.float64]:
    lengths = [cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.2, 2)[0][0] for text in ROWS]
    return np.array(
        [(300 + length / 2, 287 + 66 * i, length + 12, 40, 0.0) for i, length in enumerate(lengths)]
    )


def lines(sure: float = 0.99) -> list[ReadLine]:
    return [
        ReadLine(box, glyphs(text, sure=sure), text, sure)
        for box, text in zip(boxes(), ROWS, strict=True)
    ]


def test_a_good_label_has_no_cause() -> None:
    causes = causes_of(carton(), boxes(), lines())
    assert causes.likeliest is None, causes
    assert causes.labels == 1


@pytest.mark.parametrize("way", [(1, 11), (11, 1)])
def test_a_carton_that_moved_is_blurred_whichever_way_it_went(way: tuple[int, int]) -> None:
    moved = np.asarray(cv2.blur(carton(), way), np.uint8)
    assert causes_of(moved, boxes(), lines(0.97)).likeliest == "blurred"


def test_a_reflection_on_the_print_is_glare() -> None:
    frame = carton()
    cv2.ellipse(frame, (420, 330), (90, 50), 20, 0, 360, (253, 253, 253), -1)
    assert causes_of(frame, boxes(), lines(0.97)).likeliest == "glare"


def test_print_that_the_reader_doubts_without_blur_or_glare_is_damaged() -> None:
    assert causes_of(carton(), boxes(), lines(0.7)).likeliest == "damaged"


def test_lines_that_read_as_nothing_are_damaged() -> None:
    empty = [ReadLine(box, glyphs(""), "", 0.0) for box in boxes()]
    assert causes_of(carton(), boxes(), empty).likeliest == "damaged"


def test_two_batches_are_two_labels_before_anything_else() -> None:
    both = lines(0.7)
    other = boxes()[0] + np.array([520, 0, 0, 0, 0])
    both.append(ReadLine(other, glyphs("LOT A98B61"), "LOT A98B61", 0.9))
    causes = causes_of(carton(), boxes(), both)
    assert causes.labels == 2
    assert causes.likeliest == "two_labels"


def test_an_empty_belt_has_no_cause_of_its_own() -> None:
    belt = np.full((960, 1280, 3), 90, np.uint8)
    assert causes_of(belt, np.empty((0, 5)), []) == Causes()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_cause_has_words(language: str) -> None:
    catalogue = Path(appliance.__file__).parent / "i18n" / f"{language}.json"
    words = json.loads(catalogue.read_text(encoding="utf-8"))
    for causes in (Causes(blur=1.0), Causes(glare=1.0), Causes(damage=1.0), Causes(labels=2)):
        assert words[f"reason.{causes.likeliest}"]


@pytest.mark.data
def test_frames_called_blurred_did_move(data_dir: Path) -> None:
    """Of the development frames with the least and the most motion, by their printed lines."""
    folder = data_dir / "labels" / "damaged_dev"
    frames = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["frames"]
    known = {each.file for each in read_truth(folder)}
    called: dict[bool, list[bool]] = {True: [], False: []}
    for each in frames:
        moved = each["motion"] >= 7
        if each["file"] not in known or each["damage"] or each["motion"] in {3, 5}:
            continue
        frame = decode_frame((folder / each["file"]).read_bytes(), name=each["file"])
        quads = [np.array(i["quad"], np.float32) for i in each["items"] if i["kind"] == "text"]
        called[moved].append(causes_of(frame, np.array([_box(q) for q in quads]), []).blur >= 0.5)
    assert len(called[True]) >= 5
    assert len(called[False]) >= 5
    assert np.mean(called[True]) >= 0.6
    assert np.mean(called[False]) == 0


def _box(quad: NDArray[np.float32]) -> tuple[float, float, float, float, float]:
    along, down = quad[1] - quad[0], quad[3] - quad[0]
    x, y = quad.mean(axis=0)
    angle = float(np.arctan2(along[1], along[0]))
    return float(x), float(y), float(np.hypot(*along)), float(np.hypot(*down)), angle
