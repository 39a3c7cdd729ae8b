"""A belt as a camera sees it: background, sensor noise, cartons that pass."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from appliance.cameras.frame import Frame


class Belt:
    """Renders what one camera sees; every picture has its own noise unless asked otherwise."""

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        coarse = rng.uniform(60, 190, (60, 80)).astype(np.float32)
        self.background = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)
        self._noise = rng.normal(0, 2, (960, 1280)).astype(np.float32)
        self._rng = rng
        self._number = 0

    def picture(
        self,
        *,
        light: float = 1.0,
        defocus: float = 0.0,
        shift: tuple[int, int] = (0, 0),
        carton_at: int | None = None,
    ) -> np.ndarray:
        grey = np.roll(self.background, shift, axis=(1, 0))
        if carton_at is not None:
            grey = grey.copy()
            left, right = max(carton_at, 0), min(max(carton_at + 300, 0), 640)
            grey[100:400, left:right] = 150
        if defocus:
            grey = cv2.GaussianBlur(grey, (0, 0), defocus)
        down, right = self._rng.integers(0, (480, 640))
        noisy = grey * light + self._noise[down : down + 480, right : right + 640]
        return np.dstack([np.clip(noisy, 0, 255).astype(np.uint8)] * 3)

    def frame(self, picture: np.ndarray | None = None, **how) -> Frame:
        image = self.picture(**how) if picture is None else picture
        self._number += 1
        return Frame(
            camera="label",
            at=datetime(2026, 11, 21, 8, tzinfo=UTC),
            image=image,
            jpeg=b"",
            sha256=hashlib.sha256(image.tobytes()).hexdigest(),
            name=f"label-{self._number}",
            number=self._number,
        )


@pytest.fixture
def belt() -> Belt:
    return Belt()


@pytest.fixture
def jpeg() -> Callable[[np.ndarray], bytes]:
    return lambda image: cv2.imencode(".jpg", image)[1].tobytes()
