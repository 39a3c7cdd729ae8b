"""Under which address a hub's pages are reached, by people and from this machine."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path

from appliance.accounts.bind_guard import is_loopback
from appliance.config import Config, host_port
from appliance.identity.web_ca import WebCa
from appliance.layout import Layout
from contracts.clock import Clock, SystemClock
from contracts.errors import BadInputError


def for_people(config: Config) -> str:
    """For links: the address that is listened on, or the site's first name where that is every one."""
    _, port = host_port(config.hub.listen, "hub.listen")
    return _url(config, name_of(config), port)


def name_of(config: Config) -> str:
    """The host in links for people: the address that is listened on, or the site's first name where
    that is every one; by the site's own certificate always the name.
    """
    host, _ = host_port(config.hub.listen, "hub.listen")
    every = _is_every_address(host) or (config.hub.tls and not is_loopback(host))
    names = [name for name in config.hub.names if not is_loopback(name)] or config.hub.names
    return names[0] if every and names else host


def for_this_machine(config: Config) -> str:
    """For programs beside the hub."""
    host, port = host_port(config.hub.listen, "hub.listen")
    return _url(config, "127.0.0.1" if _is_every_address(host) else host, port)


def is_tls(config: Config) -> bool:
    """True where the hub's pages are served by TLS: a site's own certificate, or one of its CA."""
    return bool(config.hub.tls_certificate or config.hub.tls)


def pages_ca(config: Config, clock: Clock | None = None) -> WebCa:
    """The authority for pages; it makes its files when it is asked for them."""
    names = [name for name in config.hub.names if not is_loopback(name)]
    folder = Layout(config.data).site_ca
    return WebCa(folder, clock=clock or SystemClock(), names=names, site=config.site.name)


def trust(config: Config) -> ssl.SSLContext | None:
    """What a program beside the hub trusts, by whatever name: exactly the configured certificate, or
    those of the site's authority for pages.

    None without TLS. Raises BadInputError for a file that is no certificate.
    """
    if not is_tls(config):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if config.hub.tls:
        context.load_verify_locations(cadata=pages_ca(config).root().pem)
        return context
    path = Path(config.hub.tls_certificate)
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
    scheme = "https" if is_tls(config) else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_every_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
