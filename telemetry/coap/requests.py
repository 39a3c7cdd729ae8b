"""What a CoAP request wants of us. Pure: a message in; an errand, or a refusal with its code, out.

We take POST and PUT with a payload under any path; the address of the reading is `coap/<path>`.
What the payload is, its template says, so its format only has to be one that templates can read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from telemetry.coap.blocks import Block, BlockRefusedError, block_of
from telemetry.coap.message import Code, Message, Option

ROOT: Final = "coap"
FORMATS: Final = {
    0: "text/plain",
    42: "application/octet-stream",
    50: "application/json",
    60: "application/cbor",
    110: "application/senml+json",
    112: "application/senml+cbor",
}
LINK_FORMAT: Final = 40
_KNOWN_CRITICAL = frozenset(
    {
        Option.URI_HOST,
        Option.URI_PORT,
        Option.URI_PATH,
        Option.URI_QUERY,
        Option.ACCEPT,
        Option.BLOCK1,
        Option.BLOCK2,
    }
)
_PATH_MOST = 240
_DISCOVERY = "/.well-known/core"
LINKS: Final = '</>;rt="core.s";ct="{}"'.format(" ".join(map(str, FORMATS))).encode()


class RefusedError(Exception):
    """The request is not taken. `reason` is counted, `detail` told to the sender (RFC 7252, 5.5.2)."""

    def __init__(self, code: Code, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.reason, self.detail = code, reason, detail


@dataclass(frozen=True, slots=True)
class Errand:
    """A reading to take. `block` is Block1, where the payload is a part of one."""

    address: str
    block: Block | None
    plain: bool
    """Nothing but path and format: every message with the same options means the same."""

    @property
    def echo(self) -> tuple[tuple[int, bytes], ...]:
        """The option that an answer to a block repeats."""
        return () if self.block is None else ((Option.BLOCK1, self.block.to_bytes()),)


@dataclass(frozen=True, slots=True)
class Discovery:
    """The sender asks what there is (RFC 6690)."""


def errand_of(message: Message) -> Errand | Discovery:
    """Raises RefusedError."""
    for number, _ in message.options:
        if number in {Option.PROXY_URI, Option.PROXY_SCHEME}:
            raise RefusedError(Code.NO_PROXY, "proxy", "no proxy here")
        if number & 1 and number not in _KNOWN_CRITICAL:
            raise RefusedError(Code.BAD_OPTION, "bad_option", f"option {number} is not known")
    path = _path(message)
    if message.code == Code.GET:
        if path == _DISCOVERY:
            return Discovery()
        raise RefusedError(Code.NOT_FOUND, "not_found", "readings are posted here, not fetched")
    if message.code not in {Code.POST, Code.PUT}:
        raise RefusedError(Code.NOT_ALLOWED, "method", "send POST or PUT")
    content = message.number(Option.CONTENT_FORMAT)
    if content is not None and content not in FORMATS:
        raise RefusedError(
            Code.UNSUPPORTED_FORMAT, "content_format", f"content format {content} is not read here"
        )
    block = _block(message)
    if path in {"", "/"}:
        raise RefusedError(Code.NOT_FOUND, "path", "post to a path, such as /coldroom/1")
    if not message.payload:
        raise RefusedError(Code.BAD_REQUEST, "no_payload", "there is no payload")
    plain = all(
        number in {Option.URI_PATH, Option.CONTENT_FORMAT, Option.URI_HOST, Option.URI_PORT}
        for number, _ in message.options
    )
    return Errand(ROOT + path, block, plain)


def wants_answer(message: Message, code: int) -> bool:
    """False where No-Response (RFC 7967) says that this class of answers is not of interest."""
    suppressed = message.number(Option.NO_RESPONSE)
    return suppressed is None or not suppressed >> (code >> 5) - 1 & 1


def _block(message: Message) -> Block | None:
    later = message.option(Option.BLOCK2)
    value = message.option(Option.BLOCK1)
    try:
        if later is not None and block_of(later).number:
            raise RefusedError(Code.BAD_REQUEST, "block_option", "the answer has one block only")
        return None if value is None else block_of(value)
    except BlockRefusedError as error:
        raise RefusedError(error.code, error.reason, error.detail) from error


def _path(message: Message) -> str:
    parts = []
    for number, value in message.options:
        if number != Option.URI_PATH:
            continue
        try:
            part = value.decode()
        except UnicodeDecodeError as error:
            raise RefusedError(Code.BAD_REQUEST, "path", "the path is not UTF-8") from error
        # An address is written on pages and matched by `+` and `#`, so none of these may be in it.
        if not part.isprintable() or any(sign in part for sign in "/+#"):
            raise RefusedError(Code.BAD_REQUEST, "path", "a part of the path has / + # or worse")
        parts.append(part)
    path = "".join(f"/{part}" for part in parts)
    if len(path) > _PATH_MOST:
        raise RefusedError(Code.BAD_REQUEST, "path", f"the path has more than {_PATH_MOST} signs")
    return path
