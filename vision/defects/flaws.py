"""What taught flaws have in common, and how far a picture goes in that direction.

A patch memory knows only how strange a patch is; a defect that people care about may be less
strange than a harmless speck. Ten confirmed misses say in which direction a flaw differs. Fisher's
linear discriminant (1936) with a ridge finds it: the covariance of good patches is well known from
the bank, so a few flaws suffice for a direction where a free classifier would learn them by heart.
An operator says which picture is bad, not where. So each picture stands for its strangest patches,
and those that go farthest are taken for the flaw, in rounds (multiple-instance learning, as in
mi-SVM, Andrews et al. 2002).

The head is held to what it says of good items that it did not learn from, each of them seen as a
new picture would be: through its own strangest patches, measured against the other items. It adds
a review and raises a score, it never lowers one (I7); nothing here reads or writes files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.defects.bank import distances
from vision.defects.facts import HeadFacts
from vision.defects.limits import ODD
from vision.defects.scale import scale_of

NAME = "fisher"
STRANGEST = 12
"""Patches that stand for a picture: eight lose nothing on circuit boards, thirty-two gain nothing."""
MOST_GOOD = 40
"""Good items whose strangest patches a profile keeps: 73 kB."""
FEWEST_GOOD = 5
"""Below it nothing can be said of good items that were left out."""
NEAR = 0.5
"""A patch is like a flaw when it is at most half as far from it as from anything good."""
_SAME = 0.02
"""So near, in shares of its distance to good ones, lies the same patch again, packed."""
_LEAST_FAR = np.float32(1e-3)
NO_KIND = "anomaly"
_ROUNDS = 3
_FROM_EACH = 2
_RIDGE = 0.1
_MARGIN = 0.15
"""A kind is named when it leads the next one by so much of its own length."""

Rows = NDArray[np.float32]
_White = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def strangest(far: Rows, shape: tuple[int, int], *, most: int = STRANGEST) -> NDArray[np.intp]:
    """Which of a picture's patches stand for it: the strangest, none beside a stranger one.

    `far` (n,) distances of patches in a grid of `shape`; the strangest first, exactly
    min(most, n): where peaks are too few, the strangest others follow.
    """
    grid = far.reshape(shape)
    peak = (grid >= cv2.dilate(grid, np.ones((3, 3), np.uint8))).ravel()
    return np.lexsort((-far, ~peak))[: min(most, far.size)]


@dataclass(frozen=True, slots=True)
class Head:
    """What a profile holds of its taught flaws: `numbers` (1 + kinds, c + 1) and the
    strangest patches of each miss, `flaws` (m, k, c).
    """

    facts: HeadFacts
    numbers: Rows
    flaws: Rows
    kinds: tuple[str, ...]


def named_kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    """The classes told, each once, in the order of the head's rows."""
    return tuple(sorted({kind for kind in kinds if kind}))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Count, sum and scatter of good patches: items can be taken out again without a second look."""

    count: int
    total: NDArray[np.float64]
    scatter: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Rows) -> _Sums:
        wide = rows.reshape(-1, rows.shape[-1]).astype(np.float64)
        return cls(len(wide), wide.sum(axis=0), wide.T @ wide)

    def without(self, *others: _Sums) -> _Sums:
        return _Sums(
            self.count - sum(one.count for one in others),
            self.total - sum(one.total for one in others),
            self.scatter - sum(one.scatter for one in others),
        )

    def whitening(self) -> _White:
        """Mean (c,), covariance with its ridge (c, c), and the inverse of that."""
        mean = self.total / self.count
        covariance = self.scatter / self.count - np.outer(mean, mean)
        width = len(mean)
        covariance += np.eye(width) * max(_RIDGE * np.trace(covariance) / width, 1e-9)
        inverse: NDArray[np.float64] = np.linalg.inv(covariance).astype(np.float64)
        return mean, covariance, inverse


def _direction(flaws: Rows, white: _White) -> tuple[Rows, NDArray[np.intp]]:
    """(c + 1,) weights and offset, in deviations of good patches, and which patches of each
    picture (m, 2) were taken for its flaw. `flaws` (m, k, c).
    """
    mean, covariance, inverse = white
    taken = np.tile(np.arange(flaws.shape[1]), (len(flaws), 1))
    weights = mean
    for _ in range(_ROUNDS + 1):
        typical = np.take_along_axis(flaws, taken[..., None], axis=1).mean(axis=(0, 1))
        weights = inverse @ (typical - mean)
        weights /= max(float(np.sqrt(weights @ covariance @ weights)), 1e-9)
        taken = np.argsort(-(flaws @ weights), axis=1, kind="stable")[:, :_FROM_EACH]
    return np.append(weights, -mean @ weights).astype(np.float32), taken


def _kind_rows(flaws: Rows, taken: NDArray[np.intp], kinds: Sequence[str], white: _White) -> Rows:
    """(k, c + 1): how far a patch goes towards each named kind, alphabetically, in one unit."""
    mean, covariance, inverse = white
    chosen = np.take_along_axis(flaws, taken[..., None], axis=1)
    rows = []
    for kind in named_kinds(kinds):
        own = [number for number, one in enumerate(kinds) if one == kind]
        weights = inverse @ (chosen[own].mean(axis=(0, 1)) - mean)
        weights /= max(float(np.sqrt(weights @ covariance @ weights)), 1e-9)
        rows.append(np.append(weights, -mean @ weights))
    return np.array(rows, np.float32).reshape(-1, flaws.shape[-1] + 1)


def _far(rows: Rows, weights: Rows) -> float:
    """How far the farthest of (..., c) patches goes."""
    return float((rows @ weights[:-1] + weights[-1]).max())


def kept_items(items: int) -> NDArray[np.intp]:
    """Which of so many good items leave their strangest patches: all, or forty evenly drawn."""
    return np.unique(np.linspace(0, items - 1, min(items, MOST_GOOD)).astype(np.intp))


def learn_head(
    flaws: Rows,
    kinds: Sequence[str],
    *,
    bank: Rows,
    owners: NDArray[np.intp],
    good: Rows,
    allowed: Sequence[Rows] = (),
) -> tuple[HeadFacts, Rows]:
    """The head of a product and its (1 + kinds, c + 1) numbers.

    `flaws` (m, k, c): the strangest patches of m confirmed misses, at least one; `kinds`: the
    class of each, empty where not told. `bank` (n, c): good patches; `owners` (n,): which of
    `good` each is from, -1 for none. `good` (items, k, c): the strangest patches of good items.
    `allowed`: patches of each confirmed false alarm; the limit lies beyond them too, and beyond
    every good item but odd ones, which would hide what was taught (as in vision.defects.limits).
    """
    white, others = _whitenings(bank, owners, good)
    weights, taken = _direction(flaws, white)
    numbers = np.concatenate([weights[None], _kind_rows(flaws, taken, kinds, white)])
    if len(good) < FEWEST_GOOD:
        return HeadFacts(NAME, scale_of([0.0]), near=NEAR), numbers
    scores, near = [], NEAR
    for number, rows in enumerate(good):
        scores.append(_far(rows, _direction(flaws, others[number])[0]))
        near = min(near, nearness(rows, distances(rows, bank[owners != number]), flaws))
    scale = scale_of(scores)
    usual = [score for score in scores if scale.of(score) <= ODD]
    limit = scale.of(max([*usual, *(_far(rows, weights) for rows in allowed)]))
    missed = _unheard(flaws, white)
    told = tuple(scale.of(score) for score in scores)
    return HeadFacts(
        NAME,
        scale,
        limit,
        told,
        caught=int((scale.over(missed) > limit).sum()),
        ranks=float((missed[:, None] > np.array(scores)).mean()) if len(missed) else 0.0,
        near=near,
    ), numbers


def _whitenings(
    bank: Rows, owners: NDArray[np.intp], good: Rows
) -> tuple[_White, tuple[_White, ...]]:
    """Of all good patches, and of those that are left without each of the good items; none where
    they are too few. A confirmed miss changes nothing here: ten in a row need them only once.
    """
    return _whitened(
        bank.tobytes(), owners.astype(np.intp).tobytes(), good.tobytes(), good.shape, bank.shape[1]
    )


@lru_cache(maxsize=1)
def _whitened(
    stored: bytes, owned: bytes, shown: bytes, shape: tuple[int, ...], width: int
) -> tuple[_White, tuple[_White, ...]]:
    bank = np.frombuffer(stored, np.float32).reshape(-1, width)
    owners = np.frombuffer(owned, np.intp)
    good = np.frombuffer(shown, np.float32).reshape(shape)
    whole = _Sums.of(np.concatenate([bank, good.reshape(-1, width)]))
    if len(good) < FEWEST_GOOD:
        return whole.whitening(), ()
    return whole.whitening(), tuple(
        whole.without(_Sums.of(bank[owners == number]), _Sums.of(rows)).whitening()
        for number, rows in enumerate(good)
    )


def nearness(rows: Rows, far: Rows, flaws: Rows) -> float:
    """The least share of its distance to good patches, `far` (n,), that one of (n, c) patches has
    to any of the flaws (m, k, c).
    """
    near = distances(rows, flaws.reshape(-1, flaws.shape[-1]))
    return float((near / np.maximum(far, _LEAST_FAR)).min())


def _same_picture(rows: Rows, far: Rows, flaws: Rows) -> bool:
    """Whether the patches of one of the flaws (m, k, c), all but one, are among (n, c) patches
    again, each another one: empty places and borders look like every other.
    """
    apart = 1.0 - np.einsum("nc,mkc->mnk", rows, flaws)
    again = apart.min(axis=2) < _SAME * np.maximum(far, _LEAST_FAR)
    found = zip(apart.argmin(axis=2), again, strict=True)
    return any(len(set(at[same].tolist())) >= flaws.shape[1] - 1 for at, same in found)


def _unheard(flaws: Rows, white: _White) -> Rows:
    """(m,) how far each of the taught misses goes by what the others taught; (0,) for one alone."""
    if len(flaws) == 1:
        return np.empty(0, np.float32)
    return np.array(
        [
            _far(own, _direction(np.delete(flaws, number, axis=0), white)[0])
            for number, own in enumerate(flaws)
        ],
        np.float32,
    )


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like the taught flaws a picture is: `at` (k,) its strangest patches, how far each goes
    (k,) in deviations of the typical good item, and the class each would be; `again`: one lies
    right beside a flaw, as those of the taught picture itself do.
    """

    at: NDArray[np.intp]
    deviations: Rows
    kinds: tuple[str, ...]
    again: bool

    @property
    def score(self) -> float:
        return float(self.deviations.max())

    def beyond(self, limit: float) -> NDArray[np.intp]:
        """Which of the patches in `at` go beyond the limit, the farthest first."""
        order = np.argsort(-self.deviations, kind="stable")
        return order[self.deviations[order] > limit]


def likeness(patches: Rows, far: Rows, shape: tuple[int, int], *, head: Head) -> Likeness:
    """Hold a picture's (n, c) patches, (n,) far from good ones in a grid of `shape`, to the head."""
    at = strangest(far, shape)
    reach = patches[at] @ head.numbers[:, :-1].T + head.numbers[:, -1]
    return Likeness(
        at,
        head.facts.scale.over(reach[:, 0]),
        _named(reach[:, 1:], head.kinds),
        again=nearness(patches[at], far[at], head.flaws) < head.facts.near
        or _same_picture(patches[at], far[at], head.flaws),
    )


def _named(reach: Rows, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """A class for each row of (n, kinds): the nearest, where it clearly leads."""
    if not kinds:
        return (NO_KIND,) * len(reach)
    ranked = np.sort(reach, axis=1)
    lead = ranked[:, -1] - (ranked[:, -2] if len(kinds) > 1 else 0.0)
    clear = (ranked[:, -1] > 0) & (lead >= _MARGIN * ranked[:, -1])
    best = reach.argmax(axis=1)
    return tuple(kinds[one] if sure else NO_KIND for one, sure in zip(best, clear, strict=True))
