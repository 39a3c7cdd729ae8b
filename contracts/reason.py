"""A reason is a code with its values; the words in both languages stand in one catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was decided. `code` is a key of the catalogue (`reason.<code>`)."""

    code: str
    params: dict[str, str | int | float] = field(default_factory=dict)
