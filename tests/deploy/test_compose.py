"""What the deployment files promise: secrets by files, nothing privileged, roles kept apart."""

import asyncio
import importlib.util
import json
import re
import stat
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import aiomqtt
import pytest
import yaml

from appliance.vehicles.acl import acl_text
from appliance.vehicles.fleet import VIRTUAL
from appliance.vehicles.registry import VehicleRegistry
from tests.brokers import RealBroker

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
OURS = ("hub", "edge", "gateway", "fleet")


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_secrets", DEPLOY / "make_secrets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_service_has_more_rights_than_it_needs(compose: dict):
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name
    extra = {name for name, service in compose["services"].items() if "cap_add" in service}
    assert extra == {"postgres"}


def test_only_the_pages_are_published_and_only_on_loopback_by_default(compose: dict):
    ports = {name: service.get("ports") for name, service in compose["services"].items()}
    assert {name for name, port in ports.items() if port} == {"hub"}
    assert ports["hub"] == [
        "${TALLYMAN_PUBLISH:-127.0.0.1:8443}:8080",
        "${TALLYMAN_PUBLISH_SENSORS:-127.0.0.1:8883}:8883",
    ]
    assert compose["services"]["hub"]["environment"]["TALLYMAN_HUB_TLS_KEY"]
    assert compose["networks"]["backend"]["internal"]


def test_no_password_stands_in_the_file(compose: dict):
    for name, service in compose["services"].items():
        for key, value in (service.get("environment") or {}).items():
            assert not re.search(r"://[^/]*:[^/]*@", str(value)), f"{name}: {key}"
            assert "PASSWORD" not in key or key.endswith("_FILE"), f"{name}: {key}"


def test_every_secret_is_made_or_is_the_claim(compose: dict, maker: ModuleType, tmp_path: Path):
    maker.make(tmp_path, ["localhost", "127.0.0.1"])
    wanted = {Path(secret["file"]).name for secret in compose["secrets"].values()}
    assert wanted - {"claim.json", "gateway_claim.json"} <= {
        file.name for file in tmp_path.iterdir()
    }
    used = {name for service in compose["services"].values() for name in service.get("secrets", ())}
    assert used == set(compose["secrets"])


def test_secrets_are_private_and_kept(maker: ModuleType, tmp_path: Path):
    maker.make(tmp_path, ["localhost"])
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    maker.make(tmp_path, ["localhost"])
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file.name


def test_role_settings_are_settings_that_tallyman_knows(maker: ModuleType, tmp_path: Path):
    from appliance.config import load_config

    maker.make(tmp_path, ["localhost"])
    for role in OURS:
        config = load_config(tmp_path / f"{role}.toml", {})
        # Vehicles sign in under names of their own.
        user = "" if role == "fleet" else f"{role}:"
        assert config.broker.url.startswith(f"mqtt://{user}")
        tomllib.loads((tmp_path / f"{role}.toml").read_text())


def test_compose_and_kubernetes_name_only_known_settings(compose: dict):
    from appliance.config import load_config

    pods = [
        document["spec"]["template"]["spec"]["containers"][0]
        for file in (DEPLOY / "kubernetes").glob("*.yaml")
        for document in yaml.safe_load_all(file.read_text())
        if document["kind"] == "StatefulSet"
    ]
    environments = [{item["name"]: item["value"] for item in pod["env"]} for pod in pods]
    environments += [compose["services"][role]["environment"] for role in OURS]
    assert len(environments) == 7
    for environment in environments:
        load_config(None, {k: v for k, v in environment.items() if k != "TALLYMAN_CONFIG"})


