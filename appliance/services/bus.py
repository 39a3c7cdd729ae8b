"""What the real bus and the one in memory share: MQTT topic rules and the stream of messages.

A topic with white space is refused here, because NATS's MQTT interface closes the connection over
it: what works on one broker must work on the other.
"""

from __future__ import annotations

import asyncio
from typing import Self

from contracts.errors import BadInputError
from contracts.ports import BusMessage

_LONGEST_BYTES = 65_535


class MessageStream:
    """Messages in order of arrival; ends only with its subscription.

    Waiting may be cancelled or timed out and taken up again. Beyond `limit` waiting messages the
    oldest go, and `dropped` counts them.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self._queue: asyncio.Queue[BusMessage] = asyncio.Queue(limit)
        self.dropped = 0

    def put(self, message: BusMessage) -> None:
        if self._queue.full():
            self._queue.get_nowait()
            self.dropped += 1
        self._queue.put_nowait(message)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BusMessage:
        return await self._queue.get()


def check_topic(topic: str) -> None:
    """A topic to publish on: no wildcards, no white space, no NUL.

    Raises BadInputError.
    """
    _check(topic, what="topic")
    if "+" in topic or "#" in topic:
        raise BadInputError(
            f"MQTT topic {topic!r} holds a wildcard", mend="Publish on a topic without + and #"
        )


def check_filter(topic_filter: str) -> None:
    """A filter to subscribe to: `+` fills a level, `#` the last one.

    Raises BadInputError.
    """
    _check(topic_filter, what="filter")
    levels = topic_filter.split("/")
    for number, level in enumerate(levels, start=1):
        alone = level in {"+", "#"}
        if not alone and ("+" in level or "#" in level):
            raise BadInputError(
                f"MQTT filter {topic_filter!r} mixes a wildcard into a level",
                mend="Let + or # stand alone between slashes",
            )
        if level == "#" and number != len(levels):
            raise BadInputError(
                f"MQTT filter {topic_filter!r} goes on after #", mend="Put # at the end"
            )


def matches(topic: str, topic_filter: str) -> bool:
    """Whether `topic_filter` covers `topic` (MQTT 3.1.1, section 4.7).

    Wildcards at the front do not cover topics that begin with `$`.
    """
    if topic.startswith("$") and topic_filter[:1] in {"+", "#"}:
        return False
    names, wanted = topic.split("/"), topic_filter.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(names) or level not in {"+", names[index]}:
            return False
    return len(names) == len(wanted)


def _check(text: str, *, what: str) -> None:
    if not text or len(text.encode()) > _LONGEST_BYTES or "\0" in text:
        raise BadInputError(
            f"MQTT {what} {text[:80]!r} is empty, too long or holds a NUL",
            mend=f"Use 1 to {_LONGEST_BYTES} bytes",
        )
    if any(char.isspace() for char in text):
        raise BadInputError(
            f"MQTT {what} {text!r} holds white space, which NATS refuses",
            mend="Use letters, digits, - _ . : between the slashes",
        )
