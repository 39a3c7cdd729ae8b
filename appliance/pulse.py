"""The figures that an edge leaves in the live view and the hub's health page shows."""

from __future__ import annotations

from typing import Final

EVERY_S: Final = 2.0


def pulse_key(device: str) -> str:
    """Where an edge leaves its figures in the live view."""
    return f"edge:{device}"
