"""What one reading of the socket brought: readings, who sent each, how each is answered."""

from __future__ import annotations

from collections.abc import Callable

from telemetry.coap.ports import Source


class Group:
    """Collected while the socket has more; `on_disk` is what the durable path calls."""

    __slots__ = ("_pending", "_stored", "answers", "keys", "messages")

    def __init__(self, stored: Callable[[Group], None], pending: set[tuple[Source, int]]) -> None:
        self._stored = stored
        self._pending = pending
        self.messages: list[tuple[str, bytes]] = []
        self.keys: list[tuple[Source, int]] = []
        self.answers: list[bytes] = []

    def add(self, address: str, payload: bytes, key: tuple[Source, int], answer: bytes) -> None:
        """`key` is sender and message id; `answer` leaves when the reading is on disk."""
        # At once: the same message may stand a second time behind it in the socket.
        self._pending.add(key)
        self.messages.append((address, payload))
        self.keys.append(key)
        self.answers.append(answer)

    def on_disk(self) -> None:
        self._stored(self)
