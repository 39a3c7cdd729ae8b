"""A real inspector at the station: what is not the enrolled goods in their usual view is never
accepted, and says why (I7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.config import InspectorConfig, ReaderConfig
from appliance.demo.goods import goods_frame
from appliance.demo.story import Defect, Goods
from appliance.edge.watches import Watches
from appliance.engines import Engines, load_engines
from appliance.profiles import ProfileFolder
from contracts.verdict import Decision
from tests.support.docks import LINE, carton, frame

ITEMS = 20


def biscuits(seed: int, defect: Defect = Defect.NONE) -> np.ndarray:
    return goods_frame(Goods.BISCUITS, np.random.default_rng((9, seed)), defect)


def bottles(seed: int) -> np.ndarray:
    return goods_frame(Goods.BOTTLES, np.random.default_rng((9, seed)))


@pytest.fixture(scope="module")
def engines() -> Engines:
    return load_engines(1, ReaderConfig(), InspectorConfig())


@pytest.fixture(scope="module")
def enrolled(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the profile of what is expected, and one of another product."""
    folder = ProfileFolder(tmp_path_factory.mktemp("profiles"))
    profile = engines.inspector.enrol([biscuits(n) for n in range(ITEMS)], product=LINE.gtin)
    profile.save(folder.path(LINE.gtin))
    other = engines.inspector.enrol([bottles(1), bottles(2)], product="bottles")
    other.save(folder.path("09520001103179"))
    return folder.folder


@pytest.fixture
def station(dock, engines, enrolled, tmp_path) -> Callable:
    """Judges one picture after the other at one station."""
    watches = Watches(tmp_path / "watches.json")
    d = dock(inspector=engines.inspectors, profiles=ProfileFolder(enrolled), watch_for=watches.of)

    async def judge(image: np.ndarray, carton_id: str = "C1"):
        view = carton(carton_id)
        picture = replace(frame("inspect"), image=np.ascontiguousarray(image, np.uint8))
        return await d.station.judge_carton(
            replace(view, frames={**view.frames, "inspect": (picture,)})
        )

    return judge


async def test_good_goods_are_accepted_and_broken_ones_held(station) -> None:
    assert (await station(biscuits(72))).verdict.decision is Decision.ACCEPT
    broken = await station(biscuits(71, Defect.BROKEN), "C2")
    assert broken.verdict.decision is Decision.HOLD
    assert broken.regions
    assert [each.kind for each in broken.evidence] == ["label", "inspect", "heatmap"]


def with_hand(image: np.ndarray) -> np.ndarray:
    """An arm that reaches in from the right."""
    seen = image.copy()
    cv2.line(seen, (560, 300), (300, 250), (120, 150, 205), 150)
    return cv2.GaussianBlur(seen, (0, 0), 1.2)


STRANGE = {
    "another product": lambda: bottles(3),
    "an empty belt": lambda: np.full((512, 512, 3), 96, np.uint8),
    "a hand": lambda: with_hand(biscuits(80)),
    "no light": lambda: np.zeros((512, 512, 3), np.uint8),
    "a third of the light": lambda: biscuits(81) * 0.66,
    "burnt out": lambda: np.clip(biscuits(82).astype(np.float32) * 2.5, 0, 255),
    "out of focus": lambda: cv2.GaussianBlur(biscuits(83), (0, 0), 4),
    "another resolution": lambda: cv2.resize(biscuits(84), (256, 256)),
}


@pytest.mark.parametrize("what", STRANGE)
async def test_what_is_not_the_usual_view_is_a_review_that_says_so(station, what: str) -> None:
    card = await station(STRANGE[what]())
    codes = [reason.code for reason in card.verdict.reasons]
    assert card.verdict.decision is Decision.REVIEW, codes
    assert any(code.startswith("view_") for code in codes), codes


async def test_another_product_that_is_known_here_is_named(station) -> None:
    card = await station(bottles(4))
    (told,) = [each for each in card.verdict.reasons if each.code == "view_other_product"]
    assert told.params == {"seen": "bottles", "product": LINE.gtin}


async def test_a_corrupted_profile_judges_nothing(dock, engines, tmp_path) -> None:
    folder = ProfileFolder(tmp_path / "spoilt")
    folder.folder.mkdir()
    folder.path(LINE.gtin).write_bytes(b"PK\x03\x04 half a file")
    d = dock(inspector=engines.inspectors, profiles=folder)
    card = await d.station.judge_carton(carton())
    assert card.verdict.decision is Decision.REVIEW
    assert "profile_refused" in [reason.code for reason in card.verdict.reasons]
