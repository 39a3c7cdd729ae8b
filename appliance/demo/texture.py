"""What makes a rendered picture look like a photographed one: grain, light, lens, sensor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
"""(h, w, 3) or (h, w), 0..1, BGR, linear enough for a demonstration."""
Colour = tuple[float, float, float]
"""Blue, green, red, 0..1."""


def field(rng: np.random.Generator, height: int, width: int, cell: float) -> Picture:
    """Smooth noise (h, w) of about unit variance whose features are `cell` pixels wide."""
    rows, columns = max(2, round(height / cell)), max(2, round(width / cell))
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(
        np.float32, copy=False
    )


def streaks(
    rng: np.random.Generator, height: int, width: int, *, along: float, across: float
) -> Picture:
    """Noise (h, w) drawn out along x: fibres, brushed metal, belts."""
    rows, columns = max(2, round(height / across)), max(2, round(width / along))
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(
        np.float32, copy=False
    )


def filled(height: int, width: int, bgr: Colour) -> Picture:
    return np.full((height, width, 3), bgr, dtype=np.float32)


def mask_of(height: int, width: int, polygon: NDArray[np.float64], soft_px: float = 0.0) -> Picture:
    """(h, w) 1 inside `polygon` ((n, 2), x then y), with an edge `soft_px` wide."""
    mask = np.zeros((height, width), dtype=np.uint8)
    points = np.rint(polygon * 16).astype(np.int32)
    cv2.fillPoly(mask, [points], 255, lineType=cv2.LINE_AA, shift=4)
    return blur(unit(mask), soft_px) if soft_px else unit(mask)


def unit(mask: NDArray[np.uint8]) -> Picture:
    """(h, w) 0..255 as 0..1."""
    return np.multiply(mask, 1 / 255, dtype=np.float32)


def blur(picture: Picture, sigma_px: float) -> Picture:
    return cv2.GaussianBlur(picture, (0, 0), sigma_px).astype(np.float32, copy=False)


def over(under: Picture, upper: Picture | Colour, mask: Picture) -> Picture:
    """`upper`, a picture or one colour, laid over `under` where the (h, w) `mask` says so.

    Works in `under` itself and gives it back; only the mask's bounding box is touched.
    """
    x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    box = (slice(y, y + height), slice(x, x + width))
    part = under[box]
    weight = mask[box]
    if isinstance(upper, tuple):
        cv2.multiply(part, cv2.merge([1 - weight] * 3), dst=part)
        part += cv2.merge([weight * level for level in upper])
    else:
        part += cv2.multiply(cv2.subtract(upper[box], part), cv2.merge([weight] * 3))
    return under


def photograph(
    picture: Picture,
    rng: np.random.Generator,
    *,
    exposure: float = 1.0,
    defocus_px: float = 0.7,
    grain: float = 0.012,
    vignette: float = 0.22,
) -> NDArray[np.uint8]:
    """The picture as a small industrial camera takes it, uint8 BGR."""
    height, width = picture.shape[:2]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    fall_off = exposure * (1 - vignette * (x * x * 0.6 + y * y * 0.4))
    light = cv2.multiply(blur(picture, defocus_px), cv2.merge([fall_off] * 3))
    shot = rng.standard_normal((height, width), dtype=np.float32)
    chroma = 0.4 * field(rng, height, width, 2.0)
    # Shot noise grows with the root of the light; one strength for the three channels will do.
    strength = grain * (0.45 + np.sqrt(np.clip(light[:, :, 1], 0, 1)))
    noise = cv2.merge([(shot + chroma) * strength, shot * strength, (shot - chroma) * strength])
    noisy = cv2.add(light, noise)
    return cv2.convertScaleAbs(np.maximum(noisy, 0), alpha=255).astype(np.uint8, copy=False)


def jpeg(image: NDArray[np.uint8], quality: int = 92) -> bytes:
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("the JPEG encoder refused a picture of our own")
    return encoded.tobytes()
