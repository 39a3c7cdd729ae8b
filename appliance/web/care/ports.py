"""What these pages ask of the stock core, as Protocols over its own values.

Calls may block: routes run them in a thread. Errors are TallymanErrors.
"""

from __future__ import annotations

from typing import Protocol

from erp_link.domain.reorder.policy import ReorderPolicy
from erp_link.service.care.health import Health
from erp_link.service.care.reorder import Plan, ReorderLine, Series


class ReorderDesk(Protocol):
    """erp_link.service.care.reorder.Reorder."""

    def plan(self) -> Plan: ...

    def line(self, gtin: str) -> ReorderLine:
        """Raises BadInputError, NotFoundError."""
        ...

    def series(self, gtin: str) -> Series:
        """Raises BadInputError, NotFoundError."""
        ...

    def set_policy(
        self, gtin: str, policy: ReorderPolicy | None, *, by: str, key: str | None = None
    ) -> None:
        """Raises BadInputError."""
        ...


class HealthDesk(Protocol):
    """erp_link.service.care.health.StockHealth."""

    def report(self) -> Health: ...
