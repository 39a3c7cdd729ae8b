"""Made pictures that quantisation is calibrated and first checked on: nobody's photos.

Every picture is drawn: ground, texture, shapes and print over it, light, grain and focus, over a
range wider than a station shows. A seed gives the same picture on every machine.
"""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 384


def picture(seed: int) -> np.ndarray:
    """(384, 384, 3) uint8 BGR."""
    random = np.random.default_rng((20261122, seed))
    ground = _ground(random)
    for _ in range(int(random.integers(1, 7))):
        ground = _shape(ground, random)
    if random.random() < 0.5:
        ground = _print(ground, random)
    if random.random() < 0.4:
        ground = _flaw(ground, random)
    return _photographed(ground, random)


def pictures(first: int, count: int) -> list[np.ndarray]:
    """Those of the seeds `first` to `first + count - 1`."""
    return [picture(seed) for seed in range(first, first + count)]


def _colour(random: np.random.Generator) -> np.ndarray:
    grey = random.uniform(20, 235)
    return np.clip(grey + random.normal(0, 30, 3) * (random.random() < 0.6), 5, 250)


def _field(random: np.random.Generator, across: float, down: float) -> np.ndarray:
    """(384, 384, 1) noise of unit deviation with these grain sizes in pixels."""
    noise = cv2.GaussianBlur(
        random.standard_normal((SIDE, SIDE)), (0, 0), sigmaX=across, sigmaY=down
    )
    return (noise / max(float(noise.std()), 1e-6))[:, :, None]


def _ground(random: np.random.Generator) -> np.ndarray:
    ground = np.zeros((SIDE, SIDE, 3)) + _colour(random)
    for _ in range(int(random.integers(1, 4))):
        across, down = np.exp(random.uniform(np.log(0.5), np.log(25), 2))
        grain = _field(random, across, down if random.random() < 0.5 else across)
        ground = ground + grain * random.uniform(1, 18) * random.uniform(0.8, 1.2, 3)
    if random.random() < 0.3:
        period, tilt = random.uniform(4, 40), random.uniform(0, np.pi)
        y, x = np.mgrid[0:SIDE, 0:SIDE]
        wave = np.sin((x * np.cos(tilt) + y * np.sin(tilt)) * 2 * np.pi / period)
        ground = ground + (wave * random.uniform(4, 35))[:, :, None]
    return ground


def _shape(ground: np.ndarray, random: np.random.Generator) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    x, y = (int(v) for v in random.integers(20, SIDE - 20, 2))
    size = int(random.integers(12, 150))
    match int(random.integers(0, 3)):
        case 0:
            cv2.circle(mask, (x, y), size, 255, -1, cv2.LINE_AA)
        case 1:
            box = ((x, y), (2.0 * size, size * random.uniform(0.4, 2.0)), random.uniform(0, 90))
            cv2.fillPoly(mask, [cv2.boxPoints(box).astype(np.int32)], 255, cv2.LINE_AA)
        case _:
            angles = np.sort(random.uniform(0, 2 * np.pi, int(random.integers(5, 12))))
            far = size * random.uniform(0.6, 1.2, len(angles))
            points = np.stack([x + far * np.cos(angles), y + far * np.sin(angles)], axis=1)
            cv2.fillPoly(mask, [points.astype(np.int32)], 255, cv2.LINE_AA)
    cover = mask[:, :, None] / 255
    body = _colour(random) + _field(random, *random.uniform(0.6, 9, 2)) * random.uniform(1, 22)
    shadow = cv2.GaussianBlur(np.roll(mask, (4, 3), (0, 1)), (0, 0), 6)[:, :, None] / 255
    return (ground * (1 - 0.4 * shadow)) * (1 - cover) + body * cover


def _print(ground: np.ndarray, random: np.random.Generator) -> np.ndarray:
    drawn = np.clip(ground, 0, 255).astype(np.uint8)
    for _ in range(int(random.integers(1, 6))):
        text = "".join(chr(c) for c in random.integers(48, 91, int(random.integers(3, 12))))
        at = (int(random.integers(0, SIDE // 2)), int(random.integers(30, SIDE)))
        size = random.uniform(0.4, 2.5)
        cv2.putText(
            drawn, text, at, 0, size, _colour(random).tolist(), max(1, round(size * 2)), cv2.LINE_AA
        )
    if random.random() < 0.5:
        x, y = (int(v) for v in random.integers(0, SIDE // 2, 2))
        for bar in np.cumsum(random.integers(2, 7, 24)):
            cv2.rectangle(drawn, (x + int(bar), y), (x + int(bar) + 1, y + 70), (20, 20, 20), -1)
    return drawn


def _flaw(ground: np.ndarray, random: np.random.Generator) -> np.ndarray:
    drawn = np.clip(ground, 0, 255).astype(np.uint8)
    steps = random.normal(0, 1, (30, 2)).cumsum(axis=0) * random.uniform(1, 7)
    line = (steps + random.uniform(60, SIDE - 60, 2)).astype(np.int32)
    cv2.polylines(
        drawn, [line], False, _colour(random).tolist(), int(random.integers(1, 6)), cv2.LINE_AA
    )
    return drawn


def _photographed(ground: np.ndarray, random: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    falling = 1 + random.normal(0, 0.15) * x + random.normal(0, 0.15) * y
    lit = ground * falling[:, :, None] * random.uniform(0.55, 1.25)
    if random.random() < 0.5:
        lit = cv2.GaussianBlur(lit, (0, 0), random.uniform(0.4, 2.2))
    return np.clip(lit + random.normal(0, random.uniform(0.5, 5), lit.shape), 0, 255).astype(
        np.uint8
    )
