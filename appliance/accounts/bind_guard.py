"""Where a server may listen: loopback, or elsewhere with TLS. Sign-in is always on."""

from __future__ import annotations

import ipaddress

from contracts.errors import BadInputError


def check_bind(host: str, *, tls: bool) -> None:
    """Raises BadInputError when listening on `host` without TLS would leave this machine."""
    if tls or is_loopback(host):
        return
    raise BadInputError(
        f"listening on {host or 'every address'} without TLS would send passwords in the clear",
        mend="Listen on 127.0.0.1, or give the server a certificate and key",
        host=host,
    )


def is_loopback(host: str) -> bool:
    """True for localhost and loopback addresses; a name that must be looked up is not."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
