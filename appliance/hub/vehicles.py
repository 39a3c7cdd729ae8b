"""What the page of vehicles' credentials gets from the hub: registry, broker, bridge, authority."""

from __future__ import annotations

from collections.abc import Sequence

from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.bridge.hearing import TurnedAway
from appliance.config import Config
from appliance.identity.site_ca import SiteCa
from appliance.layout import Layout
from appliance.services.mqtt import BrokerAddress
from appliance.services.nats.hello import Address
from appliance.vehicles.office import open_office
from appliance.web.vehicles import Access
from appliance.web.vehicles.ports import Seen
from contracts.errors import UnavailableError


def vehicle_access(config: Config, ca: SiteCa, bridge: AgvBridge | None) -> Access:
    """`bridge` is None where the site has no broker: then nobody is heard."""

    def seen() -> Sequence[Seen]:
        known = bridge.vehicles() if bridge is not None else ()
        return [Seen(one.vehicle, one.online, one.updated_at) for one in known]

    def turned_away() -> Sequence[TurnedAway]:
        return bridge.turned_away() if bridge is not None else ()

    return Access(
        open_office(config.data),
        seen,
        turned_away,
        ca.device_ca_pem,
        listen=config.broker.listen,
        names=(*config.hub.names, "127.0.0.1"),
        url=_own_broker(config),
    )


def _own_broker(config: Config) -> str:
    """The site's broker without user and password; empty where it is the one that `up` started."""
    if not config.broker.url:
        return ""
    named = BrokerAddress.parse(config.broker.url)
    try:
        ours = Address.read(Layout(config.data).broker)
    except UnavailableError:
        ours = None
    if ours is not None and (ours.host, ours.port) == (named.host, named.port):
        return ""
    scheme = "mqtts" if named.tls else "mqtt"
    return f"{scheme}://{named.host}:{named.port}"
