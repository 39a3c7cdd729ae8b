"""What turns speech into text, as the hub's routes need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from contracts.errors import NotFoundError, UnavailableError


class VoiceOffError(NotFoundError):
    """The hub of this site does not turn speech into text."""

    code = "voice_off"


class VoiceEngineError(UnavailableError):
    """The recogniser cannot be started, gave up, or took too long. Nothing was understood."""

    code = "voice_engine"


class VoiceBusyError(UnavailableError):
    """Too many people speak at once."""

    code = "voice_busy"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What can be named at this site beside the words of the grammar."""

    places: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Names of products, and of places where the site has its own."""


class Engine(Protocol):
    """One recogniser. Everything it starts ends with `close`."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Of `en` and `zh`, those that it understands."""
        ...

    async def hear(self, samples: bytes, language: str, vocabulary: Vocabulary) -> list[str]:
        """The texts that were perhaps said, best first; empty where nothing of the grammar was.

        `samples` are 16 bits little endian, 16 kHz, one channel. Raises VoiceEngineError,
        VoiceBusyError.
        """
        ...

    async def close(self) -> None:
        """Ends what runs; `hear` may start it anew."""
        ...
