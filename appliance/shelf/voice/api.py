"""Speech over HTTP, below `/api/v1/shelf`:

| | |
|---|---|
| `GET voice` | whether and how this site listens |
| `POST voice?language=en` | one WAV file (16 bits, 16 kHz, one channel): what was perhaps said |

Nothing is kept of what was said, neither sound nor text, and nothing is done: the phone decides what a
text means and asks before it changes anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request

from appliance.shelf.caller import WORKERS
from appliance.shelf.settings import ShelfConfig
from appliance.shelf.voice.ports import Engine, Vocabulary, VoiceOffError
from appliance.shelf.voice.sound import most_bytes, samples_of
from appliance.web.uploads import read_body
from contracts.errors import BadInputError

Auth = Callable[..., Callable[[Request], Awaitable[Any]]]
_WAV = {"requestBody": {"required": True, "content": {"audio/wav": {}}}}


@dataclass(frozen=True, slots=True)
class VoiceSetting:
    """`languages` are those that the hub's own recogniser understands."""

    voice: Literal["off", "hub", "browser"]
    languages: tuple[str, ...]
    most_seconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """Best first; empty where nothing of the grammar was heard."""

    texts: list[str]


@dataclass(frozen=True, slots=True)
class Voice:
    """What the routes ask. `vocabulary` blocks: it may read the books."""

    shelf: ShelfConfig
    engine: Engine | None
    vocabulary: Callable[[], Vocabulary]


def router(voice: Voice, auth: Auth) -> APIRouter:
    """`auth(*roles)` is a dependency that gives who asks (appliance.shelf.caller.shelf_caller)."""
    api = APIRouter(prefix="/api/v1/shelf", tags=["shelf"])
    worker = Depends(auth(*WORKERS))

    @api.get("/voice", dependencies=[worker])
    def setting() -> VoiceSetting:
        languages = () if voice.engine is None else voice.engine.languages
        return VoiceSetting(voice.shelf.voice, languages, voice.shelf.voice_seconds)

    @api.post("/voice", dependencies=[worker], openapi_extra=_WAV)
    async def hear(
        request: Request, language: Annotated[Literal["en", "zh"], Query()] = "en"
    ) -> Heard:
        """Writes nothing: asked again with the same sound, it hears the same."""
        if voice.engine is None:
            raise VoiceOffError(
                "This hub does not listen", mend="Set [shelf] voice, or tap what you want"
            )
        if language not in voice.engine.languages:
            raise BadInputError(
                f"The recogniser of this hub does not understand {language!r}",
                mend=f"It understands {', '.join(voice.engine.languages)}",
            )
        seconds = voice.shelf.voice_seconds
        sound = await read_body(
            request,
            most_bytes(seconds),
            what=f"A sound of more than {seconds:g} seconds",
            mend="Say one sentence at a time",
        )
        samples = samples_of(sound, most_seconds=seconds)
        vocabulary = await run_in_threadpool(voice.vocabulary)
        return Heard(await voice.engine.hear(samples, language, vocabulary))

    return api
