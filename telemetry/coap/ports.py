"""What CoAP needs from outside: the durable path, and who hears answers to our own questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from telemetry.coap.message import Message

Source = Any
"""What the kernel calls a sender: host and port, and two numbers more with IPv6."""


class Takes(Protocol):
    """The one durable path (telemetry.ingest.Intake)."""

    @property
    def full(self) -> bool:
        """No more may be taken now."""
        ...

    def take(
        self, messages: Sequence[tuple[str, bytes]], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        """Take readings as (address, payload); `on_disk` is called when all of them are."""
        ...

    def when_room(self, callback: Callable[[], None]) -> None:
        """Call once, when there is room again."""
        ...


class Hears(Protocol):
    """Answers to what we asked ourselves (telemetry.coap.observe)."""

    def heard(self, message: Message, source: Source) -> None: ...
