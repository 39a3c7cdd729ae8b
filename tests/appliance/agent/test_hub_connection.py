"""The line to the hub: every call ends, whatever the other side does, and takes no more than asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from appliance.agent.hub import DeviceHub, HubProblemError
from appliance.agent.trust import TrustFolder
from appliance.identity.device import DeviceIdentity
from appliance.identity.site_ca import SiteCa
from contracts.clock import SystemClock
from contracts.errors import NotFoundError, UnavailableError
from contracts.ota import BoxReport
from ota.agent.files import RealFiles
from ota.agent.memory_disk import MemoryDisk
from tests.appliance.agent.conftest import DEVICE
from tests.appliance.uplink.hub import Hub, MemoryCore, build, serving
from tests.support.image_plane import Repository

PATH = "/device/v1/ota"


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(400):
        yield b"x" * 65_536
        await asyncio.sleep(0)


async def _drops() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield b"x"
        await asyncio.sleep(0.05)


class Port:
    """A door that behaves as a test wants it to."""

    def __init__(self, folder: Path) -> None:
        self.hub: Hub = build(folder, MemoryCore())
        self.identity = DeviceIdentity.open_or_create(folder / "identity", DEVICE)
        self.hub.enrol(self.identity)
        self.ranges: list[str] = []
        self.asked = threading.Event()
        self.data = bytes(range(256)) * 40
        self.director = ""
        self.root = Repository(SystemClock().now).first_root
        self.hub.app.add_api_route(PATH + "/{path:path}", self.answer, methods=["GET", "POST"])

    async def answer(self, request: Request, path: str) -> Response:
        self.asked.set()
        answer = Response(status_code=403 if path == "report" else 404)
        match path:
            case "endless" | "drip":
                answer = StreamingResponse(_endless() if path == "endless" else _drops())
            case "silent":
                await asyncio.sleep(3)
            case "whole":
                answer = Response(b"0123456789")
            case "artefacts/a":
                answer = self.part(request.headers["range"])
            case "assignment":
                known = request.headers.get("if-none-match") == '"7"'
                answer = Response(b"" if known else b"signed", 304 if known else 200)
                answer.headers["etag"] = '"7"'
            case "root" | "director":
                answer = Response(self.root if path == "root" else self.director)
            case _:
                pass
        return answer

    def part(self, asked: str) -> Response:
        self.ranges.append(asked)
        first, last = (int(each) for each in asked.removeprefix("bytes=").split("-"))
        if first >= len(self.data):
            return Response(status_code=416)
        return Response(self.data[first : last + 1], status_code=206)


@pytest.fixture
def port(tmp_path: Path) -> Port:
    return Port(tmp_path)


@pytest.fixture
def url(port: Port) -> Iterator[str]:
    with serving(port.hub) as found:
        yield found


@pytest.fixture
async def line(port: Port, url: str) -> AsyncIterator[DeviceHub]:
    async with DeviceHub(url, port.identity, SystemClock(), deadline_s=1.0) as hub:
        yield hub


async def test_a_file_comes_in_pieces_and_goes_on_where_it_broke_off(port: Port, line: DeviceHub):
    data = b""
    while piece := await asyncio.to_thread(line.get, "artefacts/a", offset=len(data), most=4000):
        data += piece
    assert data == port.data
    assert port.ranges == [f"bytes={at}-{at + 3999}" for at in (0, 4000, 8000, 10240)]


async def test_a_hub_that_knows_no_ranges_is_understood_all_the_same(line: DeviceHub):
    assert await asyncio.to_thread(line.get, "whole", offset=4, most=3) == b"456"
    assert await asyncio.to_thread(line.get, "whole", offset=10, most=3) == b""


async def test_an_answer_without_an_end_is_read_as_far_as_asked(line: DeviceHub):
    assert await asyncio.to_thread(line.get, "endless", most=1000) == b"x" * 1000


async def test_an_answer_in_drips_ends_at_the_deadline_and_keeps_what_came(line: DeviceHub):
    came = await asyncio.to_thread(line.get, "drip", most=100_000)
    assert 0 < len(came) < 1000


async def test_a_hub_that_says_nothing_is_away(line: DeviceHub):
    with pytest.raises(UnavailableError):
        await asyncio.to_thread(line.get, "silent", most=10)


async def test_what_the_hub_does_not_have_is_not_an_outage(line: DeviceHub):
    with pytest.raises(NotFoundError):
        await asyncio.to_thread(line.get, "artefacts/none", most=10)


async def test_a_hub_that_is_gone_is_away(port: Port, url: str):
    async with DeviceHub("https://127.0.0.1:9", port.identity, SystemClock()) as hub:
        with pytest.raises(UnavailableError):
            await asyncio.to_thread(hub.poll, "")


async def test_polls_carry_the_last_tag(line: DeviceHub):
    first = await asyncio.to_thread(line.poll, "")
    assert first.envelope == b"signed"
    assert (await asyncio.to_thread(line.poll, first.etag)).envelope is None


async def test_a_box_that_is_not_let_in_hears_so(line: DeviceHub):
    with pytest.raises(HubProblemError):
        await asyncio.to_thread(line.report, BoxReport(DEVICE, 1, "1"))


async def test_a_call_that_goes_on_ends_when_the_agent_does(port: Port, url: str):
    async with DeviceHub(url, port.identity, SystemClock(), deadline_s=60) as hub:
        call = asyncio.create_task(asyncio.to_thread(hub.get, "drip", most=100_000))
        await asyncio.to_thread(port.asked.wait, 30)
        hub.stop()
        with pytest.raises(UnavailableError):
            await call
        with pytest.raises(UnavailableError):
            await asyncio.to_thread(hub.get, "whole", most=1)


async def test_a_director_counts_only_by_the_sites_authority(port: Port, url: str, tmp_path: Path):
    """Somebody who answers in the hub's name, with a key that another authority certified."""
    other = SiteCa.open_or_create(tmp_path / "other", clock=SystemClock())
    _, foreign = other.service_signer("director")
    _, head = port.hub.ca.service_signer("head")
    _, own = port.hub.ca.service_signer("director")
    files = MemoryDisk()
    trust = TrustFolder(files, port.identity.ca_pem or "")
    async with DeviceHub(url, port.identity, SystemClock()) as hub:
        for wrong in (foreign, head, "no certificate"):
            port.director = wrong
            await trust.fetch(hub)
            assert trust.read().director_keys == {}
        port.director = own
        assert await trust.fetch(hub)
        assert len(trust.read().directors()) == 1
        assert trust.read().root == port.root
        assert not await trust.fetch(hub)


def test_the_first_root_is_kept_whatever_the_hub_says_later(tmp_path: Path):
    files = RealFiles(tmp_path)
    files.make_folder("trust")
    root = Repository(SystemClock().now).first_root
    files.append("trust/1.root.json", root)
    ca = SiteCa.open_or_create(tmp_path / "ca", clock=SystemClock())
    assert TrustFolder(files, ca.device_ca_pem).read().root == root


@pytest.mark.parametrize("kept", [10_000, 1, 0], ids=["half", "a byte", "nothing"])
async def test_a_root_that_breaks_off_on_the_way_is_asked_for_again(
    port: Port, line: DeviceHub, kept: int
):
    """It is taken once and then kept: half of one would keep the box from every set for ever."""
    whole = port.root
    _, port.director = port.hub.ca.service_signer("director")
    trust = TrustFolder(MemoryDisk(), port.identity.ca_pem or "")
    port.root = whole[: min(kept, len(whole) // 2)]
    assert await trust.fetch(line), "the director's key counts all the same"
    assert trust.read().root == b""
    assert len(trust.read().director_keys) == 1
    port.root = whole
    assert await trust.fetch(line)
    assert trust.read().root == whole
