"""Labelled folders are read as people leave them, and a part is never on two sides."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.errors import BadInputError
from models.recipes.yolo.labelled import lay_out, read_folder, split
from models.recipes.yolo.make import LICENCE
from ota.publishing import FREE

PATTERN = r"^(part\d+)"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    folder = tmp_path / "labelled"
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    (folder / "classes.txt").write_text("crack\ndent\n")
    for part in range(20):
        for shot in range(3):
            name = f"part{part}_{shot}"
            cv2.imwrite(str(folder / "images" / f"{name}.png"), np.zeros((8, 8, 3), np.uint8))
            text = "1 0.5 0.5 0.2 0.2\n" if part < 10 else ""
            (folder / "labels" / f"{name}.txt").write_text(text)
    cv2.imwrite(str(folder / "images" / "nobody looked.png"), np.zeros((8, 8, 3), np.uint8))
    return folder


def test_an_empty_label_is_a_good_part_and_no_label_is_nothing(labelled: Path) -> None:
    found, classes = read_folder(labelled, PATTERN)
    assert classes == ("crack", "dent")
    assert len(found) == 60
    assert sum(not each.boxes for each in found) == 30


def test_no_part_stands_on_two_sides_and_both_sorts_on_each(labelled: Path) -> None:
    found, _ = read_folder(labelled, PATTERN)
    sides = split(found, 1)
    items = {side: {each.item for each in held} for side, held in sides.items()}
    assert sum(map(len, items.values())) == len(set.union(*items.values())) == 20
    for held in sides.values():
        assert {bool(each.boxes) for each in held} == {True, False}
    assert split(found, 1) == sides


def test_the_training_sees_only_its_own_sides(labelled: Path, tmp_path: Path) -> None:
    found, classes = read_folder(labelled, PATTERN)
    sides = split(found, 1)
    made = lay_out(sides, classes, tmp_path / "out")
    assert "1: dent" in made.read_text()
    shown = list((tmp_path / "out" / "images").rglob("*.png"))
    assert len(shown) == len(sides["train"]) + len(sides["check"])


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("labels/part1_0.txt", "2 0.5 0.5 0.1 0.1", "part1_0.txt, line 1"),
        ("labels/part1_0.txt", "0 0.5 1.5 0.1 0.1", "no box"),
        ("labels/part1_0.txt", "crack", "no box"),
        ("classes.txt", "", "names no classes"),
        ("classes.txt", "a crack: bad", "no class name"),
    ],
)
def test_a_folder_that_cannot_be_learned_says_where(labelled, file, text, says) -> None:
    (labelled / file).write_text(text)
    with pytest.raises(BadInputError, match=says):
        read_folder(labelled, PATTERN)


def test_a_picture_outside_the_pattern_is_named(labelled: Path) -> None:
    with pytest.raises(BadInputError, match="part0_0"):
        read_folder(labelled, r"^(item\d+)")


def test_what_it_makes_is_not_free_to_publish() -> None:
    assert LICENCE == "AGPL-3.0"
    assert LICENCE not in FREE
