"""Keys, signatures by purpose, canonical bytes."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from appliance.identity.device import DeviceIdentity
from appliance.identity.keys import ENTRY, HEAD, canonical, verifies, verifies_hex
from contracts.errors import BadInputError


def test_a_devices_key_stays_and_only_its_owner_may_read_it(tmp_path: Path):
    first = DeviceIdentity.open_or_create(tmp_path, "dock-1")
    again = DeviceIdentity.open_or_create(tmp_path, "dock-1")
    assert first.public_key_pem == again.public_key_pem
    assert (tmp_path / "device.key").stat().st_mode & 0o777 == 0o600
    assert not first.is_enrolled


def test_processes_that_start_together_make_one_key_between_them(tmp_path: Path, monkeypatch):
    """Edge and agent of a new box: a journal under a key that is gone could never be let in."""
    real, together = Ed25519PrivateKey.generate, threading.Barrier(8)

    def slowly() -> Ed25519PrivateKey:
        time.sleep(0.02)
        return real()

    def start(_: int) -> str:
        together.wait(10)
        return DeviceIdentity.open_or_create(tmp_path, "dock-1").public_key_pem

    monkeypatch.setattr(Ed25519PrivateKey, "generate", slowly)
    with ThreadPoolExecutor(8) as boxes:
        made = set(boxes.map(start, range(8)))
    assert made == {DeviceIdentity.open_or_create(tmp_path, "dock-1").public_key_pem}


def test_a_folder_belongs_to_one_device(tmp_path: Path):
    DeviceIdentity.open_or_create(tmp_path, "dock-1")
    with pytest.raises(BadInputError, match="'dock-1', not of 'dock-2'"):
        DeviceIdentity.open_or_create(tmp_path, "dock-2")


@pytest.mark.parametrize("device", ["", "-x", "a b", "a/b", "x" * 65, "dock;1", "dock\n"])
def test_a_device_id_is_plain(tmp_path: Path, device: str):
    with pytest.raises(BadInputError, match="device id"):
        DeviceIdentity.open_or_create(tmp_path, device)


def test_a_damaged_key_is_refused_with_a_mend(tmp_path: Path):
    DeviceIdentity.open_or_create(tmp_path, "dock-1")
    (tmp_path / "device.key").write_text("nonsense")
    with pytest.raises(BadInputError, match="enrol the device anew"):
        DeviceIdentity.open_or_create(tmp_path, "dock-1")


def test_a_signature_for_one_purpose_does_not_pass_for_another():
    key = Ed25519PrivateKey.generate()
    signature = key.sign(ENTRY + b"x")
    assert verifies(key.public_key(), ENTRY, b"x", signature)
    assert not verifies(key.public_key(), HEAD, b"x", signature)


def test_one_signature_has_one_spelling():
    key = Ed25519PrivateKey.generate()
    text = key.sign(ENTRY + b"x").hex()
    assert verifies_hex(key.public_key(), ENTRY, b"x", text)
    for other in (text.upper(), f" {text}", text[:-2], "zz" + text[2:], text + "00", "é"):
        assert not verifies_hex(key.public_key(), ENTRY, b"x", other)


@given(
    st.dictionaries(
        st.text(st.characters(max_codepoint=127)),
        st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**53), 2**53),
    )
)
def test_canonical_bytes_are_sorted_json_and_depend_on_the_content_only(value: dict):
    raw = canonical(value)
    assert json.loads(raw) == value
    assert canonical(dict(reversed(value.items()))) == raw
    assert list(json.loads(raw)) == sorted(value)


def test_canonical_text_is_escaped_as_rfc_8785_asks():
    assert canonical({"b": '\u20ac\x0f\n\\"/\x7f', "a": 1}) == (
        b'{"a":1,"b":"\xe2\x82\xac\\u000f\\n\\\\\\"/\x7f"}'
    )


@pytest.mark.parametrize("value", [{"a": 1.0}, {"a": True}, {"a": None}, {"a": 2**54}, {"é": 1}])
def test_what_has_no_one_spelling_is_not_signed(value: dict):
    with pytest.raises(BadInputError):
        canonical(value)


def test_a_lone_surrogate_is_not_signed():
    with pytest.raises(BadInputError, match="Unicode"):
        canonical({"a": "\ud800"})
