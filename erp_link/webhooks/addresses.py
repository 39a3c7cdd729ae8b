"""Where webhooks may go: public addresses, and private ones that the site lists.

A name is resolved once for each message, every address that it has is looked at, and the
connection goes to an address that was looked at: a name that points elsewhere a moment later (DNS
rebinding) changes nothing. Without TLS only listed addresses are reached.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

from contracts.errors import BadInputError, UnavailableError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
_NAT64 = ip_network("64:ff9b::/96")
_MOST_URL = 2000
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """A URL with the address that the connection goes to."""

    url: str
    host: str
    port: int
    address: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """`listed` are networks of the site's own that may be reached besides public ones."""

    listed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, texts: Sequence[str]) -> Addresses:
        """From the configuration: `10.1.2.0/24`, `192.0.2.7`. Raises BadInputError."""
        networks = []
        for text in texts:
            try:
                networks.append(ip_network(text))
            except ValueError as error:
                raise BadInputError(
                    f"exchange.webhook_networks: {text!r} is no network",
                    mend="Write an address or a network such as 10.1.2.0/24",
                ) from error
        return cls(tuple(networks))

    def check_url(self, url: str) -> tuple[str, str, int]:
        """Scheme, host and port of a URL that a webhook may have. Raises BadInputError."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise _refused(url, f"is no URL: {error}") from error
        if parts.scheme not in _PORTS or not host or len(url) > _MOST_URL:
            raise _refused(url, "is no https URL")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise _refused(url, "carries a name, a password or a fragment")
        if parts.scheme == "http" and not self.listed:
            raise _refused(url, "is not encrypted, and no address is listed")
        literal = _literal(host)
        if literal and not self._may_reach(literal, encrypted=parts.scheme == "https"):
            raise _refused(url, f"leads to {literal}, which is not public and not listed")
        return parts.scheme, host, port or _PORTS[parts.scheme]

    def target(self, url: str, resolve: Resolve | None = None) -> Target:
        """The address to connect to. Raises BadInputError where one of the name's addresses may
        not be reached, UnavailableError where the name is not known.
        """
        scheme, host, port = self.check_url(url)
        found = [ip_address(each) for each in (resolve or _resolved)(host, port)]
        if not found:
            raise UnavailableError(f"{host} has no address", mend="Look at the name server")
        for each in found:
            if not self._may_reach(each, encrypted=scheme == "https"):
                raise _refused(url, f"leads to {each}, which is not public and not listed")
        return Target(url, host, port, str(found[0]))

    def _may_reach(self, address: Address, *, encrypted: bool) -> bool:
        inner = _inner(address)
        if any(each in network for network in self.listed for each in (address, inner)):
            return True
        return encrypted and is_public(inner) and is_public(address)


def is_public(address: Address) -> bool:
    """False for loopback, private, link-local, shared, multicast and reserved addresses."""
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
    )


def _literal(host: str) -> Address | None:
    """The address that a URL names itself, None where it names a host."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries, where it carries one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


def _resolved(host: str, port: int) -> list[str]:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnavailableError(
            f"{host} is not known: {error}", mend="Look at the name server"
        ) from error
    # A scope (%eth0) is of this machine: such an address is never public.
    return [str(row[4][0]).partition("%")[0] for row in rows]


def _refused(url: str, why: str) -> BadInputError:
    return BadInputError(
        f"A webhook cannot go to {url!r}: it {why}",
        mend="Give an https URL of a public address, or list the network in"
        " exchange.webhook_networks",
        url=url,
    )
