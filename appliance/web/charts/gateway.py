"""The hub asks the gateway for history. The hub stays up without it, and says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from contracts.errors import NotFoundError, UnavailableError
from contracts.telemetry import Calibration, SeriesKey

_ANSWER_S = 20.0
"""The longest question: ninety days of one sensor whose rollups are not made yet."""
_PAGE_S = 3.0
PREFIX = "/sensors/data"
"""Below this the gateway's read port answers, and the hub hands on."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class SeriesCard:
    """One line of a sensor as the gateway knows it."""

    device: str
    quantity: str
    channel: str
    unit: str
    place: str = ""
    calibration: Calibration | None = None
    at_us: int | None = None
    value: float | None = None

    @property
    def key(self) -> SeriesKey:
        return SeriesKey(self.device, self.quantity, self.channel)

    def query(self, **more: object) -> str:
        """The query of a question about this series."""
        names = {"device": self.device, "quantity": self.quantity, "channel": self.channel}
        return urlencode(names | more)


@dataclass(frozen=True, slots=True)
class LevelCard:
    """What is kept of one level of history."""

    level: str
    files: int
    rows: int
    bytes: int
    oldest_us: int
    newest_us: int
    keep_days: int


@dataclass(frozen=True, slots=True)
class KeptDays:
    """The policy as it is in force; 0: for ever."""

    raw_days: int
    second_days: int
    minute_days: int
    hour_days: int


@dataclass(frozen=True, slots=True)
class StoreCard:
    """The history as a whole."""

    levels: list[LevelCard]
    series: int
    keeping: KeptDays
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def waiting(self) -> dict[str, int]:
        """Messages that no template reads, by reason."""
        head = "undecoded."
        found = {k.removeprefix(head): n for k, n in self.counts.items() if k.startswith(head)}
        return {code: n for code, n in found.items() if n}


class Gateway:
    """Questions to one gateway's read port."""

    def __init__(self, url: str) -> None:
        self.client = httpx.AsyncClient(
            base_url=url, timeout=httpx.Timeout(_ANSWER_S, connect=1.0), follow_redirects=False
        )

    async def close(self) -> None:
        await self.client.aclose()

    async def series(self, device: str) -> list[SeriesCard]:
        """Lines of one sensor, one a key: the newest unit. Raises UnavailableError."""
        raw = await self.get(f"{PREFIX}/series?{urlencode({'device': device})}", within_s=_PAGE_S)
        found = _decode(raw, list[SeriesCard])
        return list({each.key: each for each in found}.values())

    async def store(self) -> StoreCard:
        """Raises UnavailableError."""
        return _decode(await self.get(f"{PREFIX}/store", within_s=_PAGE_S), StoreCard)

    async def get(self, address: str, *, within_s: float = _ANSWER_S) -> bytes:
        """Raises UnavailableError, and NotFoundError for what the gateway does not know."""
        try:
            answer = await self.client.get(address, timeout=httpx.Timeout(within_s, connect=1.0))
        except httpx.TransportError as error:
            raise _silent() from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotFoundError(
                "The gateway has no history of this sensor", mend="Choose one from the list"
            )
        if answer.status_code != httpx.codes.OK:
            raise UnavailableError(
                f"The gateway answered {answer.status_code}", mend="Look at the gateway's log"
            )
        return answer.content

    async def stream(self, address: str) -> httpx.Response:
        """An answer whose body is read in pieces; the caller closes it. Raises as `get`."""
        try:
            answer = await self.client.send(self.client.build_request("GET", address), stream=True)
        except httpx.TransportError as error:
            raise _silent() from error
        return answer


def _decode(raw: bytes, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as error:
        raise UnavailableError(
            f"The gateway speaks another version: {error}", mend="Update hub and gateway"
        ) from error


def _silent() -> UnavailableError:
    return UnavailableError(
        "The gateway does not answer: readings are taken in without us, charts wait for it",
        mend="Look at the gateway process and at hub.gateway_url",
    )
