"""Which pictures may teach, and when the same goods were only photographed twice."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from appliance.enrolling.pictures import (
    PictureRefusedError,
    difference,
    same_shot,
    thumbnail,
    usable,
)
from appliance.words import words
from tests.support.enrolling import cup, jpeg


def flat(level: int) -> bytes:
    return jpeg(np.full((192, 192, 3), level, np.uint8))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "enrol_empty_file"),
        (b"gtin,batch,expiry\n", "enrol_no_picture"),
        (b"\0\0\0\x18ftypheic" + bytes(64), "enrol_heic"),
        (jpeg(cup(1))[:2000], "enrol_damaged"),
        (jpeg(cup(1, side=96)), "enrol_other_size"),
        (flat(0), "enrol_black"),
        (flat(255), "enrol_white"),
        (flat(128), "enrol_nothing"),
    ],
)
def test_what_cannot_teach_is_refused_with_its_reason(data: bytes, code: str) -> None:
    with pytest.raises(PictureRefusedError) as refused:
        usable(data, name="a.jpg", wanted=(192, 192))
    reason = refused.value.reason
    assert reason.code == code
    for language in ("en", "zh"):
        assert code not in words(language).reason(reason), "it has words"


def test_goods_on_a_white_or_black_ground_may_teach() -> None:
    for ground in (0, 255):
        picture = np.full((192, 192, 3), ground, np.uint8)
        picture[60:130, 60:130] = cup(3)[60:130, 60:130]
        assert usable(jpeg(picture), name="a.jpg").shape == (192, 192, 3)


def once_more(image: np.ndarray, *, light: float = 1.0, seed: int = 0) -> np.ndarray:
    """The same goods taken again: other noise, other light, another JPEG."""
    noise = np.random.default_rng(seed).normal(0, 3, image.shape)
    noisy = np.clip(image * light + noise, 0, 255).astype(np.uint8)
    return cv2.imdecode(np.frombuffer(jpeg(noisy, quality=80), np.uint8), cv2.IMREAD_COLOR)


def test_the_same_goods_taken_twice_are_one_item_and_others_are_not() -> None:
    known = [thumbnail(cup(seed)) for seed in range(6)]
    for seed in range(6):
        for light in (1.0, 0.97):
            again = thumbnail(once_more(cup(seed), light=light, seed=seed))
            assert same_shot(again, known) == seed
    assert same_shot(thumbnail(cup(7)), known) is None
    assert min(difference(known[0], other) for other in known[1:]) > 3


@pytest.mark.data
def test_real_goods_taken_twice_are_far_from_other_real_goods(data_dir) -> None:
    folder = data_dir / "defects/cookies/cookie-dataset/dataset-files/training-images"
    cookies = [cv2.imread(str(path)) for path in sorted(folder.glob("normal-*.jpg"))[:8]]
    known = [thumbnail(cookie) for cookie in cookies]
    for place, cookie in enumerate(cookies):
        assert same_shot(thumbnail(once_more(cookie, seed=place)), known) == place
        others = [one for number, one in enumerate(known) if number != place]
        assert same_shot(known[place], others) is None
