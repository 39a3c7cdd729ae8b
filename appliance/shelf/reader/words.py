"""What phone, hub and the reader's process say to each other, and how it is framed.

From the phone: one binary message, 4 bytes big-endian length of a JSON header, the header
(`Question`), a JPEG. To the phone: a JSON text message, `Answer` or `Refusal`. Between hub and
process: 4 bytes big-endian length, then MessagePack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from contracts.errors import BadInputError
from vision.shelf.stock_list import ListedCode

LENGTH = 4
MOST_JPEG = 1 << 20
_LONGEST_HEADER = 4096
Share = Annotated[float, msgspec.Meta(ge=-1e5, le=1e5)]
_CORNERS = 4


@dataclass(frozen=True, slots=True)
class Question:
    """`kind`: `crop` (one code that the phone could not read: damaged ones are weighed against the
    stock list) or `frame` (all codes, fast). `quad`: where the code is, x and y of its four corners
    in the JPEG's pixels, from the top left on clockwise; empty: anywhere. `place`: where the person
    stands, empty where unknown.
    """

    id: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    kind: Literal["crop", "frame"] = "crop"
    place: Annotated[str, msgspec.Meta(max_length=80)] = ""
    quad: Annotated[tuple[Share, ...], msgspec.Meta(max_length=8)] = ()


@dataclass(frozen=True, slots=True)
class AnsweredCode:
    """As vision.shelf.types.ReadCode; `quad` eight numbers in the JPEG's pixels."""

    state: str
    text: str
    format: str
    gtin: str
    product: str
    units: int
    lot: str
    expiry: str
    how: str
    confidence: float
    quad: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tap:
    """A product that the unread code may stand for; `share` 0..1."""

    gtin: str
    text: str
    share: float


@dataclass(frozen=True, slots=True)
class Answer:
    """`candidates` are only there where `codes` is empty: nothing is told as sure (I7)."""

    id: int
    codes: tuple[AnsweredCode, ...] = ()
    unread: tuple[tuple[float, ...], ...] = ()
    candidates: tuple[Tap, ...] = ()
    elapsed_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Problem:
    """`retry_ms`: so long the phone waits before it asks again; 0: asking the same is no use."""

    code: str
    detail: str
    mend: str = ""
    retry_ms: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    id: int
    problem: Problem


class Stock(msgspec.Struct, frozen=True, tag="stock"):
    """To the process: the list from now on."""

    codes: tuple[ListedCode, ...]


class Look(msgspec.Struct, frozen=True, tag="look"):
    """To the process: a question with its picture."""

    question: Question
    jpeg: bytes


Order = Stock | Look


class Looked(msgspec.Struct, frozen=True, tag="looked"):
    answer: Answer


class Trouble(msgspec.Struct, frozen=True, tag="trouble"):
    """The picture cannot be used; the process goes on."""

    problem: Problem


Word = Looked | Trouble


def parse_question(message: bytes) -> tuple[Question, bytes]:
    """Header and JPEG of a phone's message. Raises BadInputError."""
    length = int.from_bytes(message[:LENGTH], "big") if len(message) > LENGTH else 0
    if not 0 < length <= _LONGEST_HEADER or len(message) <= LENGTH + length:
        raise BadInputError(
            "The message is not a header and a picture",
            mend="Send 4 bytes length, the JSON header, then the JPEG",
        )
    try:
        question = msgspec.json.decode(message[LENGTH : LENGTH + length], type=Question)
    except msgspec.MsgspecError as error:
        raise BadInputError(
            f"The message's header is not a question: {error}",
            mend="See docs/reference/shelf-reader.md",
        ) from error
    if len(question.quad) not in {0, 2 * _CORNERS}:
        raise BadInputError(
            f"The quad has {len(question.quad)} numbers", mend="Send 8, or leave it empty"
        )
    jpeg = message[LENGTH + length :]
    if len(jpeg) > MOST_JPEG:
        raise BadInputError("The picture has more than 1 MiB", mend="Send a smaller crop")
    return question, jpeg


def framed(word: Order | Word) -> bytes:
    """A word between hub and process."""
    body = msgspec.msgpack.encode(word)
    return len(body).to_bytes(LENGTH, "big") + body
