"""What these pages ask of the stock core, as Protocols over its own values.

Calls may block: routes run them in a thread. Errors are TallymanErrors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from erp_link.domain.reorder.policy import ReorderPolicy
from erp_link.service.care.books import BookFinding
from erp_link.service.care.health import Health
from erp_link.service.care.master_lists import ListReport, ListSummary
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


class MasterDesk(Protocol):
    """erp_link.service.care.master_data.MasterData."""

    def send(self, data: bytes, *, name: str, by: str, key: str | None = None) -> ListReport:
        """Raises BadInputError, ConflictError."""
        ...

    def lists(self) -> list[ListSummary]: ...

    def report(self, list_id: int) -> ListReport:
        """Raises NotFoundError."""
        ...

    def answer(self, list_id: int, number: int, answers: Mapping[str, str], *, by: str) -> None:
        """Raises BadInputError, NotFoundError, ConflictError."""
        ...

    def accept(self, list_id: int, *, code: str, by: str) -> int: ...

    def leave_out(self, list_id: int, number: int, *, by: str) -> None: ...

    def apply(self, list_id: int, *, by: str) -> int:
        """Raises ConflictError."""
        ...

    def discard(self, list_id: int, *, by: str) -> None: ...

    def books(self) -> list[BookFinding]: ...
