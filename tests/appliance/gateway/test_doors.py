"""Which doors open, and which the configuration may not open."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

from appliance.config import BrokerConfig, Config, SiteConfig
from appliance.gateway.doors import open_doors
from appliance.identity.site_ca import SiteCa
from appliance.sensor_config import GatewayConfig
from contracts.errors import BadInputError, UnavailableError
from telemetry.mqtt.encoding import encode
from telemetry.mqtt.packets import V311, Connect
from tests.support.ports import free_port
from tests.telemetry.disk import Disk


@pytest.fixture
def config(tmp_path) -> Config:
    return Config(
        site=SiteConfig(data=str(tmp_path)),
        gateway=GatewayConfig(mqtt_listen="127.0.0.1:0", coap_listen="127.0.0.1:0"),
    )


def having(config: Config, **settings) -> Config:
    return replace(config, gateway=replace(config.gateway, **settings))


async def test_an_empty_address_opens_no_door(config):
    doors = await open_doors(having(config, mqtt_listen="", coap_listen=""), Disk(), ca_pem="")
    assert (doors.mqtt, doors.coap, doors.subscriber) == (None, None, None)
    await doors.close()


async def test_both_doors_and_a_broker_tell_where_they_are(config):
    with_broker = replace(config, broker=BrokerConfig(url="mqtt://gateway:secret@127.0.0.1:1883"))
    doors = await open_doors(with_broker, Disk(), ca_pem="")
    assert doors.addresses["broker"] == "127.0.0.1:1883"
    assert "secret" not in str(doors.addresses)
    assert int(doors.addresses["mqtt"].rpartition(":")[2]) > 0
    assert int(doors.addresses["coap"].rpartition(":")[2]) > 0
    await doors.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mqtt_listen": "0.0.0.0:0"}, "without TLS"),
        ({"coap_listen": "0.0.0.0:0"}, "anybody could send"),
        ({"coap_networks": ("10.20.0.1/16",)}, "no network"),
        ({"mqtt_certificate": "/nowhere.pem"}, "TLS files"),
        ({"coap_observe": ("http://a/b",)}, "no CoAP address"),
        ({"mqtt_listen": "here"}, "mqtt_listen"),
        ({"mqtt_key": "/k.pem"}, "without gateway.mqtt_certificate"),
        ({"mqtt_authority": "/a.pem"}, "without gateway.mqtt_certificate"),
        ({"coap_listen": "", "coap_observe": ("coap://10.20.0.7/t",)}, "opens no door"),
    ],
)
async def test_what_is_not_safe_does_not_open(config, settings, words):
    with pytest.raises(BadInputError, match=words):
        await open_doors(having(config, **settings), Disk(), ca_pem="")


async def test_a_port_that_is_taken_is_named(config):
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(UnavailableError, match=r"gateway\.coap_listen"):
            await open_doors(having(config, coap_listen=taken, mqtt_listen=""), Disk(), ca_pem="")


async def test_sensors_networks_may_come_from_beyond(config):
    port = free_port()
    wide = having(config, coap_listen=f"0.0.0.0:{port}", coap_networks=("10.20.0.0/16",))
    doors = await open_doors(wide, Disk(), ca_pem="")
    assert doors.addresses["coap"] == f"0.0.0.0:{port}"
    await doors.close()


async def test_with_tls_a_sensor_signs_in_under_its_certificate(config, tmp_path):
    ca = SiteCa.open_or_create(tmp_path / "ca")
    server = ca.device_port_files()
    secure = having(
        config, mqtt_certificate=str(server.certificate), mqtt_key=str(server.key), coap_listen=""
    )
    doors = await open_doors(secure, Disk(), ca_pem=ca.device_ca_pem)
    port = int(doors.addresses["mqtt"].rpartition(":")[2])
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=_sensor_tls(ca, tmp_path, "probe-7")
        )
        writer.write(encode(Connect(client_id="probe-7", version=V311), V311))
        assert (await reader.readexactly(4))[3] == 0
        writer.close()
        await writer.wait_closed()
    finally:
        await doors.close()


def _sensor_tls(ca: SiteCa, folder, name: str):
    import ssl

    from appliance.identity.keys import ed25519_key

    key = ed25519_key(folder / "sensor.key")
    (folder / "sensor.crt").write_text(ca.issue_device(name, key.public_key()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca.device_ca_pem)
    context.load_cert_chain(folder / "sensor.crt", folder / "sensor.key")
    return context
