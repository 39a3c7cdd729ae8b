"""A phone's crop over the WebSocket, answered by a real process; and everything that is refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import pytest
import uvicorn
import websockets

from appliance.accounts.web import COOKIE
from appliance.bench.shelf.damage import shoot
from appliance.bench.shelf.film.codes import goods
from appliance.shelf.reader.door import PATH, Pace, reader_router
from appliance.shelf.reader.process import ReaderBusyError, ReaderProcess, UnusablePictureError
from appliance.shelf.reader.stock import BookStock
from appliance.shelf.reader.words import MOST_JPEG, Question, parse_question
from contracts.clock import FixedClock
from contracts.errors import BadInputError, UnavailableError
from tests.support.phones import PASSWORD, Site
from vision.shelf import ListedCode

GOODS = goods(50, seed=8)


class Goods:
    """A stock list that is told once, and again when the reader begins anew."""

    def __init__(self) -> None:
        self.told = 0
        self._known = False

    def changed(self) -> Sequence[ListedCode] | None:
        if self._known:
            return None
        self.told, self._known = self.told + 1, True
        return [ListedCode(each.gtin, each.gtin) for each in GOODS]

    def forget(self) -> None:
        self._known = False


def jpeg(picture: np.ndarray[Any, Any]) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def torn(code: int = 0, seed: int = 1) -> tuple[bytes, list[float]]:
    shot = shoot(GOODS[code].text, "torn", np.random.default_rng(seed), share=0.25, module_px=3.0)
    return jpeg(shot.picture), shot.quad.ravel().round(1).tolist()


def message(header: dict[str, Any], picture: bytes) -> bytes:
    head = json.dumps(header).encode()
    return len(head).to_bytes(4, "big") + head + picture


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[ReaderProcess]:
    made = ReaderProcess(Goods(), log=tmp_path / "logs" / "reader.log", within_s=60)
    yield made
    await made.aclose()


@pytest.fixture
def site(tmp_path: Path, clock: FixedClock) -> Iterator[Site]:
    made = Site(tmp_path, clock)
    yield made
    made.close()


class Server(uvicorn.Server):
    """Says when it listens; signals are pytest's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class Hub:
    """The route on a real socket."""

    def __init__(self, site: Site, reader: Any) -> None:
        self.site = site
        site.app.include_router(reader_router(reader))
        self.server = Server(
            uvicorn.Config(site.app, port=0, log_config=None, lifespan="off", ws_max_size=2 << 20)
        )

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self.server.serve())
        await self.server.listening.wait()
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.host = f"127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.should_exit = True
        await self._serving

    def dial(self, person: str = "mei", *, origin: str = "") -> Any:
        token = self.site.accounts.sign_in(person, PASSWORD, address="") if person else ""
        return websockets.connect(
            f"ws://{self.host}{PATH}",
            origin=origin or f"http://{self.host}",
            additional_headers={"Cookie": f"{COOKIE}={token}"} if token else {},
        )


async def test_a_torn_code_is_answered_by_the_appliance(site: Site, reader: ReaderProcess) -> None:
    assert not reader.runs, "nobody asked yet"
    picture, quad = torn()
    async with Hub(site, reader) as hub, hub.dial() as phone:
        await phone.send(message({"id": 7, "kind": "crop", "place": "A", "quad": quad}, picture))
        told = json.loads(await phone.recv())
        assert told["id"] == 7
        said = [each["text"] for each in told["codes"]] or [m["text"] for m in told["candidates"]]
        assert said[0] == GOODS[0].text
        whole = shoot(
            GOODS[1].text, "torn", np.random.default_rng(1), share=0.0, module_px=3.0
        ).picture
        await phone.send(message({"id": 8, "kind": "frame"}, jpeg(whole)))
        told = json.loads(await phone.recv())
        assert [(each["text"], each["state"], each["how"]) for each in told["codes"]] == [
            (GOODS[1].text, "confirmed", "read")
        ]
        await phone.send(message({"id": 9}, b"\xff\xd8 no picture"))
        told = json.loads(await phone.recv())
        assert (told["id"], told["problem"]["code"]) == (9, "bad_frame")
    assert reader.runs


async def test_a_reader_that_is_killed_is_begun_anew_by_the_next_question(
    reader: ReaderProcess,
) -> None:
    picture, _ = torn()
    question = Question(1, "frame")
    first = await reader.ask(question, picture)
    process = reader._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    again = await reader.ask(question, picture)
    assert (again.codes, again.unread) == (first.codes, first.unread)


async def test_a_reader_that_says_nothing_is_ended_and_told(tmp_path: Path) -> None:
    silent = (sys.executable, "-c", "import time; time.sleep(600)")
    reader = ReaderProcess(Goods(), log=tmp_path / "log", command=silent, within_s=0.3)
    with pytest.raises(UnavailableError, match="in time"):
        await reader.ask(Question(1), b"")
    assert not reader.runs
    broken = ReaderProcess(Goods(), log=tmp_path / "log", command=(sys.executable, "-c", "1 / 0"))
    with pytest.raises(UnavailableError, match="ended"):
        await broken.ask(Question(1), b"")


