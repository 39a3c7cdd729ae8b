"""Whether a connection is read, and why not."""

from __future__ import annotations

import asyncio


class Flow:
    """Reading stands still as long as there is any reason: `window`, `room`, `writing`, `checking`.

    What is not read waits in the client: that is all the back-pressure that 3.1.1 knows.
    """

    __slots__ = ("_transport", "_why")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._why: set[str] = set()

    def __contains__(self, why: str) -> bool:
        return why in self._why

    @property
    def stands(self) -> bool:
        return bool(self._why)

    def hold(self, why: str) -> None:
        if not self._why and not self._transport.is_closing():
            self._transport.pause_reading()
        self._why.add(why)

    def go_on(self, why: str) -> bool:
        """True where nothing else holds it any more: reading goes on."""
        if why not in self._why:
            return False
        self._why.discard(why)
        if self._why:
            return False
        if not self._transport.is_closing():
            self._transport.resume_reading()
        return True
