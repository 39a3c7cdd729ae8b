"""Fit the confidence to frames with known truth: logistic regression with a ridge, by Newton's
method (Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning", 4.4.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vision.reading.confidence import Logistic


def fit_logistic(
    facts: Sequence[Mapping[str, float]], right: Sequence[bool], *, ridge: float
) -> Logistic:
    """The model that explains `right` by `facts` (every mapping has the same names).

    `ridge` holds the weights down (not the bias); few frames want it near 1.
    """
    names = sorted(facts[0])
    x = np.array([[1.0, *(each[name] for name in names)] for each in facts])
    y = np.array(right, dtype=np.float64)
    penalty = np.diag([1e-3, *([ridge] * len(names))])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (p - y) + penalty @ weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < 1e-6:  # noqa: PLR2004 -- converged
            break
    rounded = [round(float(each), 4) for each in weights]
    return Logistic(rounded[0], dict(zip(names, rounded[1:], strict=True)))
