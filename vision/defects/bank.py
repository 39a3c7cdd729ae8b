"""A memory of how good patches look, and how far a patch is from it.

After PatchCore (Roth et al., arXiv 2106.08265) with two changes that were measured: distances are
cosines, and each item keeps an equal, fixed share of its own patches instead of one greedy
selection over all. An item's share does not depend on the others, which is what makes leave-one-
out scores good for a conformal threshold (see vision.defects.conformal).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ROWS = 2048
"""Rows in a whole bank: 0.6 MB as float16, about 10 ms a picture on one thread."""
PICTURES = 60
"""Enrolled pictures are varied (turned, mirrored, lit) until there are about so many."""
_TOP_SHARE = 0.005
_TURNS_AND_ZOOMS = ((8.0, 1.0), (-8.0, 1.0), (0.0, 0.93), (0.0, 1.07))
_LIGHTS = (0.85, 1.15)
_SEED = 20260


def variants(image: NDArray[np.uint8], count: int) -> list[NDArray[np.uint8]]:
    """The picture and up to nine variants of it, `count` in all; (h, w, 3) each."""
    found = [image]
    if count > 1:
        found += [image[:, ::-1], image[::-1], image[::-1, ::-1]]
    height, width = image.shape[:2]
    for degrees, zoom in _TURNS_AND_ZOOMS[: max(0, count - len(found))]:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
        found.append(
            cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT).astype(
                np.uint8
            )
        )
    for light in _LIGHTS[: max(0, count - len(found))]:
        found.append(np.clip(image * light, 0, 255).astype(np.uint8))
    return [np.ascontiguousarray(one) for one in found[:count]]


def variants_for(pictures: int) -> int:
    """How many variants of each picture an enrolment of so many pictures uses: 10 down to 1."""
    return max(1, min(10, PICTURES // max(1, pictures)))


def thin(patches: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """At most `rows` of the (n, 152) patches: a fixed draw, the same on every machine."""
    if len(patches) <= rows:
        return patches
    draw = np.random.default_rng(_SEED).permutation(len(patches))[:rows]
    return patches[np.sort(draw)]


def distances(patches: NDArray[np.float32], bank: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 - cosine of each (n, 152) patch to its nearest row of (m, 152); unit vectors in, (n,) out."""
    nearest: NDArray[np.float32] = 1.0 - (patches @ bank.T).max(axis=1)
    return np.maximum(nearest, np.float32(0.0))


def image_score(patch_distances: NDArray[np.float32]) -> float:
    """The mean of the farthest 0.5 % of patches: five of a thousand."""
    count = max(1, round(_TOP_SHARE * patch_distances.size))
    return float(np.partition(patch_distances.ravel(), -count)[-count:].mean())
