"""Sections of the configuration about the building's sensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

Days = Annotated[int, msgspec.Meta(ge=0, le=36_500)]


@dataclass(frozen=True, slots=True)
class HistoryConfig:
    """How finely and how long a gateway keeps what sensors said; days by the time of measuring,
    0: for ever.
    """

    raw_days: Days = 30
    """Every reading."""
    second_days: Days = 90
    """Least, most and mean of each second, made where single readings are no longer kept."""
    minute_days: Days = 730
    hour_days: Days = 0
    segment_days: Days = 7
    """Segments that stand in the history already, as they were acknowledged."""
    free_space_mb: Annotated[int, msgspec.Meta(ge=0)] = 2048
    """Below this much free space segments that stand in the history go earlier; 0: never."""
    flush_s: Annotated[float, msgspec.Meta(ge=0.5, le=600)] = 5.0
    """Readings reach the history's files at least this often; charts show them before."""
