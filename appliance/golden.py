"""Golden pictures that every installation can make: the demo's goods, sound and spoilt.

Flaws come in every strength, so that some lie at the limit, where engines would part; some pictures
are darker or blurred, so that the gate decides. Nobody's photos are in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.demo.goods import goods_frame
from appliance.demo.story import Goods
from vision.defects.inspector import DefectInspector
from vision.defects.parity import Golden

ENROLLED = 22
PICTURES = 600
_SEED = 20261122
_SPOILT_SHARE, _CHANGED_SHARE = 0.6, 0.12


def golden_pictures(usual: DefectInspector, count: int = PICTURES) -> Iterator[Golden]:
    """`count` pictures under the profiles of two products, enrolled on `usual` first."""
    profiles = {
        goods: usual.enrol(
            [goods_frame(goods, np.random.default_rng((_SEED, seed))) for seed in range(ENROLLED)],
            product=goods.value,
        )
        for goods in Goods
    }
    kinds = list(Goods)
    for number in range(count):
        random = np.random.default_rng((_SEED, ENROLLED + number))
        goods = kinds[number % len(kinds)]
        image = goods_frame(goods, random)
        if random.random() < _SPOILT_SHARE:
            image = spoilt(image, random)
        if random.random() < _CHANGED_SHARE:
            image = changed(image, random)
        yield Golden(f"{goods.value}-{number:04}", image, profiles[goods])


def spoilt(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """The picture with a scratch or a blot of any strength, from invisible to plain."""
    drawn = image.copy()
    height, width = image.shape[:2]
    shade = random.uniform(0, 255, 3).tolist()
    middle = random.uniform(0.2, 0.8, 2) * (width, height)
    if random.random() < 0.5:  # noqa: PLR2004 -- one half scratches, one half blots
        walk = random.normal(0, 6, (12, 2)).cumsum(axis=0) + middle
        cv2.polylines(
            drawn, [walk.astype(np.int32)], False, shade, int(random.integers(1, 7)), cv2.LINE_AA
        )
    else:
        sides = random.uniform(3, 30, 2)
        cv2.ellipse(
            drawn, (middle.tolist(), sides.tolist(), random.uniform(0, 180)), shade, -1, cv2.LINE_AA
        )
    strength = random.uniform(0, 1)
    mixed: NDArray[np.uint8] = cv2.addWeighted(drawn, strength, image, 1 - strength, 0).astype(
        np.uint8
    )
    return mixed


def changed(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """The picture under another lamp, or out of focus."""
    if random.random() < 0.5:  # noqa: PLR2004 -- one half lamps, one half lenses
        lit: NDArray[np.uint8] = np.clip(image * random.uniform(0.75, 1.2), 0, 255).astype(np.uint8)
        return lit
    return cv2.GaussianBlur(image, (0, 0), random.uniform(0.4, 2.0)).astype(np.uint8)
