"""What a network server wraps around the bytes of a LoRaWAN sensor.

ChirpStack 4 (its JSON integration) and The Things Stack 3 publish JSON with the payload in Base64,
the port, the frame counter and when a gateway heard it. The counter begins again with each join,
which gives a new address: both together number the message (I2).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal, get_args

import msgspec

from telemetry.describing.binding import Refused

Envelope = Literal["auto", "none", "chirpstack", "ttn", "hex", "base64"]
ENVELOPES: Final[tuple[Envelope, ...]] = get_args(Envelope)
Unwrapped = tuple[int | None, bytes, int | None, int | None]
"""(port, the sensor's own bytes, microseconds since 1970, sequence)."""

TOPICS: Final = {
    "application/+/device/{device}/event/up": "chirpstack",
    "v3/+/devices/{device}/up": "ttn",
}
"""Where the network servers publish what came up."""


class _ChirpStack(msgspec.Struct, frozen=True, rename="camel", gc=False):
    data: bytes
    f_port: int
    f_cnt: int | None = None
    dev_addr: str = ""
    time: datetime | None = None


class _Message(msgspec.Struct, frozen=True, gc=False):
    frm_payload: bytes
    f_port: int
    f_cnt: int | None = None
    received_at: datetime | None = None


class _Ends(msgspec.Struct, frozen=True, gc=False):
    dev_addr: str = ""


class _Ttn(msgspec.Struct, frozen=True, gc=False):
    uplink_message: _Message
    end_device_ids: _Ends = _Ends()
    received_at: datetime | None = None


_chirpstack = msgspec.json.Decoder(_ChirpStack)
_ttn = msgspec.json.Decoder(_Ttn)


def unwrapper(envelope: str) -> Callable[[bytes], Unwrapped] | None:
    """How to take a payload out of its envelope; None where there is none.

    What it gives raises Refused: not_envelope, not_hex.
    """
    return {"chirpstack": _from_chirpstack, "ttn": _from_ttn, "hex": _hex, "base64": _base64}.get(
        envelope
    )


def read_hex(text: str) -> bytes:
    """Bytes from hexadecimal as people paste it: spaces, commas, 0x, upper or lower case.

    Raises Refused: not_hex.
    """
    tight = text.replace("0x", "").replace("0X", "")
    for mark in " ,;:-\t\r\n[]":
        tight = tight.replace(mark, "")
    try:
        return bytes.fromhex(tight)
    except ValueError as error:
        raise Refused("not_hex", str(error)) from None


def _from_chirpstack(payload: bytes) -> Unwrapped:
    try:
        said = _chirpstack.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("not_envelope", f"ChirpStack: {error}") from None
    return said.f_port, said.data, _us(said.time), _numbered(said.dev_addr, said.f_cnt)


def _from_ttn(payload: bytes) -> Unwrapped:
    try:
        said = _ttn.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("not_envelope", f"The Things Stack: {error}") from None
    inner = said.uplink_message
    at = _us(inner.received_at or said.received_at)
    return inner.f_port, inner.frm_payload, at, _numbered(said.end_device_ids.dev_addr, inner.f_cnt)


def _numbered(address: str, counter: int | None) -> int | None:
    if counter is None:
        return None
    try:
        return int(address, 16) % 2**31 << 32 | counter % 2**32 if address else counter
    except ValueError:
        return counter


def _us(moment: datetime | None) -> int | None:
    if moment is None or moment.tzinfo is None:
        return None
    return round(moment.timestamp() * 1_000_000)


def _hex(payload: bytes) -> Unwrapped:
    try:
        return None, read_hex(payload.decode("ascii")), None, None
    except UnicodeDecodeError as error:
        raise Refused("not_hex", str(error)) from None


def _base64(payload: bytes) -> Unwrapped:
    try:
        return None, base64.b64decode(payload, validate=True), None, None
    except binascii.Error as error:
        raise Refused("not_envelope", f"Base64: {error}") from None
