"""The judgement on one carton."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.reason import Reason
from contracts.stock import BatchKey


class Decision(StrEnum):
    ACCEPT = "accept"
    HOLD = "hold"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`freezes` is the batch that this verdict puts on hold; None for accept and review."""

    decision: Decision
    reasons: tuple[Reason, ...]
    batch: BatchKey | None = None
    expiry: str | None = None
    asn_line: int | None = None
    freezes: BatchKey | None = None
    off_list: bool = False
