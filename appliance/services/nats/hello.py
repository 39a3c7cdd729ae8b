"""Where the broker's MQTT door is, and one MQTT 3.1.1 sign-in there: does it let a user in?"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from appliance.services.address import write_private
from contracts.errors import BadInputError, UnavailableError

_ADDRESS_FILE = "address.json"
_CONNECT, _CONNACK, _DISCONNECT = 0x10, 0x20, b"\xe0\x00"
_ANSWER_S = 5.0
_LONGEST = 127
"""Bytes that one byte of remaining length can say."""


@dataclass(frozen=True, slots=True)
class Address:
    """The MQTT door, kept in the broker's folder for other processes of this machine.

    authority: PEM file of those who vouch for its certificate; empty: no TLS.
    """

    host: str
    port: int
    authority: str = ""

    @property
    def url(self) -> str:
        return f"{'mqtts' if self.authority else 'mqtt'}://{_in_url(self.host)}:{self.port}"

    def write(self, folder: Path) -> None:
        write_private(folder / _ADDRESS_FILE, msgspec.json.encode(self).decode())

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises UnavailableError where no broker was ever started in `folder`."""
        try:
            return msgspec.json.decode((folder / _ADDRESS_FILE).read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise UnavailableError(
                f"No broker of ours was started in {folder}", mend="Start one: tallyman up"
            ) from error


async def accepts(address: Address, user: str, password: str) -> bool:
    """True when the broker answers a CONNECT of `user` with "accepted".

    Raises OSError and TimeoutError where nobody answers, BadInputError for a name or password that
    does not fit.
    """
    fields = b"".join(
        len(value).to_bytes(2, "big") + value for value in (b"", user.encode(), password.encode())
    )
    # Protocol name and level 4, then user, password and clean-session flags, keep-alive 10 s. No
    # client id: the broker makes one, so that two who ask at once do not throw each other out.
    body = b"\x00\x04MQTT\x04\xc2\x00\x0a" + fields
    if len(body) > _LONGEST:
        raise BadInputError(f"{user[:60]!r} is too long", mend="Use a shorter name")
    tls = ssl.create_default_context(cafile=address.authority) if address.authority else None
    async with asyncio.timeout(_ANSWER_S):
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
        try:
            writer.write(bytes((_CONNECT, len(body))) + body)
            await writer.drain()
            answer = await reader.read(4)
            writer.write(_DISCONNECT)
            await writer.drain()
        finally:
            writer.close()
    return answer == bytes((_CONNACK, 2, 0, 0))


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
