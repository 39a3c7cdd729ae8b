"""The beginning of a packet whose end is on its way, and how much of that all connections keep."""

from __future__ import annotations


class HalfPackets:
    """Bytes that all connections of an endpoint keep for packets that are not whole."""

    __slots__ = ("held", "most")

    def __init__(self, most: int) -> None:
        self.held, self.most = 0, most

    @property
    def full(self) -> bool:
        return self.held > self.most


class Half:
    """Of one connection."""

    __slots__ = ("_all", "_data", "need")

    def __init__(self, every: HalfPackets) -> None:
        self._all = every
        self._data = bytearray()
        self.need = 0
        """Bytes with which the packet is whole, as far as they are known."""

    def __len__(self) -> int:
        return len(self._data)

    @property
    def crowded(self) -> bool:
        """All connections together keep too much."""
        return self._all.full

    @property
    def whole(self) -> bool:
        return len(self._data) >= self.need

    def keep(self, data: bytes, need: int) -> None:
        """The first bytes of a packet of `need` bytes."""
        self._data += data
        self._all.held += len(data)
        self.need = need

    def add(self, data: bytes) -> None:
        self._data += data
        self._all.held += len(data)

    def take(self) -> bytes:
        """All of it; nothing is kept any more."""
        data = bytes(self._data)
        self.forget()
        return data

    def forget(self) -> None:
        self._all.held -= len(self._data)
        self._data = bytearray()
