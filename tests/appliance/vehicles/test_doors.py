"""The broker's door with TLS, and the same rules on a Mosquitto of the site's own."""

import asyncio
import shutil
import signal
import ssl
from pathlib import Path

import aiomqtt
import pytest
import typer
from typer.testing import CliRunner

from appliance.cli.register import register
from appliance.config import BrokerConfig, Config, SiteConfig
from appliance.identity.site_ca import SiteCa
from appliance.layout import Layout
from appliance.services.mqtt import MqttBus, broker_trust, signed_in
from appliance.services.nats import Door, EmbeddedNats
from appliance.services.nats.hello import Address, accepts
from appliance.up import everything
from appliance.vehicles.acl import acl_text, password_lines
from appliance.vehicles.office import VehicleOffice
from appliance.vehicles.registry import VehicleRegistry, mosquitto_hash
from contracts.errors import BadInputError, UnavailableError
from tests.brokers import RealBroker
from tests.support.ports import free_port
from tests.support.vehicles import QC, WAIT_S, A, B, heard_until, is_refused, is_thrown_out

ORDER_A, ORDER_B = "uagv/v2/maker/A/order", "uagv/v2/maker/B/order"
STATE_A = "uagv/v2/maker/A/state"


async def test_real_vehicles_come_in_by_tls_with_the_sites_certificate(tmp_path: Path):
    ca = SiteCa.open_or_create(tmp_path / "ca", names=("dock.example",))
    files = ca.broker_files()
    door = Door("127.0.0.1", free_port(), files.certificate, files.key, ca.device_ca_file)
    registry = VehicleRegistry(tmp_path / "vehicles.json")
    passwords = {name: registry.enrol_vehicle(name, by="ida") for name in (A, B)}
    broker = EmbeddedNats(tmp_path / "broker", members=registry.members, door=door)
    hub_url = await broker.start()
    trust = broker_trust(str(ca.device_ca_file))
    office = VehicleOffice(registry, broker.folder)

    def bus(url: str, context: ssl.SSLContext | None) -> MqttBus:
        return MqttBus(url, client_id=url[:20], tls_context=context, wait_s=WAIT_S)

    try:
        assert hub_url.startswith("mqtts://hub:")
        async with (
            bus(hub_url, trust) as hub,
            bus(signed_in(broker.bare_url, A, passwords[A]), trust) as vehicle,
            hub.subscribe("uagv/#", qos=1) as heard,
            asyncio.timeout(WAIT_S),
        ):
            await vehicle.publish(STATE_A, b"here", qos=1)
            assert (await anext(heard)).payload == b"here"
            # Revoked through the door as well.
            assert await office.revoke(B, by="ida", why="sold")
        # Who does not know the site's authority does not tell it a password.
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", door.port, ssl=ssl.create_default_context())
        # And nobody speaks in the clear.
        assert not await accepts(Address("127.0.0.1", door.port), A, passwords[A])
    finally:
        await broker.stop()


async def test_a_door_that_is_taken_is_a_clear_error(tmp_path: Path):
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    ca = SiteCa.open_or_create(tmp_path / "ca")
    files = ca.broker_files()
    door = Door("127.0.0.1", port, files.certificate, files.key, ca.device_ca_file)
    async with server:
        with pytest.raises(UnavailableError, match=r"broker\.listen"):
            await EmbeddedNats(tmp_path / "broker", door=door).start()


def test_an_authority_that_is_no_certificate_is_a_clear_error(tmp_path: Path):
    assert broker_trust("") is None
    for path in (tmp_path / "none.pem", Path(__file__)):
        with pytest.raises(BadInputError, match="vouch"):
            broker_trust(str(path))


class SiteMosquitto(RealBroker):
    """A site's own Mosquitto with the rules that `tallyman agv acl` prints."""

    def tell(self, registry: VehicleRegistry) -> None:
        (self.folder / "acl").write_text(acl_text(registry.all()))
        hub = f"hub:{mosquitto_hash('hub')}\n"
        (self.folder / "passwords").write_text(hub + password_lines(registry.all()))
        for name in ("acl", "passwords"):
            (self.folder / name).chmod(0o600)

    def command(self) -> list[str]:
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\nuser root\n"
            f"password_file {self.folder / 'passwords'}\nacl_file {self.folder / 'acl'}\n"
        )
        return [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(config)]

    def hang_up(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def client(self, who: str, password: str) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1", self.port, username=who, password=password, identifier=who
        )


