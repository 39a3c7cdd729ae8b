"""From which networks a sensor may speak to us: CoAP without DTLS has nothing else to go by."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final

_REMEMBERED: Final = 4096

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def admission(networks: Sequence[Network]) -> Callable[[str], bool] | None:
    """Whether a host (an address in text) is of one of `networks`; None where all are."""
    if not networks:
        return None
    known: dict[str, bool] = {}

    def may(host: str) -> bool:
        answer = known.get(host)
        if answer is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            address = ipaddress.ip_address(host.partition("%")[0])
            if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
                address = address.ipv4_mapped
            answer = known[host] = any(address in network for network in networks)
        return answer

    return may
