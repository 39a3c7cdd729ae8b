"""How requests are answered: bytes for each case. Pure but for the numbers that NON answers bear.

An empty answer (`b""`) means that none is sent (No-Response, RFC 7967).
"""

from __future__ import annotations

from collections.abc import Callable

from telemetry.coap.message import Code, Kind, Message, encode
from telemetry.coap.requests import Errand, wants_answer

_NON_BIT = 0x10
_ACK_BIT = 0x20


def changed(data: bytes, start: int, number: Callable[[], int]) -> bytes:
    """2.04 to the request `data`, whose token ends at `start`, without reading it again."""
    if data[0] & _NON_BIT:
        head = bytes((data[0], Code.CHANGED)) + number().to_bytes(2, "big")
        return head + data[4:start]
    return bytes((data[0] | _ACK_BIT, Code.CHANGED)) + data[2:start]


def stored_answer(message: Message, errand: Errand, number: Callable[[], int]) -> bytes:
    """2.04, with the block it ends where there was one."""
    return answer_to(message, Code.CHANGED, number, errand.echo)


def answer_to(
    message: Message,
    code: Code,
    number: Callable[[], int],
    options: tuple[tuple[int, bytes], ...] = (),
    payload: bytes = b"",
) -> bytes:
    """In the acknowledgement of a CON, beside a NON. A CON whose sender wants no such answer is
    still acknowledged.
    """
    wanted = wants_answer(message, code)
    if message.kind is Kind.CON:
        if not wanted:
            return encode(Message(Kind.ACK, Code.EMPTY, message.message_id))
        return encode(Message(Kind.ACK, code, message.message_id, message.token, options, payload))
    if not wanted:
        return b""
    return encode(Message(Kind.NON, code, number(), message.token, options, payload))


def reset(message_id: int) -> bytes:
    """We cannot make anything of the message (RFC 7252, 4.2), or it was a ping (4.3)."""
    return encode(Message(Kind.RST, Code.EMPTY, message_id))
