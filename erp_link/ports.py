"""What the core's API needs from outside: who is asking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Actor(Protocol):
    """A signed-in person or program."""

    @property
    def name(self) -> str: ...

    @property
    def roles(self) -> frozenset[Any]:
        """Role names, as strings or string enumerations."""
        ...


Auth = Callable[..., Callable[..., Any]]
"""`auth(*roles)` gives a FastAPI dependency that returns an Actor with at least one of the roles,
or raises NotSignedInError or ForbiddenError. For writes it also guards against forged requests.
"""
