"""A phone sends one sentence to the hub and hears what it may have been."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from fastapi import FastAPI

from appliance import problems
from appliance.shelf.settings import ShelfConfig
from appliance.shelf.voice.api import Voice, router
from appliance.shelf.voice.ports import Engine, Vocabulary, VoiceBusyError, VoiceEngineError
from tests.appliance.shelf.voice.speech import wav
from tests.erp_link.over_http import Client, auth

PATH = "/api/v1/shelf/voice"
SITE = Vocabulary(("A-01-1",), ("Milk",))


@dataclass
class Ear:
    """Implements ports.Engine: hears what a test puts into it."""

    texts: list[str] = field(default_factory=lambda: ["count twelve"])
    trouble: Exception | None = None
    languages: tuple[str, ...] = ("en",)
    heard: list[tuple[int, str, Vocabulary]] = field(default_factory=list)

    async def hear(self, samples: bytes, language: str, vocabulary: Vocabulary) -> list[str]:
        self.heard.append((len(samples), language, vocabulary))
        if self.trouble is not None:
            raise self.trouble
        return self.texts

    async def close(self) -> None:
        """Nothing runs."""


def client(engine: Engine | None, *, roles: str = "operator", voice: str = "hub") -> Client:
    shelf = ShelfConfig(voice=voice, voice_seconds=5)
    app = FastAPI()
    problems.install(app)
    app.include_router(router(Voice(shelf, engine, lambda: SITE), auth))
    made = Client(app)
    made.headers = {"x-roles": roles}
    return made


def test_a_sentence_is_heard_with_what_can_be_named_here() -> None:
    ear = Ear()
    answer = client(ear).post(f"{PATH}?language=en", content=wav(1))
    assert answer.json() == {"texts": ["count twelve"]}
    assert ear.heard == [(32_000, "en", SITE)]


def test_the_page_is_told_whether_and_how_this_site_listens() -> None:
    assert client(Ear()).get(PATH).json() == {
        "voice": "hub",
        "languages": ["en"],
        "most_seconds": 5,
    }
    assert client(None, voice="off").get(PATH).json()["voice"] == "off"


def test_a_hub_that_does_not_listen_says_so() -> None:
    answer = client(None, voice="off").post(PATH, content=wav())
    assert (answer.status_code, answer.json()["code"]) == (404, "voice_off")


@pytest.mark.parametrize(
    ("sound", "query"),
    [(wav(rate=8_000), "en"), (b"hello", "en"), (wav(6), "en"), (wav(), "zh"), (wav(), "de")],
)
def test_what_cannot_be_listened_to_is_refused_before_anybody_listens(
    sound: bytes, query: str
) -> None:
    ear = Ear()
    assert client(ear).post(f"{PATH}?language={query}", content=sound).status_code == 422
    assert ear.heard == []


@pytest.mark.parametrize("error", [VoiceBusyError, VoiceEngineError])
def test_a_recogniser_that_cannot_now_is_an_outage_with_its_own_name(
    error: type[VoiceBusyError | VoiceEngineError],
) -> None:
    answer = client(Ear(trouble=error("not now"))).post(PATH, content=wav())
    assert (answer.status_code, answer.json()["code"]) == (503, error.code)


def test_only_those_who_work_at_the_shelf_are_listened_to() -> None:
    ear = Ear()
    assert client(ear, roles="viewer").post(PATH, content=wav()).status_code == 403
    assert ear.heard == []
