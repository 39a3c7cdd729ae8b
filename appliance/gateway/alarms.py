"""Alarms into the gateway's journal: signed, in order, each change once (I2, I4).

After a restart the ingest tells again what may not have arrived. What stands in the journal already
is known by (alarm, number) and left alone, so the hub hears of it once.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import structlog

from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from contracts.errors import BadInputError
from contracts.telemetry import AlarmChanged

log = structlog.get_logger()
_LOOK_BACK = 50_000
_PAGE = 1_000
_REMEMBERED = 50_000


class JournalSink:
    """Implements telemetry.ports.AlarmSink. Make it with `open`."""

    def __init__(self, journal: Journal, told: OrderedDict[str, int]) -> None:
        self._journal = journal
        self._told = told
        self.refused = 0
        """Changes that no journal can take: a fault of this software."""
        self.repeated = 0
        """Changes that stood in the journal already."""

    @classmethod
    async def open(cls, journal: Journal) -> JournalSink:
        """Reads what the newest part of the journal tells."""
        return cls(journal, await asyncio.to_thread(_told_in, journal))

    async def tell(self, changes: Sequence[AlarmChanged]) -> None:
        """Returns when all of them are durable. Raises JournalError; then they are told again."""
        fresh = [each for each in changes if not self._known(each)]
        self.repeated += len(changes) - len(fresh)
        if not fresh:
            return
        # All at once, so that they share a commit; the journal keeps the order of the calls.
        done = await asyncio.gather(
            *(self._journal.append(each) for each in fresh), return_exceptions=True
        )
        for change, result in zip(fresh, done, strict=True):
            if isinstance(result, BadInputError):
                # It would be refused for ever, and with it whatever is told behind it.
                self.refused += 1
                log.error("an alarm cannot be written down", alarm=change.alarm_id, why=str(result))
            elif isinstance(result, BaseException):
                raise result
            else:
                _remember(self._told, change)

    def _known(self, change: AlarmChanged) -> bool:
        return self._told.get(change.alarm_id, -1) >= change.number


def _told_in(journal: Journal) -> OrderedDict[str, int]:
    told: OrderedDict[str, int] = OrderedDict()
    after = max(0, journal.head().seq - _LOOK_BACK)
    while entries := journal.entries(after, _PAGE):
        after = entries[-1].seq
        for entry in entries:
            if entry.kind == "alarm_changed":
                body = decode_body(entry.kind, entry.body)
                if isinstance(body, AlarmChanged):
                    _remember(told, body)
    return told


def _remember(told: OrderedDict[str, int], change: AlarmChanged) -> None:
    told[change.alarm_id] = max(told.get(change.alarm_id, -1), change.number)
    told.move_to_end(change.alarm_id)
    if len(told) > _REMEMBERED:
        told.popitem(last=False)
