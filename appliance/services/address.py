"""What an embedded server keeps in its folder between starts: its loopback port and passwords.

Clients reconnect to the same address after a restart, so a port once given is kept while it can
be; when another program has taken it, the next start (not a restart) moves on.
"""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from appliance.durable import write_atomic
from contracts.errors import UnavailableError

LOOPBACK = "127.0.0.1"
_OURS = range(20_000, 30_000)


def is_free(port: int, *, datagrams: bool = False) -> bool:
    """True when a server could listen on the loopback `port` now, TCP or UDP."""
    kind = socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM
    with socket.socket(type=kind) as probe:
        if not datagrams:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A loopback port that is free now, below those the kernel hands out by itself: a connection
    of any program must not sit on it when its server comes back.

    Raises UnavailableError when a hundred tries find none.
    """
    for _ in range(100):
        port = secrets.choice(_OURS)
        if is_free(port):
            return port
    raise UnavailableError(
        f"No free port between {_OURS.start} and {_OURS.stop}",
        mend="End programs that listen there",
    )


def free_address() -> str:
    """127.0.0.1 with a free port, for servers of a test or a bench."""
    return f"{LOOPBACK}:{free_port()}"


def keep_port(file: Path) -> int:
    """The port remembered in `file` where it is free, or else a new free one, remembered."""
    try:
        port = int(file.read_text())
    except (FileNotFoundError, ValueError):
        port = 0
    if 0 < port < 65536 and is_free(port):  # noqa: PLR2004 -- ports are 16 bits
        return port
    port = free_port()
    write_private(file, f"{port}\n")
    return port


def keep_secret(file: Path) -> str:
    """The secret in `file`, made on first use: 32 random bytes as hex, readable by us alone."""
    try:
        secret = file.read_text().strip()
    except FileNotFoundError:
        secret = ""
    if not secret:
        secret = secrets.token_hex(32)
        write_private(file, secret + "\n")
    return secret


def write_private(file: Path, text: str) -> None:
    """Write `file` whole or not at all, readable by us alone."""
    write_atomic(file, text.encode(), mode=0o600)
