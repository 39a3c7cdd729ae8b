"""What the core is told, in order, over its outages (I2).

What was seen is kept until the core took it or refused it: only a core that is away
(UnavailableError) is waited for, anything else would stand in the way of every vehicle. It need not
survive a kill: the vehicle's next state says it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum

import structlog

from contracts.errors import TallymanError, UnavailableError
from contracts.ports import StockMoves
from contracts.stock import TransportProgress

_log = structlog.get_logger(__name__)


class Permit(Enum):
    """What the core says before an order goes out."""

    GIVEN = "given"
    REFUSED = "refused"
    """A hold came in between, or the order is no longer wanted."""
    AWAY = "away"


class Reporter:
    """An outbox in front of the core."""

    def __init__(self, moves: StockMoves) -> None:
        self._moves = moves
        self._waiting: deque[TransportProgress] = deque()
        self.refused = 0
        """Steps that the core did not take and never will; each is in the log."""

    @property
    def is_clear(self) -> bool:
        return not self._waiting

    async def tell(self, *steps: TransportProgress) -> None:
        """Take the steps in and offer what is waiting."""
        await self.offer(steps)

    async def offer(self, steps: Iterable[TransportProgress] = ()) -> None:
        self._waiting.extend(steps)
        while self._waiting and await self._deliver(self._waiting[0]):
            self._waiting.popleft()

    async def permit(self, sent: TransportProgress) -> Permit:
        """SENT, before an order is published. Without the permit it must not go out."""
        try:
            await self._moves.transport_progress(sent)
        except UnavailableError as error:
            _log.warning("agv_core_unavailable", order=sent.order_id, error=str(error))
            return Permit.AWAY
        except TallymanError as error:
            _log.warning("agv_dispatch_refused", order=sent.order_id, error=str(error))
            return Permit.REFUSED
        except Exception:  # noqa: BLE001 -- an outage of the core must not end the bridge
            _log.warning("agv_core_unavailable", order=sent.order_id, exc_info=True)
            return Permit.AWAY
        return Permit.GIVEN

    async def _deliver(self, progress: TransportProgress) -> bool:
        try:
            await self._moves.transport_progress(progress)
        except UnavailableError as error:
            _log.warning("agv_core_unavailable", order=progress.order_id, error=str(error))
            return False
        except Exception:  # noqa: BLE001 -- kept, it would hold up all that follow
            self.refused += 1
            _log.exception("agv_progress_refused", progress=progress)
        return True