async def test_more_phones_than_the_reader_bears_are_asked_to_wait(tmp_path: Path) -> None:
    silent = (sys.executable, "-c", "import time; time.sleep(600)")
    reader = ReaderProcess(Goods(), log=tmp_path / "log", command=silent, within_s=0.5)
    many = [reader.ask(Question(k), b"") for k in range(6)]
    told = await asyncio.gather(*many, return_exceptions=True)
    busy = [each for each in told if isinstance(each, ReaderBusyError)]
    assert [each.data["retry_ms"] for each in busy] == [500, 500]
    assert all(isinstance(each, UnavailableError) for each in told if each not in busy)


class Echo:
    """In the reader's place: answers at once what it was told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0

    async def ask(self, question: Question, picture: bytes) -> Any:
        from appliance.shelf.reader.words import Answer

        self.asked += 1
        if self.error:
            raise self.error
        return Answer(question.id)


async def refused(hub: Hub, person: str = "mei", *, origin: str = "") -> int:
    with pytest.raises(websockets.InvalidStatus) as error:
        await hub.dial(person, origin=origin)
    return int(error.value.response.status_code)


async def test_only_who_is_signed_in_on_our_own_page_may_ask(site: Site) -> None:
    async with Hub(site, Echo()) as hub:
        assert await refused(hub, "") == 403
        assert await refused(hub, origin="https://elsewhere.example") == 403


async def test_a_session_that_ended_is_told_at_the_next_question(site: Site) -> None:
    echo = Echo()
    async with Hub(site, echo) as hub, hub.dial() as phone:
        await phone.send(message({"id": 1}, b"x"))
        assert json.loads(await phone.recv())["id"] == 1
        site.accounts.disable("mei")
        await phone.send(message({"id": 2}, b"x"))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await phone.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "not_signed_in")
    assert echo.asked == 1


async def test_messages_that_are_none_end_the_line_after_a_few(site: Site) -> None:
    echo = Echo()
    async with Hub(site, echo) as hub, hub.dial() as phone:
        for bad in (b"", b"\0\0\0\xff{}", message({"id": -1}, b"x"), "text", b"\0\0\0\x02{}"):
            await phone.send(bad)
            assert json.loads(await phone.recv())["problem"]["code"] == "bad_input"
        with pytest.raises(websockets.ConnectionClosed):
            await phone.recv()
    assert echo.asked == 0


async def test_a_busy_reader_says_when_to_ask_again(site: Site) -> None:
    echo = Echo(ReaderBusyError("busy", retry_ms=500))
    async with Hub(site, echo) as hub, hub.dial() as phone:
        await phone.send(message({"id": 3}, b"x"))
        told = json.loads(await phone.recv())
        assert (told["id"], told["problem"]["code"]) == (3, "reader_busy")
        assert told["problem"]["retry_ms"] == 500


async def test_one_person_holds_three_lines_at_most(site: Site) -> None:
    async with Hub(site, Echo()) as hub, hub.dial(), hub.dial(), hub.dial():
        async with hub.dial() as fourth:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await fourth.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
        async with hub.dial("mara") as other:
            await other.send(message({"id": 1}, b"x"))
            assert json.loads(await other.recv())["id"] == 1


def test_a_bunch_may_come_at_once_and_then_twelve_a_second() -> None:
    now = [100.0]
    pace = Pace(lambda: now[0])
    waits = [pace.wait_s() for _ in range(6)]
    assert waits[:4] == [0.0] * 4
    assert waits[4:] == pytest.approx([0.08, 0.16])
    now[0] += 10
    assert pace.wait_s() == 0.0


@pytest.mark.parametrize(
    ("header", "size"),
    [({"id": 1, "quad": [1, 2, 3]}, 1), ({"id": 1}, MOST_JPEG + 1), ({"id": 1, "kind": "x"}, 1)],
)
def test_a_question_outside_its_limits_is_refused(header: dict[str, Any], size: int) -> None:
    with pytest.raises(BadInputError):
        parse_question(message(header, b"x" * size))


async def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
    reader: ReaderProcess,
) -> None:
    with pytest.raises(UnusablePictureError, match="3000 x 2000"):
        await reader.ask(Question(1, "frame"), jpeg(np.zeros((2000, 3000), np.uint8)))


def test_the_list_is_taken_from_the_snapshot_when_it_changed() -> None:
    class Told:
        def __init__(self, tag: str, body: bytes | None) -> None:
            self.tag, self.body = tag, body

    class Book:
        def answer(self, roles: Sequence[str], *, has: str = "") -> Told:
            assert roles == ("viewer",)
            product = {"gtin": "04006381333931", "name": "Pen", "places": ["A"]}
            codes = [{"gtin": "04006381333931", "units": 1}]
            body = json.dumps({"version": 3, "products": [{**product, "codes": codes}]}).encode()
            return Told("t1", None if has == "t1" else body)

    source = BookStock(Book())
    assert source.changed() == (ListedCode("04006381333931", "04006381333931", 1, ("A",)),)
    assert source.changed() is None
    source.forget()
    assert source.changed() is not None
