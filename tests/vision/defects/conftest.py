"""A made product of our own: a brushed tile with a printed mark, and what can go wrong with it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ota.model_set import open_model_set
from vision.defects.inspector import DefectInspector
from vision.defects.profile import Profile

BACKBONE = Path(__file__).resolve().parents[3] / "models" / "defect_backbone" / "1.1.0"
SIDE_PX = 320


def tile(seed: int, *, printed: bool = True) -> np.ndarray:
    """One good tile: its grain, place and light differ a little from every other's. `printed`
    is False for one that missed the printing press.
    """
    random = np.random.default_rng(seed)
    belt = np.full((SIDE_PX, SIDE_PX), 70.0)
    grain = cv2.GaussianBlur(random.normal(0, 30, belt.shape), (0, 0), sigmaX=6, sigmaY=0.7)
    x, y = (40 + random.integers(-4, 5, 2)).tolist()
    body = np.zeros(belt.shape, np.uint8)
    cv2.rectangle(body, (x, y), (x + 240, y + 240), 1, -1)
    grey = np.where(body == 1, 150 + grain, belt) + random.normal(0, 3, belt.shape)
    if printed:
        cv2.circle(grey, (x + 120, y + 120), 40, 90, 6)
    grey *= random.uniform(0.985, 1.015)
    return np.clip(np.stack([grey * 0.95, grey, grey * 1.03], axis=2), 0, 255).astype(np.uint8)


def scratched(seed: int) -> np.ndarray:
    """A tile with a bright gouge across it, from (90, 220) to (190, 250)."""
    image = tile(seed)
    cv2.line(image, (90, 220), (190, 250), (235, 235, 235), 4, cv2.LINE_AA)
    cv2.line(image, (90, 224), (190, 254), (40, 40, 40), 2, cv2.LINE_AA)
    return image


def empty_belt(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    grey = 70 + random.normal(0, 3, (SIDE_PX, SIDE_PX, 1))
    return np.clip(grey.repeat(3, axis=2), 0, 255).astype(np.uint8)


def bottle(seed: int) -> np.ndarray:
    """Another product on the same belt under the same light."""
    image = empty_belt(seed)
    cv2.ellipse(image, (160, 160), (60, 130), 0, 0, 360, (60, 140, 60), -1, cv2.LINE_AA)
    cv2.rectangle(image, (110, 120), (210, 200), (220, 220, 230), -1)
    cv2.putText(image, "OIL", (120, 175), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (30, 30, 160), 4)
    return image


@pytest.fixture(scope="session")
def model_set() -> str:
    return open_model_set(BACKBONE).digest


@pytest.fixture(scope="session")
def inspector(model_set: str) -> DefectInspector:
    return DefectInspector.load(BACKBONE, model_set=model_set)


@pytest.fixture(scope="session")
def profile(inspector: DefectInspector) -> Profile:
    """A tile's profile from 24 good ones."""
    return inspector.enrol([tile(seed) for seed in range(24)], product="tile")
