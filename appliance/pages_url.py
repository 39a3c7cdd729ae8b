"""Under which address a hub's pages are reached, by people and from this machine."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path

from appliance.config import Config, host_port
from contracts.errors import BadInputError


def for_people(config: Config) -> str:
    """For links: the address that is listened on, or the site's first name where that is every one."""
    host, port = host_port(config.hub.listen, "hub.listen")
    if _is_every_address(host) and config.hub.names:
        host = config.hub.names[0]
    return _url(config, host, port)


def for_this_machine(config: Config) -> str:
    """For programs beside the hub."""
    host, port = host_port(config.hub.listen, "hub.listen")
    return _url(config, "127.0.0.1" if _is_every_address(host) else host, port)


def trust(config: Config) -> ssl.SSLContext | None:
    """What a program beside the hub trusts: exactly the configured certificate, by whatever name.

    None without TLS. Raises BadInputError for a file that is no certificate.
    """
    if not config.hub.tls_certificate:
        return None
    path = Path(config.hub.tls_certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        first, end, _ = path.read_text(encoding="ascii").partition("-----END CERTIFICATE-----")
        context.load_verify_locations(cadata=first + end)
    except (OSError, ValueError, ssl.SSLError) as error:
        raise BadInputError(
            f"hub.tls_certificate {path} cannot be read as PEM: {error}",
            mend="Name the server's certificate, followed by its chain",
        ) from error
    return context


def _url(config: Config, host: str, port: int) -> str:
    scheme = "https" if config.hub.tls_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_every_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
