"""One publisher's connection: bytes in, readings to the durable path, PUBACK when they are on disk.

Rules: a packet that breaks the protocol closes the connection, after the readings before it were
taken; nothing is acknowledged that is not on disk; what is not read yet waits in the client.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING, cast

from contracts.errors import ForbiddenError, NotSignedInError
from telemetry.mqtt import greeting, topics
from telemetry.mqtt.answers import answer
from telemetry.mqtt.decoding import decode, split
from telemetry.mqtt.encoding import encode, pubacks
from telemetry.mqtt.flow import Flow
from telemetry.mqtt.half import Half
from telemetry.mqtt.packets import (
    V5,
    V311,
    Code,
    Connect,
    Disconnect,
    MqttError,
    Packet,
    Property,
    PubAck,
    Publish,
)
from telemetry.mqtt.publishes import Names, take_publishes
from telemetry.ports import Admission
from telemetry.segments.groups import Message, Quarantined

if TYPE_CHECKING:
    from telemetry.mqtt.endpoint import Endpoint


_LONG_TOPIC = 256


class State(IntEnum):
    GREETING = 0
    CHECKING = 1
    OPEN = 2
    CLOSING = 3


class Connection(asyncio.Protocol):
    """See the module. Timers are the endpoint's: it looks at `heard`, `since` and `state`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.state = State.GREETING
        self.client_id = ""
        self.peer = ""
        self.device = ""
        self.certified = False
        """It came in with a certificate, not with a password."""
        self.version = V311
        self.heard = self.since = endpoint.time()
        """Last byte; and the first byte of the packet (or of the state) that is not complete."""
        self.silence_s = 0.0
        """Longest silence allowed once open."""
        self.half = Half(endpoint.half_connects)
        self._limits = endpoint.limits
        self._unacked = 0
        self._connect: Connect | None = None
        self._admission: Admission | None = None
        self._names = Names(self._admit_topic)
        self._checking: asyncio.Task[None] | None = None

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.flow = Flow(self._transport)
        name = transport.get_extra_info("peername")
        self.peer = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name or "")
        if not self.endpoint.joined(self):
            self.state = State.CLOSING
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- the loop's signature
        if self._checking is not None:
            self._checking.cancel()
        was_open, self.state = self.state is State.OPEN, State.CLOSING
        self.half.forget()
        self.endpoint.left(self)
        if was_open:
            self._publish_will()

    def data_received(self, data: bytes) -> None:
        self.heard = self.endpoint.time()
        if self.state is State.CLOSING:
            return
        if len(self.half):
            self.half.add(data)
            if not self.half.whole or self.state is State.CHECKING:
                self._bound_half()
                return
            data = self.half.take()
        if self.state is State.OPEN:
            self._take(data)
        elif self.state is State.GREETING:
            self._greet(data)
        else:
            self._keep_half(data, 0)

    def pause_writing(self) -> None:
        self.flow.hold("writing")

    def resume_writing(self) -> None:
        self._go_on("writing")

    # Signing in

    def _greet(self, data: bytes) -> None:
        try:
            span = greeting.first_packet(data, self._limits)
            if span is None or span.end > len(data):
                self._keep_half(data, span.end if span else len(data) + 1, restart=False)
                return
            connect = cast("Connect", decode(span.first, data[span.start : span.end], V5))
            self.version = connect.version
            self.client_id = connect.client_id or self.endpoint.new_client_id()
            greeting.check(connect)
        except MqttError as error:
            self.refuse(error.code, error.message, error.reason)
            return
        self.state = State.CHECKING
        self.flow.hold("checking")
        if span.end < len(data):
            self._keep_half(data[span.end :], 0)
        self._checking = asyncio.ensure_future(self._check(connect))

    async def _check(self, connect: Connect) -> None:
        facts = greeting.CertificateFacts(self._transport.get_extra_info("ssl_object"))
        self.certified = bool(facts.der)
        caller = greeting.caller_of(connect, self.client_id, self.peer, facts)
        try:
            admission = await self.endpoint.doorman.admit(caller)
            if self.state is not State.CHECKING:
                return  # closed meanwhile: it must not come in after all
            greeting.check_will(connect, admission)
            self.endpoint.enter(self, admission)
        except NotSignedInError as error:
            self.refuse("not_signed_in", error.message, Code.BAD_CREDENTIALS)
        except ForbiddenError as error:
            self.refuse("forbidden", error.message, Code.NOT_AUTHORIZED)
        except MqttError as error:
            self.refuse(error.code, error.message, error.reason)
        except Exception as error:  # noqa: BLE001 -- the doorman's fault is not the client's
            self.refuse("doorman_failed", repr(error), Code.SERVER_UNAVAILABLE)
        else:
            self._enter(connect, admission)

    def _enter(self, connect: Connect, admission: Admission) -> None:
        self._connect, self._admission = connect, admission
        self.state = State.OPEN
        self.silence_s = 1.5 * greeting.keep_alive_s(connect, self._limits)
        self._send(encode(greeting.welcome(connect, self.client_id, self._limits), self.version))
        rest = self.half.take()
        self.half = Half(self.endpoint.half_packets)
        self._go_on("checking")
        if rest:
            self._take(rest)

    # Readings

    def _take(self, data: bytes) -> None:
        """All packets of a buffer; the last one may be a half."""
        messages: list[Message] = []
        numbers: list[bytes] = []
        at, end = 0, len(data)
        problem: MqttError | None = None
        try:
            while True:
                at = take_publishes(data, at, self.version, self._names, messages, numbers)
                if at >= end:
                    break
                span = split(data, at, end, self._limits.packet_bytes)
                if span is None or span.end > end:
                    self._keep_half(data[at:], span.end - at if span else end - at + 1)
                    break
                packet = decode(span.first, data[span.start : span.end], self.version)
                self._handle(packet, messages, numbers)
                at = span.end
                if self.state is not State.OPEN:
                    break  # what follows a DISCONNECT is nobody's
        except MqttError as error:
            problem = error
        if messages:
            self._hand_over(messages, numbers)
        if problem is not None:
            self.refuse(problem.code, problem.message, problem.reason)
        elif self.state is State.OPEN:
            self._wait_where_due()

    def _hand_over(self, messages: list[Message], numbers: list[bytes]) -> None:
        endpoint = self.endpoint
        self._unacked += len(numbers)
        endpoint.counts.messages += len(messages)
        endpoint.path.take(messages, endpoint.now_us(), partial(self._on_disk, numbers))

    def _wait_where_due(self) -> None:
        """Not read on: too much of this client waits for the disk, or of all together."""
        endpoint = self.endpoint
        if self._unacked > self._limits.receive_maximum:
            if self.version == V5:
                self.refuse(
                    "receive_maximum",
                    f"{self._unacked} messages without waiting for an acknowledgement",
                    Code.RECEIVE_MAXIMUM_EXCEEDED,
                )
                return
            self.flow.hold("window")
        if endpoint.path.full and "room" not in self.flow:
            endpoint.counts.pauses += 1
            self.flow.hold("room")
            endpoint.path.when_room(partial(self._go_on, "room"))

    def _on_disk(self, numbers: list[bytes]) -> None:
        if self.state is State.OPEN:
            self._send(pubacks(numbers))
        self._acknowledged(len(numbers))

    def _acknowledged(self, count: int) -> None:
        self._unacked -= count
        if "window" in self.flow and 2 * self._unacked <= self._limits.receive_maximum:
            self._go_on("window")

    def _handle(self, packet: Packet, messages: list[Message], numbers: list[bytes]) -> None:
        """A packet that is not on the hot path. Raises MqttError."""
        match packet:
            case Publish():
                self._take_one(packet, messages, numbers)
            case Disconnect(code):
                if code != Code.DISCONNECT_WITH_WILL:
                    self._connect = None
                self._publish_will()
                self.state = State.CLOSING
                self._transport.close()
            case _:
                self._send(answer(packet, self.version))

    def _take_one(self, packet: Publish, messages: list[Message], numbers: list[bytes]) -> None:
        if Property.TOPIC_ALIAS in packet.properties:
            raise MqttError(
                "a topic alias, of which none were granted",
                code="mqtt_protocol",
                reason=Code.TOPIC_ALIAS_INVALID,
            )
        if self._may_publish(packet.topic):
            messages.append((packet.topic, packet.payload))
            if packet.qos:
                numbers.append(packet.packet_id.to_bytes(2))
            return
        detail = f"{self.device} may publish to {', '.join(self._filters)[:200] or 'nothing'}"
        item = Quarantined(packet.topic, packet.payload, "topic_not_allowed", detail)
        reply = b""
        if packet.qos:
            self._unacked += 1
            reply = encode(PubAck(packet.packet_id, Code.NOT_AUTHORIZED), self.version)
        self.endpoint.path.set_aside(
            [item], self.endpoint.now_us(), partial(self._set_aside, packet.qos, reply)
        )

    def _set_aside(self, count: int, reply: bytes) -> None:
        if self.state is State.OPEN and reply:
            self._send(reply)
        self._acknowledged(count)

    # Topics

    @property
    def _filters(self) -> tuple[str, ...]:
        return self._admission.topics if self._admission is not None else ()

    def _may_publish(self, topic: str) -> bool:
        return topics.may_publish(self._filters, topic)

    def _admit_topic(self, raw: bytes) -> str | None:
        if len(raw) > _LONG_TOPIC:
            return None  # taken all the same, but not remembered
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            return None
        plain = topics.is_name(topic) and "\0" not in topic
        return topic if plain and self._may_publish(topic) else None

    def forget_will(self) -> None:
        self._connect = None

    def _publish_will(self) -> None:
        will = self._connect.will if self._connect is not None else None
        self._connect = None
        if will is not None:
            self.endpoint.counts.messages += 1
            self.endpoint.path.take(
                [(will.topic, will.payload)], self.endpoint.now_us(), _nobody_waits
            )

    # Closing, holding, half packets

    def refuse(self, code: str, detail: str, reason: Code) -> None:
        """Say why where the version can, close, count. Once."""
        if self.state is State.CLOSING:
            return
        before, self.state = self.state, State.CLOSING
        self.since = self.endpoint.time()
        self.endpoint.note(self, code, detail)
        if before is State.OPEN:
            reply = encode(Disconnect(reason)) if self.version == V5 else b""
        else:
            said = greeting.refusal(reason, self.version)
            reply = encode(said, self.version) if said is not None else b""
        if reply:
            self._send(reply)
        if before is State.OPEN:
            self._publish_will()
        self.half.forget()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def _send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _go_on(self, why: str) -> None:
        if self.flow.go_on(why):
            self.heard = self.endpoint.time()

    def _keep_half(self, data: bytes, need: int, *, restart: bool = True) -> None:
        """`need`: bytes with which the packet is whole. `restart`: its time starts now."""
        if restart:
            self.since = self.heard
        self.half.keep(data, need)
        self._bound_half()

    def _bound_half(self) -> None:
        if self.half.crowded:
            self.refuse(
                "too_many_half_packets",
                f"{len(self.half)} of {self.half.need} bytes came, and memory for halves is spent",
                Code.QUOTA_EXCEEDED,
            )


def _nobody_waits() -> None:
    """A will has no sender any more."""
