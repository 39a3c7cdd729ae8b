"""For which names a site's pages may stand: as they are written, and as certificates constrain them
(RFC 5280 section 4.2.1.10). Pure.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from cryptography import x509

from contracts.errors import BadInputError

_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_NO_MAILBOX = "tallyman.invalid"
"""RFC 6761: nobody has a mailbox there, so permitting it alone permits none."""


def constraints_for(names: Sequence[str]) -> x509.NameConstraints:
    """The names and what is below them, the addresses, and no mailbox."""
    permitted: list[x509.GeneralName] = [x509.RFC822Name(_NO_MAILBOX)]
    for name in names:
        address = _address(name)
        permitted.append(
            x509.DNSName(name) if address is None else x509.IPAddress(ipaddress.ip_network(address))
        )
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def allowed_by(root: x509.Certificate) -> tuple[str, ...]:
    """Names and addresses that a root's constraints permit."""
    found = root.extensions.get_extension_for_class(x509.NameConstraints).value
    allowed = []
    for each in found.permitted_subtrees or ():
        match each:
            case x509.DNSName():
                allowed.append(each.value)
            case x509.IPAddress():
                network = each.value
                assert isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network)  # noqa: S101 -- in constraints it is a network
                allowed.append(str(network.network_address))
    return tuple(allowed)


def is_allowed(name: str, allowed: Sequence[str]) -> bool:
    """Whether a name is one of `allowed`, or below one; an address must be there itself."""
    if _address(name) is not None:
        return str(_address(name)) in allowed
    return any(name == each or name.endswith(f".{each}") for each in allowed)


def clean(name: str) -> str:
    """A name or an address as certificates have it. Raises BadInputError for what is neither."""
    address = _address(name)
    if address is not None:
        return str(address)
    lower = name.lower().rstrip(".")
    if _HOST.fullmatch(lower) is None:
        raise BadInputError(
            f"hub.names: {name[:80]!r} is neither a host name nor an address",
            mend="Write names as in the address bar, such as dock.example.com or dock.local; "
            "those in other letters in their xn-- form",
        )
    return lower


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
