"""The stock core as the AGV bridge needs it: its calls in threads, its news to the live view."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from contracts.ports import LiveView
from contracts.stock import OpenTransport, TransportOrder, TransportProgress
from erp_link.service.core import Core


class CoreMoves:
    """Implements contracts.ports.StockMoves over the synchronous core."""

    def __init__(self, core: Core, live: LiveView) -> None:
        self._core = core
        self._live = live

    async def pending_transport(self) -> Sequence[TransportOrder]:
        return await asyncio.to_thread(self._core.pending_transport)

    async def open_transport(self) -> Sequence[OpenTransport]:
        return await asyncio.to_thread(self._core.open_transport)

    async def find_transport(self, order_id: str) -> OpenTransport | None:
        return await asyncio.to_thread(self._core.find_transport, order_id)

    async def was_sent(self, order_id: str, vehicle: str) -> bool:
        return await asyncio.to_thread(self._core.was_sent, order_id, vehicle)

    async def transport_progress(self, progress: TransportProgress) -> None:
        """Book it, then tell the pages; the booking does not wait for them."""
        await asyncio.to_thread(self._core.transport_progress, progress)
        await self._live.publish(
            "transport",
            {
                "order": progress.order_id,
                "state": str(progress.state),
                "vehicle": progress.vehicle,
                "at": progress.at.isoformat(),
            },
        )
