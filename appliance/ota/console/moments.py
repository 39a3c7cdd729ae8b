"""Microseconds since 1970 as moments that pages show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at_us: int) -> datetime:
    """UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


def moment_or_none(at_us: int) -> datetime | None:
    """None for 0, which stands for never."""
    return moment(at_us) if at_us else None
