"""A broker in memory: the fake behind contracts.ports.MessageBus, with retained messages and wills.

It passes the contract suite of the real brokers (tests/appliance/test_bus_contract.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from appliance.services.bus import MessageStream, check_filter, check_topic, matches
from contracts.errors import UnavailableError
from contracts.ports import BusMessage


@dataclass(eq=False, slots=True)
class _Subscription:
    filters: tuple[str, ...]
    qos: int
    owner: MemoryBus
    stream: MessageStream = field(default_factory=MessageStream)

    def wants(self, topic: str) -> bool:
        return any(matches(topic, wanted) for wanted in self.filters)


class MemoryBroker:
    """What several MemoryBus clients share. `stop` and `start` play a broker's outage."""

    def __init__(self) -> None:
        self.running = True
        self.retained: dict[str, BusMessage] = {}
        self._subscriptions: list[_Subscription] = []
        self._clients: list[MemoryBus] = []

    def stop(self) -> None:
        """The broker is gone: publishing raises; retained messages are kept, as on disk."""
        self.running = False

    def start(self) -> None:
        """The broker is back: every subscription is renewed and gets the retained messages."""
        self.running = True
        for subscription in self._subscriptions:
            self._send_retained(subscription)

    def kill(self, client: MemoryBus) -> None:
        """The client's connection breaks without goodbye: its will is published."""
        if client not in self._clients:
            return
        self._clients.remove(client)
        self._subscriptions = [s for s in self._subscriptions if s.owner is not client]
        if client.will is not None:
            self.deliver(client.will)

    def deliver(self, message: BusMessage) -> None:
        if message.retain:
            if message.payload:
                self.retained[message.topic] = message
            else:
                self.retained.pop(message.topic, None)
        for subscription in self._subscriptions:
            if subscription.wants(message.topic):
                qos = min(message.qos, subscription.qos)
                subscription.stream.put(replace(message, qos=qos, retain=False))

    def join(self, client: MemoryBus) -> None:
        self._clients.append(client)

    def leave(self, client: MemoryBus) -> None:
        if client in self._clients:
            self._clients.remove(client)

    def knows(self, client: MemoryBus) -> bool:
        return self.running and client in self._clients

    def add(self, subscription: _Subscription) -> None:
        self._subscriptions.append(subscription)
        if self.running:
            self._send_retained(subscription)

    def remove(self, subscription: _Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def _send_retained(self, subscription: _Subscription) -> None:
        for topic, message in sorted(self.retained.items()):
            if subscription.wants(topic):
                qos = min(message.qos, subscription.qos)
                subscription.stream.put(replace(message, qos=qos))


class MemoryBus:
    """One client of a MemoryBroker (of its own when none is given)."""

    def __init__(
        self,
        broker: MemoryBroker | None = None,
        *,
        client_id: str = "memory",
        will: BusMessage | None = None,
    ) -> None:
        self.broker = broker or MemoryBroker()
        self.client_id = client_id
        self.will = will

    async def __aenter__(self) -> Self:
        self.broker.join(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.broker.leave(self)

    @property
    def connected(self) -> bool:
        return self.broker.knows(self)

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """See contracts.ports.MessageBus. Raises UnavailableError, BadInputError (topic)."""
        check_topic(topic)
        # A real publish lets others run; without this a busy publisher would starve them.
        await asyncio.sleep(0)
        if not self.connected:
            raise UnavailableError(
                "The MQTT broker (memory) does not answer", mend="Start the broker"
            )
        self.broker.deliver(BusMessage(topic, bytes(payload), qos, retain))

    @asynccontextmanager
    async def subscribe(
        self, *filters: str, qos: int = 0
    ) -> AsyncIterator[AsyncIterator[BusMessage]]:
        """See contracts.ports.MessageBus. Raises BadInputError (filter)."""
        for wanted in filters:
            check_filter(wanted)
        subscription = _Subscription(filters, qos, self)
        self.broker.add(subscription)
        try:
            yield subscription.stream
        finally:
            self.broker.remove(subscription)
