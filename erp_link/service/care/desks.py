"""The care desks over whatever core is open: pages and API ask the same ones, and share what the
desks have worked out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from erp_link.service.care.health import StockHealth
from erp_link.service.care.history import HistoryBook
from erp_link.service.care.master_data import MasterData
from erp_link.service.care.reorder import Reorder
from erp_link.service.core import Core


@dataclass(frozen=True, slots=True)
class Care:
    """The desks of one core."""

    core: Core
    reorder: Reorder
    health: StockHealth
    master_data: MasterData


class CareDesks:
    """Gives the desks of the core that is open at the time of a request."""

    def __init__(self, core_provider: Callable[[], Core]) -> None:
        self._provider = core_provider
        self._lock = threading.Lock()
        self._open: Care | None = None

    def __call__(self) -> Care:
        core = self._provider()
        with self._lock:
            if self._open is None or self._open.core is not core:
                past = HistoryBook(core)
                self._open = Care(
                    core, Reorder(core, past), StockHealth(core, past), MasterData(core)
                )
            return self._open
