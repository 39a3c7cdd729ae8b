"""Whether a stated confidence still means what it says. Pure; no clocks, no stores.

With truth (settled reviews and audits), each reading stated p and was right or not, y:

- *Calibration error*: |mean p - mean y| over bins of equal size, weighted (ECE, Naeini, Cooper and
  Hauskrecht, AAAI 2015). It is above zero for few readings even where every p is true, so it
  comes with the value that true statements stay under in 95 of 100 cases (the consistency band of
  Broecker and Smith, Weather and Forecasting 22, 2007), and with its own bootstrap bound.
- *Sequential test*: CUSUM of log likelihood ratios (Page, Biometrika 41, 1954) of "the odds are
  really exp(-d) times what is stated" against "as stated", mean of several d, one test each way. Each
  ratio has expectation 1 while the statements are true, so this is an e-detector (Shin, Ramdas and
  Rinaldo, New England J. Statistics in Data Science 1, 2023): looked at after every carton, it
  alarms on average at most once in `THRESHOLD` settled cartons by mere chance. One carton
  weighs at most exp(d): a single surprise at p = 0.9999 cannot raise it.

Without truth: the *population stability index* of stated confidences, a week against the set's
first weeks here (Siddiqi, Credit Risk Scorecards, 2006: 0.25 is a shift), or where few cartons came
against what chance gives, chi squared at 99.9 % times (1/n + 1/m) (Yurdakul and Naranjo, J. Risk
Model Validation 14, 2020). It tells that other cartons come or a lens is dirty, not that p is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from appliance.readrates.intervals import Share

THRESHOLD = 10_000.0
_SHIFTS = (0.5, 1.0, 2.0)
"""In log odds: confidence 0.95 that is really 0.92, 0.88, 0.72."""
_LEAST, _MOST = 1e-4, 1.0 - 1e-4
_BINS = 10
_RESAMPLES = 400
PSI_SHIFT = 0.25
_STABILITY_BINS = 10
_Z_999 = 3.0902
_HALF = 0.5
"""Stands for the count of an empty bin."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bin:
    """Readings of one bin of confidence: what they stated on average, how many, how many right."""

    low: float
    high: float
    stated: float
    total: int
    right: int

    @property
    def share(self) -> Share:
        return Share(self.right, self.total)


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """`error` in [0, 1]; `upper` its 95 % bound; `chance` what true statements stay under.

    `stated` and `right` are means over all readings.
    """

    total: int
    error: float
    upper: float
    chance: float
    stated: float
    right: float
    bins: tuple[Bin, ...]

    @property
    def is_significant(self) -> bool:
        return self.error > self.chance


@dataclass(frozen=True, slots=True)
class Sequential:
    """Evidence for one kind of drift. `since` is the reading at which the alarm that still stands was
    raised, counted from 0; None without one.
    """

    evidence: float
    since: int | None

    @property
    def alarm(self) -> bool:
        return self.since is not None


@dataclass(frozen=True, slots=True)
class Stability:
    """One week against the reference."""

    week: int
    total: int
    index: float
    limit: float

    @property
    def shifted(self) -> bool:
        return self.index > self.limit


def calibration_error(
    confidence: Sequence[float], right: Sequence[bool], *, seed: int = 0
) -> CalibrationError | None:
    """The calibration error of readings with known truth; None without any."""
    if not confidence:
        return None
    order = np.argsort(np.asarray(confidence, np.float64), kind="stable")
    p = np.asarray(confidence, np.float64)[order]
    y = np.asarray(right, np.float64)[order]
    n = len(p)
    # Equal values share a bin: else their order would decide about the error.
    edges = np.unique(np.searchsorted(p, p[(np.arange(_BINS) * n) // _BINS]))
    owner = np.searchsorted(edges, np.arange(n), side="right") - 1
    member = np.zeros((n, len(edges)))
    member[np.arange(n), owner] = 1.0

    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n, np.full(n, 1.0 / n), size=_RESAMPLES).astype(np.float64)
    drawn = (rng.random((_RESAMPLES, n)) < p).astype(np.float64)
    error = float(np.abs((p - y) @ member).sum() / n)
    resampled = np.abs((weights * (p - y)) @ member).sum(axis=1) / n
    by_chance = np.abs((p - drawn) @ member).sum(axis=1) / n
    return CalibrationError(
        total=n,
        error=error,
        upper=float(np.quantile(resampled, 0.95)),
        chance=float(np.quantile(by_chance, 0.95)),
        stated=float(p.mean()),
        right=float(y.mean()),
        bins=tuple(_bin(p, y, owner == k) for k in range(len(edges))),
    )


def _bin(p: Floats, y: Floats, mine: NDArray[np.bool_]) -> Bin:
    stated = p[mine]
    return Bin(
        low=float(stated.min()),
        high=float(stated.max()),
        stated=float(stated.mean()),
        total=len(stated),
        right=int(y[mine].sum()),
    )


def overstated(confidence: Sequence[float], right: Sequence[bool]) -> Sequential:
    """Evidence that readings are right less often than stated. Oldest first."""
    return _detect(confidence, right, -1.0)


def understated(confidence: Sequence[float], right: Sequence[bool]) -> Sequential:
    """Evidence that readings are right more often than stated: more reviews than needed."""
    return _detect(confidence, right, 1.0)


def _detect(confidence: Sequence[float], right: Sequence[bool], way: float) -> Sequential:
    p = np.clip(np.asarray(confidence, np.float64), _LEAST, _MOST)[:, None]
    y = np.asarray(right, np.bool_)[:, None]
    shift = np.exp(way * np.asarray(_SHIFTS))[None, :]
    # With odds o stated and o * s meant, the ratio is s (1 + o) / (1 + o s) for right, else without s.
    odds = p / (1.0 - p)
    ratio = (1.0 + odds) / (1.0 + odds * shift) * np.where(y, shift, 1.0)
    held = np.ones(len(_SHIFTS))
    since: int | None = None
    for place, step in enumerate(ratio):
        held = np.maximum(held, 1.0) * step
        evidence = held.mean()
        if since is None and evidence >= THRESHOLD:
            since = place
        elif since is not None and evidence <= 1.0:
            since = None
    return Sequential(float(held.mean()), since)


def stability(
    reference: Sequence[int], current: Sequence[int], *, week: int = 0
) -> Stability | None:
    """The population stability index of counts by band; None where either is empty.

    Bands are joined until each bin has about a tenth of the reference.
    """
    n, m = sum(current), sum(reference)
    if not n or not m:
        return None
    joined = _joined(reference, current)
    index = 0.0
    for expected, seen in joined:
        e, a = max(expected, _HALF) / m, max(seen, _HALF) / n
        index += (a - e) * log(a / e)
    limit = max(PSI_SHIFT, _chi_squared(max(1, len(joined) - 1)) * (1 / n + 1 / m))
    return Stability(week, n, index, limit)


def _joined(reference: Sequence[int], current: Sequence[int]) -> list[tuple[int, int]]:
    share = sum(reference) / _STABILITY_BINS
    bins: list[tuple[int, int]] = []
    expected = seen = 0
    for of_reference, of_current in zip(reference, current, strict=True):
        expected, seen = expected + of_reference, seen + of_current
        if expected >= share:
            bins.append((expected, seen))
            expected = seen = 0
    if expected or seen:
        bins.append((expected, seen))
    return bins


def _chi_squared(freedom: int) -> float:
    """The 99.9 % point (Wilson and Hilferty, PNAS 17, 1931)."""
    part = 2.0 / (9.0 * freedom)
    return float(freedom * (1.0 - part + _Z_999 * sqrt(part)) ** 3)
