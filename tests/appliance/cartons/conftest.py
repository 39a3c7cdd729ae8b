"""Frames and edges on a belt's own time, in milliseconds from the start of the shift."""

import hashlib
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from appliance.cameras.frame import Frame

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
_BLANK = np.zeros((32, 32, 3), np.uint8)


class Shift:
    """The clock of a story."""

    def __init__(self) -> None:
        self._number = 0

    def at(self, ms: float) -> datetime:
        return START + timedelta(milliseconds=ms)

    def frame(self, ms: float, camera: str = "label", image: np.ndarray = _BLANK) -> Frame:
        self._number += 1
        name = f"{camera}-{self._number}"
        return Frame(
            camera=camera,
            at=self.at(ms),
            image=image,
            jpeg=b"",
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            name=name,
            number=self._number,
        )


@pytest.fixture
def shift() -> Shift:
    return Shift()
