"""Ports that more than one package needs: what they want from outside, as Protocols.

A fake that implements a port passes the same contract suite as the real adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from contracts.judging import Pin, SessionPin
from contracts.stock import BatchKey, OpenTransport, TransportOrder, TransportProgress


@dataclass(frozen=True, slots=True)
class BusMessage:
    """One MQTT message as received."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class MessageBus(Protocol):
    """An MQTT broker by URL (3.1.1 or 5). Raises UnavailableError while it cannot be reached."""

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Returns when the broker has acknowledged (QoS 1) or the bytes are sent (QoS 0)."""
        ...

    def subscribe(
        self, *filters: str, qos: int = 0
    ) -> AbstractAsyncContextManager[AsyncIterator[BusMessage]]:
        """Messages that match, retained ones first. The subscription is renewed after every
        reconnect, and ends with the context.
        """
        ...


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event of the live view. `id` grows; a page resumes after the last one it saw."""

    id: str
    topic: str
    data: Mapping[str, object]


class LiveView(Protocol):
    """Last values and fan-out (Valkey, or memory). Losing it loses nothing: every caller
    carries on when it is away, and it is rebuilt from the records.
    """

    async def publish(self, topic: str, data: Mapping[str, object]) -> None: ...

    async def set_last(self, key: str, value: Mapping[str, object]) -> None: ...

    async def last(self, key: str) -> Mapping[str, object] | None: ...

    def events(
        self, topics: Sequence[str], *, after: str | None = None
    ) -> AsyncIterator[LiveEvent]:
        """Events from now on, or after an id; ends only when the caller stops."""
        ...


class StockMoves(Protocol):
    """What the AGV bridge needs from the stock core."""

    async def pending_transport(self) -> Sequence[TransportOrder]:
        """Orders requested and not yet sent, oldest first; held goods only towards quarantine."""
        ...

    async def open_transport(self) -> Sequence[OpenTransport]:
        """Orders sent whose goods are not known to have arrived: what a restarted bridge
        reconciles with the vehicles' states.
        """
        ...

    async def find_transport(self, order_id: str) -> OpenTransport | None:
        """One order in whatever state, for a vehicle that speaks of one that is no longer open;
        None for an order that is not ours.
        """
        ...

    async def was_sent(self, order_id: str, vehicle: str) -> bool:
        """Whether an order was ever sent to this vehicle: no other can have worked on it."""
        ...

    async def transport_progress(self, progress: TransportProgress) -> None:
        """Book what a vehicle did. Idempotent by (vehicle, order, action). Never refused (I1).

        SENT comes before the order is published, so that a crash between cannot send it twice;
        REQUESTED puts an order that no vehicle picked up back among the pending ones. CANCELLED
        says that the vehicle was stopped: before the pick, or (after PICKED) with the goods on
        board, for which the core then has a new order for that very vehicle.
        """
        ...


class Pins(Protocol):
    """Who judges which batch. Compare and set: of all that ask, in whatever order, the first gets
    the pin and everybody is told the same (I3). Methods block.
    """

    def pin(self, batch: BatchKey, parts: Mapping[str, str], *, by: str) -> Pin:
        """The newest generation's pin of a batch; made for the judge of `parts` where there is
        none.
        """
        ...

    def find(self, batch: BatchKey) -> Pin | None:
        """The newest generation's pin; None where nobody judges the batch yet."""
        ...

    def history(self, batch: BatchKey) -> Sequence[Pin]:
        """All generations' pins, oldest first."""
        ...

    def next_generation(
        self, batch: BatchKey, parts: Mapping[str, str], *, after: int, by: str, why: str
    ) -> Pin:
        """Open generation `after` + 1 for another judge. Asked again by somebody else: the pin that
        was opened, whosever it is. Raises ConflictError where `after` is no generation of it.
        """
        ...

    def pin_session(self, session: str, model_set: str, *, by: str) -> SessionPin:
        """What reads a receiving session's labels; `model_set` where nothing does yet."""
        ...
