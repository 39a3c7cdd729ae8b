"""Payloads that come in blocks (Block1 of RFC 7959): put together in bounded room.

A transfer is known by its sender and where it goes. Blocks come in order; what does not fit is
refused with the code that tells the sender to begin anew. A transfer that is not gone on with for
EXCHANGE_LIFETIME makes room.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from telemetry.coap.exchanges import EXCHANGE_LIFETIME_S
from telemetry.coap.message import Code, uint

_RESERVED_SIZE = 7
_VALUE_MOST = 3


class BlockRefusedError(Exception):
    """`code` answers the sender, `reason` is counted, `detail` stands in the answer."""

    def __init__(self, code: Code, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.reason, self.detail = code, reason, detail


@dataclass(frozen=True, slots=True)
class Block:
    """The value of a Block1 or Block2 option (RFC 7959, 2.2)."""

    number: int
    more: bool
    exponent: int
    """The block has 2**(exponent + 4) bytes: 16 to 1024."""

    @property
    def size(self) -> int:
        return 1 << (self.exponent + 4)

    @property
    def offset(self) -> int:
        return self.number * self.size

    def to_bytes(self) -> bytes:
        return uint(self.number << 4 | self.more << 3 | self.exponent)


def block_of(value: bytes) -> Block:
    """Raises BlockRefusedError for a value that RFC 7959 does not allow."""
    if len(value) > _VALUE_MOST or (value and value[-1] & 7 == _RESERVED_SIZE):
        raise BlockRefusedError(Code.BAD_REQUEST, "block_option", "the block option is not one")
    number = int.from_bytes(value, "big")
    return Block(number >> 4, bool(number & 8), number & 7)


@dataclass(slots=True)
class _Transfer:
    touched_s: int
    data: bytearray = field(default_factory=bytearray)


class Assembly:
    """All transfers in progress. Times are seconds of a monotonic clock."""

    def __init__(
        self, *, most_payload: int, most_transfers: int = 256, most_bytes: int = 4 << 20
    ) -> None:
        self.most_payload = most_payload
        self._most_transfers = most_transfers
        self._most_bytes = most_bytes
        self._transfers: dict[object, _Transfer] = {}
        self.used_bytes = 0

    def __len__(self) -> int:
        return len(self._transfers)

    def add(self, key: object, block: Block, payload: bytes, now_s: int) -> bytes | None:
        """The whole payload once the last block is there, None before.

        Raises BlockRefusedError; the transfer is then forgotten, unless only room was missing.
        """
        if block.number == 0:
            self.drop(key)
        transfer = self._transfers.get(key)
        held = len(transfer.data) if transfer else 0
        if block.offset != held:
            self.drop(key)
            raise BlockRefusedError(
                Code.INCOMPLETE, "block_order", f"block at {block.offset}, {held} bytes are here"
            )
        if len(payload) > block.size or (block.more and len(payload) != block.size):
            self.drop(key)
            raise BlockRefusedError(
                Code.BAD_REQUEST, "block_size", f"{len(payload)} bytes in a block of {block.size}"
            )
        if held + len(payload) > self.most_payload:
            self.drop(key)
            raise BlockRefusedError(
                Code.TOO_LARGE, "too_large", f"more than {self.most_payload} bytes"
            )
        if not block.more:
            return self.drop(key) + payload
        if transfer is None:
            transfer = self._begin(key, now_s)
        self._room(len(payload), now_s)
        transfer.data += payload
        transfer.touched_s = now_s
        self.used_bytes += len(payload)
        return None

    def drop(self, key: object) -> bytes:
        """Forget a transfer; what it held."""
        transfer = self._transfers.pop(key, None)
        if transfer is None:
            return b""
        self.used_bytes -= len(transfer.data)
        return bytes(transfer.data)

    def sweep(self, now_s: int) -> None:
        """Let go of transfers that nobody goes on with."""
        for key, transfer in list(self._transfers.items()):
            if now_s - transfer.touched_s > EXCHANGE_LIFETIME_S:
                self.drop(key)

    def _begin(self, key: object, now_s: int) -> _Transfer:
        if len(self._transfers) >= self._most_transfers:
            self.sweep(now_s)
        if len(self._transfers) >= self._most_transfers:
            raise BlockRefusedError(Code.UNAVAILABLE, "no_room", "too many transfers at once")
        self._transfers[key] = transfer = _Transfer(now_s)
        return transfer

    def _room(self, wanted: int, now_s: int) -> None:
        if self.used_bytes + wanted > self._most_bytes:
            self.sweep(now_s)
        if self.used_bytes + wanted > self._most_bytes:
            raise BlockRefusedError(Code.UNAVAILABLE, "no_room", "no room for more blocks")
