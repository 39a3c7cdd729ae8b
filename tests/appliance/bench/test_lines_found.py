"""A line counts as found when one crop holds all of it, and nothing of the rows around it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from appliance.bench.lines_found import count_found, found_whole, read_lines, table
from contracts.errors import BadInputError

LINE = np.array([[100.0, 100.0], [300.0, 100.0], [300.0, 120.0], [100.0, 120.0]])
ALONE = LINE[None]
ROW_BELOW = np.stack([LINE, np.add(LINE, [0, 30])])
BESIDE = np.stack([LINE, np.add(LINE, [260, 0])])


def whole(box: list[float], texts: np.ndarray = ALONE) -> bool:
    return bool(found_whole(LINE, texts, np.array([box])).all())


def test_a_box_around_the_line_holds_it() -> None:
    assert whole([200, 110, 210, 28, 0.0])


def test_a_lost_character_is_a_lost_line() -> None:
    assert not whole([210, 110, 180, 28, 0.0])


def test_half_the_height_is_a_lost_line() -> None:
    assert not whole([200, 122, 210, 24, 0.0])


def test_a_box_that_drifts_off_the_line_cuts_it_at_one_end() -> None:
    assert not whole([200, 110, 210, 28, 0.2])


def test_two_rows_in_one_crop_read_as_neither() -> None:
    assert whole([200, 120, 210, 56, 0.0])
    assert not whole([200, 125, 210, 58, 0.0], ROW_BELOW)


def test_text_beside_it_in_the_row_is_no_loss() -> None:
    assert whole([330, 110, 480, 28, 0.0], BESIDE)


def test_which_way_up_is_not_the_finders_question() -> None:
    assert whole([200, 110, 210, 28, np.pi])


def test_the_table_counts_lines_by_kind_and_damage(tmp_path: Path) -> None:
    item = {"kind": "text", "name": "batch", "text": "L1", "quad": LINE.tolist(), "destroyed": 0}
    frames = [
        {"file": "a.jpg", "kind": "inkjet", "damage": 0.0, "items": [item]},
        {"file": "b.jpg", "kind": "inkjet", "damage": 0.4, "items": [item]},
        {"file": "c.jpg", "kind": "label", "damage": 0.1, "items": [{**item, "name": "sku"}]},
    ]
    (tmp_path / "truth.json").write_text(json.dumps({"frames": frames}), encoding="utf-8")
    first, second = read_lines(tmp_path)
    found, lost = np.array([[200.0, 110, 210, 28, 0]]), np.empty((0, 5))
    counted = table([(first, count_found(first, found)), (second, count_found(second, lost))])
    assert counted["inkjet"] == {"0": 100.0, "30-40": 0.0, "all": 50.0}


def test_a_set_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError):
        read_lines(tmp_path)
    (tmp_path / "truth.json").write_text("[]", encoding="utf-8")
    with pytest.raises(BadInputError):
        read_lines(tmp_path)
