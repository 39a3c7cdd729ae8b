"""To whom an order ever went: only such a vehicle can have worked on it, whatever another claims.

SENT is written before an order is published, so the core knows. It is asked once for each vehicle
that speaks of an order which this bridge did not send it: after a restart, or when it lies.
"""

from __future__ import annotations

from collections import OrderedDict

from contracts.ports import StockMoves

_MOST = 10_000


class Sendings:
    """What was asked and what was sent here, bounded; asking again loses nothing."""

    def __init__(self, moves: StockMoves) -> None:
        self._moves = moves
        self._known: OrderedDict[tuple[str, str], bool] = OrderedDict()
        self._claimed: OrderedDict[tuple[str, str], None] = OrderedDict()

    def note(self, order_id: str, vehicle: str) -> None:
        """The core let it go out to this vehicle."""
        self._keep(order_id, vehicle, had=True)

    async def had(self, order_id: str, vehicle: str) -> bool:
        """Whether it ever went to this vehicle. Raises what the core raises."""
        known = self._known.get((order_id, vehicle))
        if known is None:
            known = await self._moves.was_sent(order_id, vehicle)
            self._keep(order_id, vehicle, had=known)
        return known

    def is_first_claim(self, order_id: str, vehicle: str) -> bool:
        """True once for each vehicle that claims an order which it never had."""
        key = (order_id, vehicle)
        if key in self._claimed:
            return False
        self._claimed[key] = None
        if len(self._claimed) > _MOST:
            self._claimed.popitem(last=False)
        return True

    def _keep(self, order_id: str, vehicle: str, *, had: bool) -> None:
        self._known[order_id, vehicle] = had
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
