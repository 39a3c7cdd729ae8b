"""Settings of the hub: its ports, how devices come in, its database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec


@dataclass(frozen=True, slots=True)
class HubConfig:
    listen: str = "127.0.0.1:8080"
    """Pages and the JSON API."""
    device_listen: str = "127.0.0.1:8443"
    """TLS for devices, with certificates of the site's CA."""
    device_mtls: bool = False
    """The device port asks for a device's certificate by TLS too, beside the signed requests."""
    door_listen: str = "127.0.0.1:8444"
    """With `device_mtls`: where devices without a valid certificate are received."""
    certificate_days: Annotated[int, msgspec.Meta(ge=7, le=30)] = 30
    """Life of a device's certificate; it is renewed in the last third."""
    approve_devices: bool = True
    """A device that comes with a claim of `tallyman device claim` waits for a person's yes."""
    database_url: str = ""
    """Empty: SQLite in the data folder. Or postgresql+psycopg://host/name."""
    names: tuple[str, ...] = ("localhost",)
    """DNS names and addresses in the certificates of the device port and, with `tls`, of the pages,
    besides loopback; the first is the one that links name.
    """
    tls: Literal["", "site"] = ""
    """`site`: the pages come by TLS with a certificate of the site's own authority for pages, which
    phones are asked to trust (/trust). Empty: your own certificate, or loopback only.
    """
    tls_certificate: str = ""
    tls_key: str = ""
    trust_listen: str = ""
    """HOST:PORT where /trust is shown without TLS to phones that do not trust the site yet; nothing
    else is served there. Empty: nowhere.
    """
    slots: tuple[str, ...] = ()
    """Storage slots of this site; empty: 72 slots A-01-1 .. B-12-3."""
    edge_url: str = "http://127.0.0.1:8081"
    """Where /station is forwarded to."""
    gateway_url: str = "http://127.0.0.1:8082"
    """Whom the pages ask about sensors; empty: this site has no gateway."""
    first_link: bool = True
    """Print the first sign-in link at start while nobody has an account."""
