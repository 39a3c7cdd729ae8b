"""Which messages of a sender were taken already: (endpoint, message id) for EXCHANGE_LIFETIME.

A sender that saw no acknowledgement sends the same message id again (RFC 7252, 4.2); for 247 s that
is the same message, afterwards another one may bear the number. Both mistakes cost: taking it twice,
or acknowledging a new one as if it had been stored. So every number has its own time. Numbers lie
on pages of 256 (senders count up), two bytes each; how many pages there may be in all is bounded,
and what finds no room is refused by `Full`, never forgotten early.
"""

from __future__ import annotations

from array import array
from typing import Final

EXCHANGE_LIFETIME_S: Final = 247
"""RFC 7252, 4.8.2, with the standard's parameters."""
_PAGE = 256
_BLANK = array("H", bytes(2 * _PAGE))
_TICKS = 1 << 16
PAGE_BYTES: Final = 750
"""What a page costs with its place in the dictionary."""
SENDER_BYTES: Final = 600
_HOURLY_S: Final = 3600


class Page:
    """256 times: seconds since the start plus one, modulo 2**16; 0 for never."""

    __slots__ = ("last_s", "times")

    def __init__(self) -> None:
        self.times = _BLANK[:]
        self.last_s = 0


class Sender:
    """One endpoint: its pages, and the options that its last message bore with what they mean."""

    __slots__ = ("address", "heard_s", "options", "pages")

    def __init__(self) -> None:
        self.pages: dict[int, Page] = {}
        self.heard_s = 0
        self.options = b""
        """From behind the token to the payload's marker, both as received; empty: none known."""
        self.address = ""
        """Where a message with just these options goes."""


class Full(Exception):  # noqa: N818 -- a state, answered by 5.03, not a mistake
    """No room to remember another sender or page."""


class Exchanges:
    """All senders. Times are whole seconds of a monotonic clock that begins near 0."""

    def __init__(self, *, most_bytes: int = 64 << 20) -> None:
        self.senders: dict[object, Sender] = {}
        self.most_bytes = most_bytes
        self.used_bytes = 0
        self._swept_s = 0
        self._aged_s = 0

    def sender(self, endpoint: object, now_s: int) -> Sender:
        """The sender at an address and port. Raises Full."""
        sender = self.senders.get(endpoint)
        if sender is None:
            self._room(SENDER_BYTES, now_s)
            sender = self.senders[endpoint] = Sender()
            self.used_bytes += SENDER_BYTES
        sender.heard_s = now_s
        return sender

    def is_repeat(self, sender: Sender, message_id: int, now_s: int) -> bool:
        """True when the message was taken less than EXCHANGE_LIFETIME ago."""
        page = sender.pages.get(message_id >> 8)
        if page is None:
            return False
        stamp = page.times[message_id & 0xFF]
        return stamp != 0 and (now_s + 1 - stamp) % _TICKS <= EXCHANGE_LIFETIME_S

    def take(self, sender: Sender, message_id: int, now_s: int) -> None:
        """Remember that it was taken now. Raises Full; then nothing is remembered."""
        page = sender.pages.get(message_id >> 8)
        if page is None:
            self._room(PAGE_BYTES, now_s)
            page = sender.pages[message_id >> 8] = Page()
            self.used_bytes += PAGE_BYTES
        page.times[message_id & 0xFF] = _stamp(now_s)
        page.last_s = now_s

    def forget(self, sender: Sender, message_id: int) -> None:
        """It was not stored after all: when it comes again, it is new."""
        page = sender.pages.get(message_id >> 8)
        if page is not None:
            page.times[message_id & 0xFF] = 0

    def sweep(self, now_s: int) -> None:
        """Let go of what is past its time. Call it every minute or so, and at least every five
        hours: a time is only known modulo 18 hours.
        """
        self._swept_s = now_s
        for endpoint, sender in list(self.senders.items()):
            oldest = now_s - EXCHANGE_LIFETIME_S
            stale = [key for key, page in sender.pages.items() if page.last_s < oldest]
            for key in stale:
                del sender.pages[key]
            self.used_bytes -= PAGE_BYTES * len(stale)
            if not sender.pages and now_s - sender.heard_s > EXCHANGE_LIFETIME_S:
                del self.senders[endpoint]
                self.used_bytes -= SENDER_BYTES
        if now_s - self._aged_s >= _HOURLY_S:
            self._aged_s = now_s
            for sender in self.senders.values():
                for page in sender.pages.values():
                    _blank_old(page, now_s)

    def _room(self, wanted: int, now_s: int) -> None:
        if self.used_bytes + wanted > self.most_bytes and now_s != self._swept_s:
            self.sweep(now_s)
        if self.used_bytes + wanted > self.most_bytes:
            raise Full


def _stamp(now_s: int) -> int:
    # Never 0: one second in 18 hours is told as the one before.
    return (now_s + 1) % _TICKS or _TICKS - 1


def _blank_old(page: Page, now_s: int) -> None:
    times = page.times
    for index, stamp in enumerate(times):
        if stamp and (now_s + 1 - stamp) % _TICKS > EXCHANGE_LIFETIME_S:
            times[index] = 0
