"""What a whole picture looks like: light, sharpness, place, scene. Measures only, no judgement."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.defects.usual import THUMB_PX

_SHARPNESS_AREA_PX = 512 * 512
_SCENE_CELLS = 4
_HIGHLIGHT = 0.95
_BLACK, _WHITE = 4, 251


@dataclass(frozen=True, slots=True)
class Look:
    """`brightness` is mean luma (0..255), `sharpness` mean edge strength relative to it, `thumb`
    (128, 128) luma, `scene` (16, 152): the mean patch vector of each cell of a 4 x 4 grid.

    `highlight` is the luma that 5 % exceed. `fineness` is edge strength at full size relative to
    half size: it falls with focus and hardly depends on what is in view. `dark_share` and
    `bright_share` are the shares of pixels at the ends of the scale, where nothing can be told.
    """

    brightness: float
    sharpness: float
    thumb: NDArray[np.float32]
    scene: NDArray[np.float32]
    highlight: float
    fineness: float
    dark_share: float
    bright_share: float


def look_at(image: NDArray[np.uint8], patches: NDArray[np.float32]) -> Look:
    """`image` (h, w, 3) BGR; `patches` (rows, columns, 152) unit vectors."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    scale = math.sqrt(_SHARPNESS_AREA_PX / grey.size)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    brightness = float(grey.mean())
    edges = _edges(grey)
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel() / grey.size
    return Look(
        brightness=brightness,
        sharpness=edges / max(brightness, 1.0),
        thumb=cv2.resize(grey, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA).astype(
            np.float32
        ),
        scene=_scene(patches),
        highlight=float(np.searchsorted(np.cumsum(counts), _HIGHLIGHT)),
        fineness=edges / max(_edges(cv2.pyrDown(grey)), 0.01),
        dark_share=float(counts[: _BLACK + 1].sum()),
        bright_share=float(counts[_WHITE:].sum()),
    )


def _edges(grey: cv2.typing.MatLike) -> float:
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_16S, ksize=3)).mean())


def _scene(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    cells = [
        cell.reshape(-1, patches.shape[2]).mean(axis=0)
        for band in np.array_split(patches, _SCENE_CELLS, axis=0)
        for cell in np.array_split(band, _SCENE_CELLS, axis=1)
    ]
    scene = np.stack(cells)
    unit: NDArray[np.float32] = scene / np.maximum(
        np.linalg.norm(scene, axis=1, keepdims=True), np.float32(1e-6)
    )
    return unit


def scene_distance(scene: NDArray[np.float32], known: NDArray[np.float32]) -> float:
    """(16, 152) against (n, 16, 152): 1 - cosine over all cells, to the nearest known scene."""
    likeness = np.einsum("cf,ncf->n", scene, known) / scene.shape[0]
    return max(0.0, 1.0 - float(likeness.max()))
