"""The gateway's three doors for readings, opened as the configuration says: MQTT, CoAP, a broker."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from appliance.accounts.bind_guard import check_bind, is_loopback
from appliance.config import Config, host_port
from appliance.gateway.credentials import SensorCredentials
from appliance.gateway.fronts import Fronts
from appliance.layout import Layout
from appliance.sensor_config import GatewayConfig
from appliance.services.address import keep_secret
from appliance.services.mqtt import BrokerAddress, broker_trust
from contracts.errors import BadInputError, UnavailableError
from telemetry.coap.endpoint import CoapEndpoint
from telemetry.coap.networks import Network
from telemetry.coap.observe import Observer, read_url
from telemetry.ingest.intake import Intake
from telemetry.mqtt.endpoint import Endpoint
from telemetry.subscriber.subscriber import BrokerLink, Subscriber


@dataclass(slots=True)
class Doors:
    """What is open; None where the configuration wants no such door."""

    mqtt: Endpoint | Fronts | None = None
    coap: CoapEndpoint | None = None
    observer: Observer | None = None
    subscriber: Subscriber | None = None
    addresses: dict[str, str] = field(default_factory=dict)
    """HOST:PORT of each door, by name."""

    async def close(self) -> None:
        """No more readings; those taken are still acknowledged when they are on disk."""
        if self.coap is not None:
            self.coap.close()
        if self.mqtt is not None:
            await self.mqtt.stop()


def mqtt_address(config: Config) -> tuple[str, int]:
    """Raises BadInputError."""
    return host_port(config.gateway.mqtt_listen, "gateway.mqtt_listen")


async def open_doors(
    config: Config,
    intake: Intake,
    *,
    ca_pem: str,
    revoked: Callable[[], Collection[str]] = tuple,
    config_file: Path | None = None,
) -> Doors:
    """`revoked`: devices of the site whose certificates let nobody in. `config_file` is what endpoint
    processes read. Raises BadInputError for an address that is not safe or files that cannot be read,
    and UnavailableError for a port that is taken.
    """
    doors = Doors()
    try:
        await _open(doors, config, intake, ca_pem, revoked, config_file)
    except BaseException:
        await doors.close()
        raise
    return doors


async def _open(
    doors: Doors,
    config: Config,
    intake: Intake,
    ca_pem: str,
    revoked: Callable[[], Collection[str]],
    config_file: Path | None,
) -> None:
    gateway = config.gateway
    if gateway.mqtt_listen:
        host, port = mqtt_address(config)
        tls = mqtt_tls(gateway, ca_pem)
        check_bind(host, tls=tls is not None)
        try:
            if gateway.mqtt_processes:
                doors.mqtt = Fronts(config, intake, ca_pem, config_file)
                doors.mqtt.turn_away(revoked())
                bound = await doors.mqtt.start(host, port)
            else:
                credentials = SensorCredentials(credentials_file(config), revoked=revoked)
                doors.mqtt = Endpoint(intake, credentials)
                bound = await doors.mqtt.listen(host, port, tls)
        except OSError as error:
            raise _taken("gateway.mqtt_listen", gateway.mqtt_listen, error) from error
        doors.addresses["mqtt"] = f"{host}:{bound}"
    if gateway.coap_listen:
        doors.coap = _coap(gateway, intake)
        if gateway.coap_observe:
            observed = [read_url(each) for each in gateway.coap_observe]
            doors.observer = doors.coap.observer = Observer(doors.coap, observed)
        host, bound = doors.coap.address
        doors.addresses["coap"] = f"{host}:{bound}"
    elif gateway.coap_observe:
        raise BadInputError(
            "gateway.coap_observe names sensors, and gateway.coap_listen opens no door to ask them",
            mend="Set gateway.coap_listen, 127.0.0.1:0 will do",
        )
    if config.broker.url and gateway.broker_topics:
        doors.subscriber = Subscriber(intake, _link(config))
        link = BrokerAddress.parse(config.broker.url)
        doors.addresses["broker"] = f"{link.host}:{link.port}"


def credentials_file(config: Config) -> Path:
    named = config.gateway.credentials
    return Path(named) if named else Layout(config.data).gateway / "sensors.json"


def _coap(gateway: GatewayConfig, intake: Intake) -> CoapEndpoint:
    host, port = host_port(gateway.coap_listen, "gateway.coap_listen")
    networks = [_network(each) for each in gateway.coap_networks]
    if not networks and not is_loopback(host):
        raise BadInputError(
            f"gateway.coap_listen is {gateway.coap_listen} and anybody could send readings there",
            mend="Name the sensors' own networks in gateway.coap_networks, or listen on 127.0.0.1",
        )
    endpoint = CoapEndpoint(intake, networks=networks)
    try:
        endpoint.open(host, port)
    except OSError as error:
        raise _taken("gateway.coap_listen", gateway.coap_listen, error) from error
    return endpoint


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise BadInputError(
            f"gateway.coap_networks has {text!r}, which is no network",
            mend="Write it as 10.20.0.0/16",
        ) from error


def mqtt_tls(gateway: GatewayConfig, ca_pem: str) -> ssl.SSLContext | None:
    if not gateway.mqtt_certificate:
        if gateway.mqtt_key or gateway.mqtt_authority:
            raise BadInputError(
                "gateway.mqtt_key or gateway.mqtt_authority is set without gateway.mqtt_certificate",
                mend="Name the certificate too, or the door would speak no TLS",
            )
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A sensor without a certificate may still sign in with its password.
    context.verify_mode = ssl.CERT_OPTIONAL
    try:
        context.load_cert_chain(gateway.mqtt_certificate, gateway.mqtt_key or None)
        if gateway.mqtt_authority:
            context.load_verify_locations(gateway.mqtt_authority)
        else:
            context.load_verify_locations(cadata=ca_pem)
    except (OSError, ssl.SSLError) as error:
        raise BadInputError(
            f"The gateway's TLS files cannot be used: {error}",
            mend="Check gateway.mqtt_certificate, gateway.mqtt_key and gateway.mqtt_authority",
        ) from error
    return context


def _link(config: Config) -> BrokerLink:
    address, gateway = BrokerAddress.parse(config.broker.url), config.gateway
    folder = Layout(config.data).gateway
    folder.mkdir(parents=True, exist_ok=True)
    return BrokerLink(
        address.host,
        address.port,
        # The broker keeps readings for this name, and would give up all of them to whoever signs in
        # with it: the same at every start, and not to be guessed.
        f"tallyman-{gateway.device}-{keep_secret(folder / 'broker-session')[:16]}",
        gateway.broker_topics,
        username=address.username,
        password=address.password,
        tls=(broker_trust(config.broker.authority) or ssl.create_default_context())
        if address.tls
        else None,
        group=gateway.broker_group,
    )


def _taken(setting: str, listen: str, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"Cannot listen on {listen} ({setting}): {error.strerror}",
        mend="Another program uses that port: free it or set another address",
    )
