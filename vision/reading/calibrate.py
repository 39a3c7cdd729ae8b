"""Fit the confidence to frames with known truth: logistic regression, of two answers or three,
with a ridge, by Newton's method (Hastie, Tibshirani, Friedman, "The Elements of Statistical
Learning", 4.4.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vision.reading.confidence import Answers, Logistic

_STEPS = 60
_CONVERGED = 1e-6


def fit_logistic(
    facts: Sequence[Mapping[str, float]], right: Sequence[bool], *, ridge: float
) -> Logistic:
    """The model that explains `right` by `facts` (every mapping has the same names).

    `ridge` holds the weights down (not the bias); few frames want it near 1.
    """
    (model,) = _fit(facts, np.array(right, dtype=np.intp), 1, ridge)
    return model


BEST, OFF_LIST, OTHER = 0, 1, 2


def fit_answers(
    facts: Sequence[Mapping[str, float]], answers: Sequence[int], *, ridge: float
) -> Answers:
    """The model that explains which of BEST, OFF_LIST and OTHER was the truth."""
    off_list, other = _fit(facts, np.array(answers, dtype=np.intp), 2, ridge)
    return Answers(off_list, other)


def _fit(
    facts: Sequence[Mapping[str, float]], answers: NDArray[np.intp], others: int, ridge: float
) -> tuple[Logistic, ...]:
    """Log odds of answers 1..others against answer 0."""
    names = sorted(facts[0])
    x = np.array([[1.0, *(each[name] for name in names)] for each in facts])
    y = answers[:, None] == np.arange(1, others + 1)
    size = x.shape[1]
    penalty = np.diag(np.tile([1e-3, *([ridge] * len(names))], others))
    weights = np.zeros((others, size))
    for _ in range(_STEPS):
        odds = np.clip(x @ weights.T, -30, 30)
        p = np.exp(odds) / (1 + np.exp(odds).sum(axis=1, keepdims=True))
        gradient = ((p - y).T @ x).ravel() + penalty @ weights.ravel()
        hessian = penalty.copy()
        for a in range(others):
            for b in range(others):
                curve = p[:, a] * ((a == b) - p[:, b])
                block = slice(a * size, (a + 1) * size), slice(b * size, (b + 1) * size)
                hessian[block] += (x * curve[:, None]).T @ x
        step = np.linalg.solve(hessian, gradient)
        # Far from the solution whole steps may overshoot.
        weights -= (step * min(1.0, 4.0 / max(np.abs(step).max(), 1e-9))).reshape(weights.shape)
        if np.abs(step).max() < _CONVERGED:
            break
    return tuple(
        Logistic(round(row[0], 4), dict(zip(names, (round(w, 4) for w in row[1:]), strict=True)))
        for row in weights.tolist()
    )
