"""What belongs where: a missing print or a part in another place is made of patches that are all
good ones somewhere, so a memory of patches alone would pass it.

After PaDiM (Defard et al., arXiv 2011.08785), simplified: for each 16 x 16 px cell the mean vector
of the good items, and the farthest that one of them lay from the others' mean. Where goods lie
loosely the cells vary much, and little is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SLACK = 0.02


def cells(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, columns, 152) -> (rows / 2, columns / 2, 152): unit means of 2 x 2 patches."""
    rows, columns, channels = patches.shape
    means = patches.reshape(rows // 2, 2, columns // 2, 2, channels).mean(axis=(1, 3))
    return _unit(means)


def strangeness(
    seen: NDArray[np.float32], usual: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(r, c): how far from the usual (r, c, 152) each cell is, in its own spread."""
    found: NDArray[np.float32] = (_far(seen, usual) / (spread + np.float32(_SLACK))).astype(
        np.float32
    )
    return found


def learn(
    items: Sequence[Sequence[NDArray[np.float32]]],
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[float]]:
    """Usual (r, c, 152), spread (r, c), and each item's strangest cell when held against the
    others, as a new item will be held against all. `items`: the (r, c, 152) cells of each
    item's pictures, at least two items.
    """
    means = [_unit(np.mean(item, axis=0)) for item in items]
    total = np.sum(means, axis=0)
    without = [_unit(total - mean) for mean in means]
    far = np.stack(
        [
            np.max([_far(picture, others) for picture in item], axis=0)
            for item, others in zip(items, without, strict=True)
        ]
    )
    ranked = np.sort(far, axis=0)
    spread_of_others = np.where(far == ranked[-1], ranked[-2], ranked[-1])
    strangest = (far / (spread_of_others + np.float32(_SLACK))).max(axis=(1, 2))
    return _unit(total), ranked[-1].astype(np.float32), [float(value) for value in strangest]


def widened(
    seen: NDArray[np.float32], usual: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The spread (r, c) after one more picture is known to be good."""
    return np.maximum(spread, _far(seen, usual)) if spread.size else spread


def _far(seen: NDArray[np.float32], usual: NDArray[np.float32]) -> NDArray[np.float32]:
    far: NDArray[np.float32] = 1.0 - np.einsum("rcf,rcf->rc", seen, usual)
    return far


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-6)).astype(np.float32)
    return unit
