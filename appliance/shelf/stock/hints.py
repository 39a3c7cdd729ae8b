"""What to order, as the phone shows it: from the replenishment desk, kept beside the snapshot.

The desk weighs every product's past, which takes seconds in a large house. So nobody at a shelf
waits for it: a job works it out every now and then, and takes at most a twentieth of a core.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from contracts.errors import TallymanError
from contracts.shelf import ReorderHint
from erp_link.service.care.reorder import Reorder

log = structlog.get_logger()
_LEAST_WAIT_S = 30.0
_SHARE = 20


@dataclass(frozen=True, slots=True)
class Hints:
    """`stamp` is another one where a hint is another one."""

    stamp: int = 0
    by_gtin: Mapping[str, ReorderHint] = field(default_factory=dict)


class HintBook:
    """The newest hints; empty until the job has worked them out once."""

    def __init__(self, desk: Reorder) -> None:
        self._desk = desk
        self._now = Hints()

    def __call__(self) -> Hints:
        return self._now

    def refresh(self) -> None:
        """Work them out. Blocks. Raises UnavailableError."""
        said = (line.suggestion for line in self._desk.plan().lines)
        hints = {
            each.gtin: ReorderHint(each.quantity, each.reasons[0])
            for each in said
            if each.quantity > 0 and each.reasons
        }
        if hints != self._now.by_gtin:
            self._now = Hints(self._now.stamp + 1, hints)

    async def watch(self) -> None:
        """Keep them fresh, for as long as the hub runs."""
        while True:
            began = time.monotonic()
            try:
                await asyncio.to_thread(self.refresh)
            except TallymanError as error:
                log.warning("reorder hints of the shelf are old", error=str(error))
            await asyncio.sleep(max(_LEAST_WAIT_S, _SHARE * (time.monotonic() - began)))