@pytest.mark.mosquitto
async def test_mosquitto_keeps_the_same_rules(tmp_path: Path):
    registry = VehicleRegistry(tmp_path / "vehicles.json")
    secrets = {name: registry.enrol_vehicle(name, by="ida") for name in (A, B, "maker/C")}
    secrets[QC] = registry.enrol_station(QC, by="ida")
    registry.revoke("maker/C", by="ida", why="sold")
    broker = SiteMosquitto(tmp_path)
    broker.tell(registry)
    with broker:
        async with (
            broker.client("hub", "hub") as hub,
            broker.client(A, secrets[A]) as a,
            broker.client(QC, secrets[QC]) as station,
            asyncio.timeout(WAIT_S),
        ):
            await hub.subscribe("#", qos=1)
            for topic in ("#", "+/+/+/+/order", ORDER_B, ORDER_A):
                await a.subscribe(topic, qos=1)
            forged = ("uagv/v2/maker/B/state", ORDER_B, "module/v1/maker/QC-1/state")
            for topic in forged:
                await a.publish(topic, b"forged", qos=1)
            await station.publish(STATE_A, b"forged", qos=1)
            await station.publish(f"{QC}/state", b"checked", qos=1)
            assert await heard_until(hub, b"checked") == [(f"{QC}/state", b"checked")]
            await hub.publish(ORDER_B, b"for B", qos=1)
            await hub.publish(ORDER_A, b"for A", qos=1)
            assert await heard_until(a, b"for A") == [(ORDER_A, b"for A")]
        assert await is_refused(broker.client("maker/C", secrets["maker/C"]))
        assert await is_refused(broker.client(A, secrets[B]))
        async with broker.client(A, secrets[A]) as a:
            registry.revoke(A, by="ida", why="stolen")
            broker.tell(registry)
            broker.hang_up()
            assert await is_thrown_out(a)
        assert await is_refused(broker.client(A, secrets[A]))


def test_a_shell_enrols_and_revokes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TALLYMAN_SITE_DATA", str(tmp_path))
    app, run = typer.Typer(), CliRunner()
    register(app, typer.Typer())
    made = run.invoke(app, ["agv", "enrol", A, "--note", "hall 7"])
    assert made.exit_code == 0
    registry = VehicleRegistry(Layout(tmp_path).vehicles)
    assert registry.knows(A, made.stdout.strip())
    assert "No broker of ours runs here" in made.stderr
    run.invoke(app, ["agv", "enrol", QC, "--station"])
    revoked = run.invoke(app, ["agv", "revoke", A, "--why", "sold"])
    assert revoked.exit_code == 0
    listed = run.invoke(app, ["agv", "list"]).stdout.splitlines()
    assert [line.split("\t")[:3] for line in listed] == [
        [A, "vehicle", "revoked"],
        [QC, "station", "enrolled"],
    ]
    rules = run.invoke(app, ["agv", "acl"]).stdout
    assert f"user {QC}\n" in rules
    assert f"user {A}\n" not in rules
    assert run.invoke(app, ["agv", "acl", "--passwords"]).stdout.startswith(f"{QC}:$7$")


async def test_a_shell_beside_a_running_broker_is_heard_at_once(site, tmp_path: Path):
    """`tallyman agv revoke` is another process than the one that started the broker."""
    async with site.client(A) as a:
        office = VehicleOffice(VehicleRegistry(tmp_path / "vehicles.json"), site.broker.folder)
        assert await office.revoke(A, by="shell", why="stolen")
        assert await is_thrown_out(a)
    assert site.office.is_in_force()


async def test_a_door_beside_another_broker_is_refused(tmp_path: Path):
    """Nobody would hear the vehicles that came in by it."""
    config = Config(
        site=SiteConfig(data=str(tmp_path)),
        broker=BrokerConfig(url="mqtt://broker.example", listen="0.0.0.0:8883"),
    )
    with pytest.raises(BadInputError, match=r"broker\.url names another"):
        async with everything(config):
            pass
