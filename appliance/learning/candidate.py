"""May a candidate model set be published? Judged on a hold-out and on a rendered set. Pure (I7).

Both sets read the same lines and frames, so what counts is where they differ. A candidate is
refused where its harm cannot be ruled out: too few examples is a reason to refuse, not to hope.
Publishing itself takes signatures (I5) and is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.bench.statistics import upper_bound
from contracts.reason import Reason


@dataclass(frozen=True, slots=True)
class Paired:
    """The same `trials` read by both sets: where only one of them was right."""

    trials: int
    gains: int
    """Only the candidate was right."""
    losses: int
    """Only the current set was right."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one set: `accepted` of `trials` were given out as read, `wrong_accepts` of them wrongly;
    `calibration_error` is the expected calibration error, 0..1.
    """

    trials: int
    right: int
    accepted: int
    wrong_accepts: int
    calibration_error: float

    @property
    def wrong_accepts_bound(self) -> float:
        """The upper 95 % bound of wrong among accepted."""
        return upper_bound(self.wrong_accepts, self.accepted)


@dataclass(frozen=True, slots=True)
class Measured:
    """One set of trials (a hold-out's lines, or rendered frames) under both sets."""

    paired: Paired
    current: Figures
    candidate: Figures


@dataclass(frozen=True, slots=True)
class CandidatePolicy:
    """`margin`: the loss, as a share of all trials, that must be ruled out at 95 %. What both sets
    keep of the product's own promises (`wrong_accepts`, `calibration_error`) is good enough.
    """

    margin: float = 0.02
    least_hold_out: int = 100
    least_rendered: int = 100
    wrong_accepts: float = 0.005
    calibration_error: float = 0.03


@dataclass(frozen=True, slots=True)
class CandidateVerdict:
    """`reasons` say why not; empty where it may be published."""

    publishable: bool
    reasons: tuple[Reason, ...]


def judge_candidate(
    hold_out: Measured | None,
    rendered: Measured | None,
    policy: CandidatePolicy | None = None,
) -> CandidateVerdict:
    """None: that set was not there to judge on."""
    policy = policy or CandidatePolicy()
    reasons = [
        *_judged("hold_out", hold_out, policy.least_hold_out, policy),
        *_judged("rendered", rendered, policy.least_rendered, policy),
    ]
    if not reasons and hold_out is not None and hold_out.paired.gains <= hold_out.paired.losses:
        # It does no harm and brings nothing: a new set is a new judge for every batch (I3).
        reasons.append(
            Reason(
                "candidate_no_better",
                {"gains": hold_out.paired.gains, "losses": hold_out.paired.losses},
            )
        )
    return CandidateVerdict(not reasons, tuple(reasons))


def loss_bound(paired: Paired) -> float:
    """The upper 95 % bound of the share of trials that the candidate loses on balance, 0..1.

    Given that the sets differ, losses are binomial: their bound (Clopper and Pearson 1934), times
    the bound of how often the sets differ at all, is what the candidate can lose (as McNemar 1947
    looks at differing pairs only; the product of two bounds is wider than either needs).
    """
    differ = paired.gains + paired.losses
    losing = upper_bound(paired.losses, differ)
    return max(0.0, 2 * losing - 1) * upper_bound(differ, paired.trials)


def _judged(
    where: str, measured: Measured | None, least: int, policy: CandidatePolicy
) -> list[Reason]:
    if measured is None or measured.paired.trials < least:
        trials = measured.paired.trials if measured else 0
        return [Reason("candidate_too_few", {"set": where, "trials": trials, "least": least})]
    reasons = []
    losing = loss_bound(measured.paired)
    if losing > policy.margin:
        reasons.append(_said("candidate_may_read_worse", where, losing, policy.margin))
    current, candidate = measured.current, measured.candidate
    bound, before = candidate.wrong_accepts_bound, current.wrong_accepts_bound
    if current.accepted and not candidate.accepted:
        reasons.append(Reason("candidate_accepts_nothing", {"set": where}))
    elif bound > max(before, policy.wrong_accepts):
        reasons.append(_said("candidate_accepts_wrong", where, bound, before))
    error, error_before = candidate.calibration_error, current.calibration_error
    if error > max(error_before, policy.calibration_error):
        reasons.append(_said("candidate_miscalibrated", where, error, error_before))
    return reasons


def _said(code: str, where: str, value: float, limit: float) -> Reason:
    percent = {"percent": round(100 * value, 2), "limit": round(100 * limit, 2)}
    return Reason(code, {"set": where, **percent})
