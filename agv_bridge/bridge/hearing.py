"""From the broker's messages to those that count, and a book of those that do not, for a page.

What cannot be read, and what names another vehicle than its topic, is turned away with a reason:
one vehicle's nonsense stops nobody else, and nobody speaks for another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from agv_bridge.missions import identity
from agv_bridge.vda5050.codec import Received, decode
from agv_bridge.vda5050.topics import parse_topic
from contracts.clock import Clock
from contracts.errors import BadInputError
from contracts.ports import BusMessage
from contracts.reason import Reason

_log = structlog.get_logger(__name__)
_MOST = 200
"""Kinds that are kept apart; beyond it the one heard longest ago goes."""
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Messages of one vehicle, or below one topic that names none, with the same reason."""

    vehicle: str
    reason: Reason
    count: int
    at: datetime
    """The newest time, by the bridge's clock."""


class Hearing:
    """Bounded: who sends nonsense under ever new names does not fill the memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._book: dict[tuple[str, str], TurnedAway] = {}
        self.turned_away = 0
        """Messages in all; the book may have forgotten some."""

    def read(self, message: BusMessage) -> Received | None:
        """None for what is not of the standard, and for what is turned away."""
        try:
            received = decode(message.topic, message.payload)
        except BadInputError as error:
            self._nonsense(message.topic, identity.UNREADABLE, why=str(error)[:_LONGEST])
            return None
        if received is None:
            return None
        reason = identity.named_otherwise(received)
        if reason is None:
            return received
        self.turn_away(received.address.vehicle, reason)
        return None

    def not_taken(self, message: BusMessage, error: Exception) -> None:
        """Readable, and it upset what it met: a mistake of ours, told with its trace."""
        _log.exception("agv_message_not_taken", topic=message.topic)
        self._nonsense(message.topic, identity.NOT_TAKEN, why=repr(error)[:_LONGEST])

    def book(self) -> tuple[TurnedAway, ...]:
        """The newest first."""
        return tuple(reversed(self._book.values()))

    def _nonsense(self, topic: str, code: str, *, why: str) -> None:
        known = parse_topic(topic)
        self.turn_away(known[0].vehicle if known is not None else topic, Reason(code, {"why": why}))

    def turn_away(self, vehicle: str, reason: Reason) -> None:
        """Count what a vehicle said and why it was not taken."""
        self.turned_away += 1
        _log.warning("agv_message_turned_away", sender=vehicle, code=reason.code, **reason.params)
        key = (vehicle[:_LONGEST], reason.code)
        before = self._book.pop(key, None)
        now = TurnedAway(key[0], reason, 1, self._clock.now())
        self._book[key] = replace(now, count=before.count + 1) if before is not None else now
        if len(self._book) > _MOST:
            del self._book[next(iter(self._book))]