def test_a_gateways_door_speaks_tls_and_its_read_port_stays_on_loopback(compose: dict):
    from appliance.config import load_config

    patch = yaml.safe_load((DEPLOY / "kubernetes" / "gateway-container.yaml").read_text())
    (pod,) = patch["spec"]["template"]["spec"]["containers"]
    in_pod = {item["name"]: item["value"] for item in pod["env"]}
    beside = compose["services"]["gateway"]
    assert beside["network_mode"] == "service:hub", "the hub asks it over loopback"
    assert beside["profiles"] == ["sensors"], "a site without sensors starts as before"
    for environment in (in_pod, beside["environment"]):
        known = {k: v for k, v in environment.items() if k != "TALLYMAN_CONFIG"}
        gateway = load_config(None, known).gateway
        assert gateway.mqtt_certificate.endswith("tls.crt")
        assert gateway.mqtt_key.endswith("tls.key")
        assert gateway.mqtt_listen == "0.0.0.0:8883"
        assert gateway.listen.startswith("127.0.0.1:")
    # The patch fits the pod: its volumes are the hub's or its own.
    hub = next(
        document
        for document in yaml.safe_load_all((DEPLOY / "kubernetes" / "hub.yaml").read_text())
        if document["kind"] == "StatefulSet"
    )
    spec = hub["spec"]["template"]["spec"]
    volumes = {each["name"] for each in spec["volumes"]}
    volumes |= {each["name"] for each in patch["spec"]["template"]["spec"]["volumes"]}
    assert {each["name"] for each in pod["volumeMounts"]} <= volumes
    assert patch["metadata"] == {"name": "hub", "namespace": hub["metadata"]["namespace"]}
    assert pod["securityContext"] == spec["containers"][0]["securityContext"]


class SiteMosquitto(RealBroker):
    """Mosquitto under deploy/'s own configuration, with its paths moved into the test's folder."""

    def command(self) -> list[str]:
        text = (DEPLOY / "mosquitto.conf").read_text()
        moved = {
            "listener 1883": f"listener {self.port} 127.0.0.1",
            "/run/secrets/": f"{self.folder}/",
            "/mosquitto/config/acl": str(DEPLOY / "mosquitto.acl"),
            "/mosquitto/data/": f"{self.folder}/",
        }
        for old, new in moved.items():
            assert old in text
            text = text.replace(old, new)
        config = self.folder / "mosquitto.conf"
        config.write_text(text + "user root\n")
        return ["/usr/sbin/mosquitto", "-c", str(config)]


def client(broker: RealBroker, folder: Path, who: str) -> aiomqtt.Client:
    vehicles = json.loads((folder / "fleet_vehicles.json").read_text())
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username=who,
        password=vehicles.get(who) or (folder / f"{who}_password").read_text(),
        identifier=who,
    )


@pytest.mark.mosquitto
async def test_mosquitto_keeps_the_roles_apart(maker: ModuleType, tmp_path: Path):
    maker.make(tmp_path, ["localhost"])
    with SiteMosquitto(tmp_path) as broker:
        async with (
            client(broker, tmp_path, "hub") as hub,
            client(broker, tmp_path, "tallyman/agv-1") as vehicle,
            asyncio.timeout(30),
        ):
            await hub.subscribe("uagv/v2/#", qos=1)
            await vehicle.subscribe("uagv/v2/tallyman/agv-1/order", qos=1)
            await vehicle.subscribe("uagv/v2/tallyman/agv-2/order", qos=1)
            for forged in ("agv-1/order", "agv-2/order", "agv-2/state"):
                await vehicle.publish(f"uagv/v2/tallyman/{forged}", b"forged", qos=1)
            await vehicle.publish("uagv/v2/tallyman/agv-1/state", b"honest", qos=1)
            assert (await anext(aiter(hub.messages))).payload == b"honest"
            for payload in (b"agv-2", b"agv-1"):
                await hub.publish(f"uagv/v2/tallyman/{payload.decode()}/order", payload, qos=1)
            assert (await anext(aiter(vehicle.messages))).payload == b"agv-1"
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", broker.port):
                pass


def test_both_brokers_have_the_same_rules(maker: ModuleType, tmp_path: Path):
    """The file is what `tallyman agv acl` prints where the two virtual vehicles are enrolled."""
    registry = VehicleRegistry(tmp_path / "vehicles.json")
    for name in maker.VEHICLES:
        registry.enrol_vehicle(name, by="demo")
    assert maker.VEHICLES == VIRTUAL
    assert (DEPLOY / "mosquitto.acl").read_text() == acl_text(registry.all())


@pytest.mark.parametrize("role", ["hub", "edge", "gateway"])
def test_a_service_unit_is_hardened(role: str):
    unit = (DEPLOY / "systemd" / f"tallyman-{role}.service").read_text()
    for setting in (
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "LoadCredential=",
        "Restart=always",
    ):
        assert f"\n{setting}" in unit
    assert sys.executable not in unit
