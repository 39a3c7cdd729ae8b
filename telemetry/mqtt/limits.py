"""What one endpoint grants, and what it did so far."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    connections: int = 12_000
    greeting: int = 4_000
    """Connections whose CONNECT is still awaited or being checked."""
    handshakes: int = 1_000
    """Connections whose TLS has begun and is not done; each may hold some 50 kB."""
    packet_bytes: int = 256 << 10
    """Longest packet; a longer one is refused when it is announced."""
    connect_bytes: int = 16 << 10
    """Longest first packet: nobody has signed in yet."""
    half_packets_bytes: int = 64 << 20
    """Packets of all that have signed in, together, of which the end is awaited."""
    half_connects_bytes: int = 8 << 20
    """The same of all that have not: strangers cannot spend what publishers need."""
    receive_maximum: int = 4_096
    """QoS 1 messages of one connection that may wait for their PUBACK."""
    connect_s: float = 10.0
    """For the TLS handshake, and for CONNECT after it."""
    packet_s: float = 30.0
    """From the first byte of a packet to its last."""
    longest_keep_alive_s: int = 3_600
    """For version 5, which can be told; and for those of 3.1.1 that ask for none."""
    linger_s: float = 5.0
    """For the last bytes to a client that was closed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One connection that was not let in or was closed, for the page."""

    at_us: int
    code: str
    """`refused.<code>` has the words."""
    detail: str
    peer: str
    client_id: str = ""


@dataclass(slots=True)
class EndpointCounts:
    accepted: int = 0
    """Connections that signed in since the start."""
    messages: int = 0
    """Handed to the durable path."""
    refused: Counter[str] = field(default_factory=Counter)
    """Connections not let in, or closed by us, by code."""
    newest: deque[Refusal] = field(default_factory=lambda: deque(maxlen=200))
    pauses: int = 0
    """How often reading stopped because the disk or the memory had no room."""
