"""What a run of the recipe says of its candidate, and the quality record that follows from it. Pure.

The record states its own bounds (ota.registry.gate): what the set in force read of the same trials,
less the loss that the verdict ruled out, and the product's own promises of wrong accepts and
calibration, where the set in force was not worse than they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from appliance.learning.candidate import CandidatePolicy, Figures, Measured
from contracts.errors import BadInputError
from contracts.reason import Reason


@dataclass(frozen=True, slots=True)
class HoldOut:
    """`digest` names the ledger of what judged; `lines` of `examples`."""

    digest: str = ""
    examples: int = 0
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Trials:
    """The measurements of both sets, where there was something to measure on."""

    hold_out: Measured | None = None
    rendered: Measured | None = None


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """`verdict.json` beside a candidate's set. `candidate` and `current` are digests."""

    candidate: str
    current: str
    version: str
    publishable: bool = False
    lines_taught: int = 0
    hold_out: HoldOut = HoldOut()
    measured: Trials = Trials()
    reasons: tuple[Reason, ...] = ()


def read_verdict(data: bytes) -> RunVerdict:
    """Raises BadInputError."""
    try:
        return msgspec.json.decode(data, type=RunVerdict)
    except msgspec.MsgspecError as error:
        raise BadInputError(
            f"a candidate's verdict.json is not readable: {error}", mend="Remove its folder"
        ) from error


def data_of(verdict: RunVerdict) -> str:
    """What the candidate learnt from and was judged on, for its lineage."""
    held = verdict.hold_out
    return (
        f"{verdict.lines_taught} settled lines; judged on {held.lines} lines of {held.examples} "
        f"held-out cartons (ledger {held.digest[:16]})"
    )


def quality_record(verdict: RunVerdict, policy: CandidatePolicy | None = None) -> str:
    """quality.toml of the candidate: percentages of both sets, and the bounds it must keep."""
    return "\n".join(_lines(verdict, policy or CandidatePolicy())) + "\n"


def _lines(verdict: RunVerdict, policy: CandidatePolicy) -> Iterator[str]:
    yield "# Written by the learning loop from its verdict; both sets read the same trials."
    yield f'compared_with = "{verdict.current}"'
    yield "[learned]"
    yield f'current = "{verdict.current}"'
    yield f"lines_taught = {verdict.lines_taught}"
    yield f'hold_out = "{verdict.hold_out.digest}"'
    found = {"hold_out": verdict.measured.hold_out, "rendered": verdict.measured.rendered}
    for name, measured in found.items():
        if measured is None:
            continue
        for who, figures in (("", measured.candidate), ("_before", measured.current)):
            yield ""
            yield f"[measured.{name}{who}]"
            yield f"trials = {figures.trials}"
            for figure, value in _percents(figures).items():
                yield f"{figure} = {value}"
        yield from _bounds(name, measured, policy)


def _bounds(name: str, measured: Measured, policy: CandidatePolicy) -> Iterator[str]:
    before = _percents(measured.current)
    least = before["right_percent"] - 100 * policy.margin
    most = {
        "wrong_accepts_bound_percent": 100 * policy.wrong_accepts,
        "calibration_error_percent": 100 * policy.calibration_error,
    }
    yield from _gate(f"measured.{name}.right_percent", "higher", max(0.0, least))
    for figure, promise in most.items():
        yield from _gate(f"measured.{name}.{figure}", "lower", max(before[figure], promise))


def _gate(figure: str, better: str, limit: float) -> Iterator[str]:
    yield ""
    yield "[[gate]]"
    yield f'figure = "{figure}"'
    yield f'better = "{better}"'
    # Another run has another hold-out: the next set is bound by its own comparison, not by chance.
    yield "may_lose = 5.0"
    yield f"limit = {round(limit, 3)}"


def _percents(figures: Figures) -> dict[str, float]:
    trials = max(figures.trials, 1)
    return {
        "right_percent": round(100 * figures.right / trials, 3),
        "accepted_percent": round(100 * figures.accepted / trials, 3),
        "wrong_accepts_bound_percent": round(100 * figures.wrong_accepts_bound, 3),
        "calibration_error_percent": round(100 * figures.calibration_error, 3),
    }
