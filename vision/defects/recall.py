"""What a picture has in common with the flaws that were taught, as one more channel of seeing.

It may make a pass a review and a score higher, nothing else (I5, I7). Its values are deviations
from the typical good item like the score itself; what goes beyond the head's own limit lies beyond
the score's, what does not stays within: a score beyond the limit is always flagged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from contracts.geometry import Region
from vision.defects.flaws import NO_KIND, Likeness, likeness
from vision.defects.profile import Profile
from vision.defects.teaching import head_of

FEWEST_TO_COUNT = 3
"""Misses; fewer say nothing of how well the head finds what it was not taught."""
_LEAST_RANKS = 0.7
"""Below it the head would only guess: what the others taught does not tell a miss from a good item."""
_LEAST_LIMIT = 0.5
_JUST_BEYOND = 1.01

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recalled:
    """`found`: the picture is like what was taught. `score` in the unit of the picture's score,
    as `values` (k,) of the patches `at` (k,) of a grid of `shape`; `kinds`: the class of each.
    """

    found: bool
    score: float
    at: NDArray[np.intp]
    values: Rows
    kinds: tuple[str, ...]
    shape: tuple[int, int]

    def over(self, grid: Rows) -> Rows:
        """The (rows, columns) of strangeness with what the taught flaws add to it."""
        raised = grid.copy()
        raised.flat[self.at] = np.maximum(raised.flat[self.at], self.values)
        return raised

    def named(
        self, regions: tuple[Region, ...], width_px: int, height_px: int
    ) -> tuple[Region, ...]:
        """Each region with the class of the patch in it that is most like a taught flaw."""
        rows, columns = self.shape
        row, column = np.divmod(self.at, columns)
        y, x = (row + 0.5) * height_px / rows, (column + 0.5) * width_px / columns

        def kind_of(region: Region) -> str:
            inside = (
                (x >= region.x_px)
                & (x < region.x_px + region.width_px)
                & (y >= region.y_px)
                & (y < region.y_px + region.height_px)
            )
            order = np.argsort(-self.values, kind="stable")
            told = [self.kinds[one] for one in order if inside[one] and self.kinds[one] != NO_KIND]
            return told[0] if told else region.kind

        return tuple(replace(region, kind=kind_of(region)) for region in regions)


def recalled(
    profile: Profile, patches: Rows, far: Rows, shape: tuple[int, int], *, limit: float
) -> Recalled | None:
    """Hold a picture's (n, 152) patches, (n,) far from good ones, to the taught flaws; None where
    nothing was taught. `limit` is that of the picture's score.
    """
    head = head_of(profile)
    if head is None:
        return None
    like = likeness(patches, far, shape, head=head)
    misses = sum(lesson.kind == "miss" for lesson in profile.facts.lessons)
    own = head.facts.limit
    if own is None or misses < FEWEST_TO_COUNT or head.facts.ranks < _LEAST_RANKS:
        return _recalled(like, np.full_like(like.deviations, -np.inf), shape, found=like.again)
    beyond = like.deviations > own
    values = np.where(
        beyond,
        like.deviations + np.float32(_JUST_BEYOND * max(limit, _LEAST_LIMIT) - own),
        np.minimum(like.deviations, np.float32(limit)),
    )
    return _recalled(like, values, shape, found=like.again or like.score > own)


def _recalled(like: Likeness, values: Rows, shape: tuple[int, int], *, found: bool) -> Recalled:
    return Recalled(found, float(values.max()), like.at, values, like.kinds, shape)
