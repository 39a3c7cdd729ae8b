"""What a live view tells the health page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveHealth:
    """`lost` counts events and values that pages did not get because the server was away."""

    ok: bool
    lost: int = 0
    detail: str = ""
