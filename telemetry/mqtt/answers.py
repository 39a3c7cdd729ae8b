"""What a publisher is answered to packets that are no readings. Pure."""

from __future__ import annotations

from telemetry.mqtt.encoding import PINGRESP, encode
from telemetry.mqtt.packets import (
    V5,
    Code,
    MqttError,
    Packet,
    PingReq,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
)


def answer(packet: Packet, version: int) -> bytes:
    """Readings leave by the gateway's own doors, so subscriptions are refused in due form.

    Raises MqttError for a packet that no publisher sends.
    """
    match packet:
        case PingReq():
            return PINGRESP
        case Subscribe(number, filters):
            code = Code.NOT_AUTHORIZED if version == V5 else Code.UNSPECIFIED
            return encode(SubAck(number, (code,) * len(filters)), version)
        case Unsubscribe(number, filters):
            codes = (Code.NO_SUBSCRIPTION,) * len(filters) if version == V5 else ()
            return encode(UnsubAck(number, codes), version)
        case _:
            raise MqttError(
                f"{type(packet).__name__} from a publisher",
                code="mqtt_protocol",
                reason=Code.PROTOCOL_ERROR,
            )
