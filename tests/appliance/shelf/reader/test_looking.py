"""What the reader's process does with one question, asked without the process."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from appliance.bench.shelf.damage import shoot
from appliance.bench.shelf.film.codes import goods
from appliance.shelf.reader.looking import answer
from appliance.shelf.reader.words import Look, Question
from vision.shelf import DamagedReader, ListedCode, StockList

(CODE,) = goods(1, seed=1)
LISTED = StockList([ListedCode(CODE.gtin, CODE.gtin)])


@pytest.mark.parametrize(
    "quad",
    [
        (-1e12, -1e12, 1e12, -1e12, 1e12, 1e12, -1e12, 1e12),
        (0.0,) * 8,
        (1e300, 0.0, 1e300, 1e300, -1e300, 1e300, 0.0, 0.0),
        (5.0, 5.0, 5.0, 5.0, 9000.0, 9000.0, 9000.0, 9000.0),
    ],
)
def test_a_quad_that_lies_outside_of_its_picture_is_answered_like_any_other(
    quad: tuple[float, ...],
) -> None:
    shot = shoot(CODE.text, "torn", np.random.default_rng(1), share=0.4, module_px=2.5)
    done, jpeg = cv2.imencode(".jpg", shot.picture)
    assert done
    told = answer(Look(Question(1, "crop", quad=quad), jpeg.tobytes()), LISTED, DamagedReader())
    assert told.id == 1
    assert all(each.text == CODE.text for each in told.codes)
