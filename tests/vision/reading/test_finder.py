"""Lines are found whole: dots, blots, pages on their side, and pictures that are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vision.reading.detector import Detector, DetectorSettings
from vision.reading.dot_rows import DotRowSettings, find_dot_blocks
from vision.reading.finder import FinderSettings, complete_with_ink, find_lines
from vision.reading.ink import ink_of
from vision.reading.label_area import WorthSettings, ink_shares, worth_reading
from vision.reading.line_ends import LineEndSettings, stretch_ends

BOARD = (120, 150, 180)
INK = (50, 55, 70)
NOTHING = np.empty((0, 5))
# A 5x7 head prints digits like these; the finder needs dots in rows, not their meaning.
DIGIT = ("01110", "10001", "10011", "10101", "11001", "10001", "01110")


def board(height: int = 960, width: int = 1280) -> NDArray[np.uint8]:
    grain = np.random.default_rng(7).normal(0, 1.5, (height, width, 1))
    return np.clip(np.array(BOARD) + grain, 0, 255).astype(np.uint8)


def print_dots(
    picture: NDArray[np.uint8], left: int, top: int, rows: list[int], *, pitch: int = 52
) -> list[tuple[float, float, float]]:
    """Rows of so many digits; returns left, right and middle of each."""
    for r, digits in enumerate(rows):
        for d in range(digits):
            for y, line in enumerate(DIGIT):
                for x, dot in enumerate(line):
                    if dot == "1":
                        at = (left + d * 32 + x * 5, top + r * pitch + y * 6)
                        cv2.circle(picture, at, 2, INK, -1)
    return [(left, left + digits * 32 - 12, top + r * pitch + 18) for r, digits in enumerate(rows)]


def holds(box: NDArray[np.float64], left: float, right: float, middle: float) -> bool:
    return bool(
        box[0] - box[2] / 2 <= left + 4
        and box[0] + box[2] / 2 >= right - 4
        and abs(box[1] - middle) < 0.25 * box[3]
        and box[3] < 75
    )


def test_rows_of_dots_are_found_without_the_network() -> None:
    picture = board()
    rows = print_dots(picture, 300, 300, [11, 14, 14])
    (block,) = find_dot_blocks(ink_of(picture), [], DotRowSettings())
    for row in rows:
        assert any(holds(box, *row) for box in block.rows)


def test_a_blot_over_the_end_of_a_row_hides_no_row() -> None:
    picture = board()
    rows = print_dots(picture, 300, 300, [14, 14, 14])
    cv2.circle(picture, (720, 370), 50, (40, 40, 40), -1)
    lines = complete_with_ink(crumb(), ink_of(picture), FinderSettings())
    for row in rows:
        assert any(holds(box, *row) for box in lines)


def crumb() -> NDArray[np.float64]:
    """One piece of the middle row, as a network finds it in dots."""
    return np.array([[420.0, 370.0, 60.0, 40.0, 0.0]])


def test_a_symbol_is_no_block_of_rows() -> None:
    picture = board()
    cells = np.random.default_rng(3).integers(0, 2, (20, 20))
    for y, x in np.argwhere(cells):
        picture[300 + 8 * y : 308 + 8 * y, 300 + 8 * x : 308 + 8 * x] = INK
    assert not find_dot_blocks(ink_of(picture), [], DotRowSettings())


def test_a_line_goes_on_under_a_blot_and_ends_where_the_paper_is_clean() -> None:
    picture = np.full((960, 1280, 3), 230, np.uint8)
    cv2.putText(picture, "(01)06931234567890", (100, 400), cv2.FONT_HERSHEY_SIMPLEX, 1, INK, 2)
    cv2.rectangle(picture, (455, 360), (560, 420), (60, 60, 60), -1)
    line = np.array([[278.0, 389.0, 360.0, 40.0, 0.0]])
    (done,) = stretch_ends(line, ink_of(picture), LineEndSettings())
    assert done[0] + done[2] / 2 >= 560
    assert np.isclose(done[0] - done[2] / 2, 98, atol=2)


def test_a_blot_without_end_is_the_board_beside_the_label() -> None:
    picture = np.full((960, 1280, 3), 230, np.uint8)
    picture[:, 460:] = (90, 110, 140)
    line = np.array([[278.0, 389.0, 360.0, 40.0, 0.0]])
    cv2.putText(picture, "(01)06931234567890", (100, 400), cv2.FONT_HERSHEY_SIMPLEX, 1, INK, 2)
    assert np.allclose(stretch_ends(line, ink_of(picture), LineEndSettings()), line)


def test_numbers_come_before_handling_marks() -> None:
    block = [[300.0, 300.0 + 40 * k, 300.0, 34.0, 0.0] for k in range(4)]
    under_the_symbol = [400.0, 640.0, 500.0, 26.0, 0.0]
    this_side_up = [900.0, 900.0, 220.0, 56.0, 0.0]
    order = worth_reading(np.array([this_side_up, *block, under_the_symbol]), WorthSettings())
    assert sorted(order) == [0, 1, 2, 3, 4, 5]
    assert order[-1] == 0


def test_a_row_without_ink_is_told_from_a_printed_one() -> None:
    picture = board()
    ((left, right, middle),) = print_dots(picture, 300, 300, [14])
    printed = [(left + right) / 2, middle, right - left, 45.0, 0.0]
    blank = [(left + right) / 2, middle + 200, right - left, 45.0, 0.0]
    inked, bare = ink_shares(np.array([printed, blank]), ink_of(picture))
    assert inked > 0.04
    assert bare < 0.004


class Blobs:
    """An engine that calls every dark pixel text, if it is upright enough to be read."""

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        grey = np.asarray(batch.mean(axis=1, keepdims=True))
        padding = np.all(batch == 0, axis=1, keepdims=True)
        return (((grey < -0.5) & ~padding).astype(np.float32),)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_page_on_its_side_is_found_as_one_that_stands(turns: int) -> None:
    picture = np.full((600, 800, 3), 230, np.uint8)
    for y in (200, 260, 320):
        cv2.rectangle(picture, (200, y), (500, y + 24), (20, 20, 20), -1)
    turned = np.ascontiguousarray(np.rot90(picture, turns))
    lines = find_lines(turned, Detector(Blobs(), DetectorSettings()), FinderSettings())
    middle = {0: (350, 272), 1: (272, 450), 2: (450, 328), 3: (328, 350)}[turns]
    nearest = lines[np.argmin(np.hypot(lines[:, 0] - middle[0], lines[:, 1] - middle[1]))]
    assert np.hypot(nearest[0] - middle[0], nearest[1] - middle[1]) < 8
    assert nearest[2] > 280
    assert np.isclose(np.abs(np.sin(nearest[4])), turns % 2, atol=0.1)


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (3000, 2), (17, 17), (2400, 3200)])
@pytest.mark.parametrize("noise", [False, True])
def test_any_picture_gives_lines_or_none(size: tuple[int, int], *, noise: bool) -> None:
    random = np.random.default_rng(1)
    picture = random.integers(0, 256 if noise else 1, (*size, 3)).astype(np.uint8)
    lines = find_lines(picture, Detector(Blobs(), DetectorSettings()), FinderSettings())
    assert np.isfinite(lines).all()


def test_hundreds_of_boxes_are_cut_to_the_largest() -> None:
    random = np.random.default_rng(2)
    boxes = random.uniform([0, 0, 20, 8, -0.1], [1280, 960, 300, 40, 0.1], (600, 5))
    lines = complete_with_ink(boxes, ink_of(board()), FinderSettings())
    assert np.isfinite(lines).all()
    assert len(lines) <= 2 * FinderSettings().completion.most_boxes


def test_no_boxes_and_no_ink_are_no_lines() -> None:
    assert len(complete_with_ink(NOTHING, ink_of(board()), FinderSettings())) == 0
