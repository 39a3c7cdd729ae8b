"""What the order pages ask of the stock core. Calls may block; errors are TallymanErrors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from erp_link.domain.orders import NewOrder
from erp_link.service.orders.planning import Planned
from erp_link.service.orders.quotas import Quota
from erp_link.service.orders.shapes import OrderSummary, OrderView


class OrderDesk(Protocol):
    """erp_link.service.orders.desk.Orders."""

    def orders(
        self, *, open_only: bool = False, after: int | None = None, limit: int = 100
    ) -> Sequence[OrderSummary]: ...

    def order(self, order: str) -> OrderView:
        """Raises NotFoundError."""
        ...

    def offered(self) -> Mapping[str, str]:
        """The GTINs of what is in the house, with names."""
        ...

    def place(self, order: NewOrder, *, by: str, key: str | None = None) -> OrderView: ...

    def plan(self, order: str, *, by: str, key: str | None = None) -> Planned: ...

    def pick(
        self, order: str, *, by: str, only: Sequence[int] = (), key: str | None = None
    ) -> OrderView:
        """Raises HeldError, ConflictError."""
        ...

    def pack(
        self,
        order: str,
        *,
        by: str,
        label: str = "",
        only: Sequence[int] = (),
        key: str | None = None,
    ) -> OrderView: ...

    def ship(
        self, order: str, *, by: str, partly: bool = False, key: str | None = None
    ) -> OrderView: ...

    def bring_back(
        self, order: str, *, by: str, only: Sequence[int] = (), key: str | None = None
    ) -> OrderView: ...

    def cancel(self, order: str, *, reason: str, by: str, key: str | None = None) -> OrderView: ...

    def quotas(self, *, device: str | None = None, open_only: bool = True) -> Sequence[Quota]: ...
