"""CONNECT and what is answered to it. Pure."""

from __future__ import annotations

from typing import Any, Final

from telemetry.mqtt import topics
from telemetry.mqtt.decoding import Span, split
from telemetry.mqtt.limits import EndpointLimits
from telemetry.mqtt.packets import (
    V5,
    Code,
    ConnAck,
    Connect,
    Kind,
    MqttError,
    Properties,
    Property,
)
from telemetry.ports import Admission, Caller

_RETURN_CODES: Final = {
    Code.UNSUPPORTED_VERSION: 1,
    Code.CLIENT_ID_NOT_VALID: 2,
    Code.SERVER_UNAVAILABLE: 3,
    Code.SERVER_BUSY: 3,
    Code.BAD_CREDENTIALS: 4,
    Code.NOT_AUTHORIZED: 5,
}
"""What 3.1.1 can say of it (table 3.1 of 3.1.1); all else closes without a word."""


class CertificateFacts:
    """What a verified certificate says of its holder."""

    __slots__ = ("common_name", "der", "uris")

    def __init__(self, ssl_object: Any) -> None:
        self.der: bytes = b""
        self.common_name = ""
        self.uris: tuple[str, ...] = ()
        facts = ssl_object.getpeercert() if ssl_object is not None else None
        if not facts:
            return
        self.der = ssl_object.getpeercert(binary_form=True)
        names = [value for part in facts["subject"] for key, value in part if key == "commonName"]
        self.common_name = names[-1] if names else ""
        alternative = facts.get("subjectAltName", ())
        self.uris = tuple(value for kind, value in alternative if kind == "URI")


def first_packet(data: bytes, limits: EndpointLimits) -> Span | None:
    """Where CONNECT lies; None while its header is not complete. Raises MqttError for anything else,
    and for one that is too long to come from somebody who has not signed in.
    """
    if data[0] != Kind.CONNECT << 4:
        raise MqttError("something else than CONNECT came first", code="mqtt_no_connect")
    return split(data, 0, len(data), limits.connect_bytes)


def caller_of(connect: Connect, client_id: str, peer: str, facts: CertificateFacts) -> Caller:
    return Caller(
        client_id=client_id,
        username=connect.username or "",
        password=connect.password or b"",
        peer=peer,
        certificate=facts.der,
        common_name=facts.common_name,
        uris=facts.uris,
    )


def check(connect: Connect) -> None:
    """What can be said before anybody is asked. Raises MqttError."""
    if not connect.client_id and connect.version != V5 and not connect.clean_start:
        raise MqttError(
            "a session to be kept without a client identifier",
            code="client_id_invalid",
            reason=Code.CLIENT_ID_NOT_VALID,
        )
    if connect.will is not None and connect.will.qos > 1 and connect.version == V5:
        raise MqttError(
            "a will with QoS 2", code="qos_not_supported", reason=Code.QOS_NOT_SUPPORTED
        )
    if Property.AUTHENTICATION_METHOD in connect.properties:
        raise MqttError(
            "an authentication exchange; sign in with a certificate or a password",
            code="mqtt_protocol",
            reason=Code.BAD_CREDENTIALS,
        )


def check_will(connect: Connect, admission: Admission) -> None:
    """Raises MqttError for a will to a topic that this device may not publish to."""
    will = connect.will
    if will is not None and not topics.may_publish(admission.topics, will.topic):
        raise MqttError(
            f"a will to {will.topic[:80]!r}, which {admission.device} may not publish to",
            code="topic_not_allowed",
            reason=Code.NOT_AUTHORIZED,
        )


def keep_alive_s(connect: Connect, limits: EndpointLimits) -> int:
    """What counts, in seconds: version 5 is told; 3.1.1 is taken at its word, up to eighteen hours,
    and gets the longest where it asks for none.
    """
    asked = connect.keep_alive_s
    if connect.version == V5:
        return min(asked or limits.longest_keep_alive_s, limits.longest_keep_alive_s)
    return asked or limits.longest_keep_alive_s


def welcome(connect: Connect, client_id: str, limits: EndpointLimits) -> ConnAck:
    """No session is kept: publishers have none, and what is subscribed to is refused."""
    if connect.version != V5:
        return ConnAck()
    properties: Properties = {
        Property.RECEIVE_MAXIMUM: limits.receive_maximum,
        Property.MAXIMUM_QOS: 1,
        Property.MAXIMUM_PACKET_SIZE: limits.packet_bytes,
        Property.WILDCARD_AVAILABLE: 0,
        Property.SUBSCRIPTION_ID_AVAILABLE: 0,
        Property.SHARED_AVAILABLE: 0,
    }
    if connect.properties.get(Property.SESSION_EXPIRY):
        properties[Property.SESSION_EXPIRY] = 0
    if not connect.client_id:
        properties[Property.ASSIGNED_CLIENT_ID] = client_id
    granted = keep_alive_s(connect, limits)
    if granted != connect.keep_alive_s:
        properties[Property.SERVER_KEEP_ALIVE] = granted
    return ConnAck(properties=properties)


def refusal(reason: Code, version: int) -> ConnAck | None:
    """The CONNACK that says no; None where 3.1.1 has no word for it."""
    if version == V5:
        return ConnAck(reason)
    code = _RETURN_CODES.get(reason)
    return ConnAck(code) if code is not None else None
