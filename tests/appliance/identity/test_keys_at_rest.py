"""Private keys that others could have read are refused; serials are read where machines have them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.identity.device import DeviceIdentity
from appliance.identity.keys import ReadableKeyError, check_private
from appliance.identity.site_ca import SiteCa
from appliance.identity.upkeep.serial import machine_serial


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_devices_key_that_others_may_read_is_refused_at_the_start(tmp_path: Path, mode: int):
    DeviceIdentity.open_or_create(tmp_path, "dock-1")
    key = tmp_path / "device.key"
    key.chmod(mode)
    with pytest.raises(ReadableKeyError, match="chmod 600") as refused:
        DeviceIdentity.open_or_create(tmp_path, "dock-1")
    assert str(key) in str(refused.value)
    key.chmod(0o600)
    DeviceIdentity.open_or_create(tmp_path, "dock-1")


@pytest.mark.parametrize("name", ["device-ca.key", "head.key", "session.key", "device-port.key"])
def test_so_is_each_of_the_hubs(tmp_path: Path, name: str):
    SiteCa.open_or_create(tmp_path).device_port_files()
    (tmp_path / name).chmod(0o644)
    with pytest.raises(ReadableKeyError, match=name):
        SiteCa.open_or_create(tmp_path).device_port_files()


def test_another_users_key_is_refused(tmp_path: Path):
    DeviceIdentity.open_or_create(tmp_path, "dock-1")
    key = tmp_path / "device.key"
    if os.geteuid() == 0:
        # Root's own files are anybody's to read for good reasons (secrets that a service mounts).
        os.chown(key, 12345, 12345)
    with pytest.raises(ReadableKeyError, match="belongs to user"):
        check_private(key, user=23456)


def machine(root: Path, **files: str) -> Path:
    places = {
        "board": "sys/firmware/devicetree/base/serial-number",
        "pc": "sys/class/dmi/id/product_serial",
        "system": "etc/machine-id",
    }
    for name, text in files.items():
        file = root / places[name]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_the_board_knows_its_serial(tmp_path: Path):
    assert machine_serial(machine(tmp_path, board="10000000a1b2c3d4\0", pc="X")) == (
        "10000000a1b2c3d4"
    )


@pytest.mark.parametrize("nothing", ["", "None", "Default string", "To Be Filled By O.E.M.", "\n"])
def test_a_makers_filler_is_no_serial(tmp_path: Path, nothing: str):
    root = machine(tmp_path, pc=nothing, system="0123456789abcdef0123456789abcdef\n")
    serial = machine_serial(root)
    assert len(serial) == 24
    assert "0123456789abcdef" not in serial, "the machine id itself is not shown"
    assert machine_serial(root) == serial


def test_a_machine_without_any_has_none(tmp_path: Path):
    assert machine_serial(tmp_path) == ""


def test_a_services_key_is_certified_for_its_purpose_only(tmp_path: Path):
    from appliance.identity.certificates import HEAD_URI, certified_key, service_uri

    site = SiteCa.open_or_create(tmp_path)
    key, pem = site.service_signer("director")
    ca = site.device_ca_pem
    assert certified_key(pem, ca, uri=service_uri("director")) == key.public_key()
    assert certified_key(pem, ca, uri=HEAD_URI) is None
    assert site.service_signer("director")[1] == pem
    (tmp_path / "director.key").unlink()
    rotated, renewed = site.service_signer("director")
    assert rotated.public_key() != key.public_key()
    assert certified_key(renewed, ca, uri=service_uri("director")) == rotated.public_key()
