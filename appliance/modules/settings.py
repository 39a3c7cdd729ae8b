"""Settings of the module stations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ModulesConfig:
    """Check stations and storage beside the vehicles (guides/describe-a-fleet.md)."""

    dialects: tuple[str, ...] = ()
    """Files that say what their messages mean, or names of those that ship; empty: none."""
    failed_check: Literal["carton", "batch"] = "carton"
    """What a failed check holds."""
