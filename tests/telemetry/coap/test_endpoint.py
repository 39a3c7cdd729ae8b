"""A sensor posts over real datagrams: acknowledged when on disk, once, whatever it repeats."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator

import cbor2
import pytest

from telemetry.coap.endpoint import CoapEndpoint
from telemetry.coap.exchanges import Exchanges
from telemetry.coap.message import Code, Kind, Message, Option, decode, encode, uint
from tests.telemetry.disk import Disk


class Sensor:
    """A socket of its own; `ask` sends and waits for what comes back."""

    def __init__(self, endpoint: CoapEndpoint) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(endpoint.address)

    def send(self, raw: bytes) -> None:
        self._socket.send(raw)

    async def hear(self) -> Message:
        async with asyncio.timeout(5):
            return decode(await asyncio.get_running_loop().sock_recv(self._socket, 4096))

    async def ask(self, message: Message) -> Message:
        self.send(encode(message))
        return await self.hear()

    def silent(self) -> bool:
        try:
            self._socket.recv(4096)
        except BlockingIOError:
            return True
        return False

    def close(self) -> None:
        self._socket.close()


async def settled() -> None:
    """What was sent over loopback is in the socket at once; a turn or two of the loop reads it."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
async def endpoint(disk: Disk):
    endpoint = CoapEndpoint(disk, most_payload=2048)
    endpoint.open("127.0.0.1", 0)
    yield endpoint
    endpoint.close()


@pytest.fixture
def sensor(endpoint: CoapEndpoint) -> Iterator[Sensor]:
    sensor = Sensor(endpoint)
    yield sensor
    sensor.close()


def post(
    message_id: int,
    payload: bytes = b'{"t":4.5}',
    *more: tuple[int, bytes],
    path: str = "coldroom/1",
    kind: Kind = Kind.CON,
    code: int = Code.POST,
) -> Message:
    parts = tuple((Option.URI_PATH, part.encode()) for part in path.split("/") if part)
    options = tuple(sorted((*parts, *more), key=lambda each: each[0]))
    return Message(kind, code, message_id, message_id.to_bytes(2, "big"), options, payload)


async def test_a_reading_is_taken_and_acknowledged_with_its_token(
    disk: Disk, sensor: Sensor
) -> None:
    for number in (1, 2, 3):
        answer = await sensor.ask(post(number))
        assert (answer.kind, answer.code) == (Kind.ACK, Code.CHANGED)
        assert (answer.message_id, answer.token) == (number, number.to_bytes(2, "big"))
    assert disk.taken == [("coap/coldroom/1", b'{"t":4.5}')] * 3


async def test_no_acknowledgement_before_the_disk_has_it(
    disk: Disk, endpoint: CoapEndpoint, sensor: Sensor
) -> None:
    disk.at_once = False
    sensor.send(encode(post(1)))
    sensor.send(encode(post(1)))
    # The ping is answered behind both, so they have been read by then.
    assert (await sensor.ask(Message(Kind.CON, Code.EMPTY, 99))).kind is Kind.RST
    assert len(disk.taken) == 1
    assert sensor.silent()
    disk.waiting.pop()()
    assert (await sensor.hear()).code == Code.CHANGED
    assert (await sensor.ask(post(1))).code == Code.CHANGED
    assert len(disk.taken) == 1
    assert endpoint.counts["repeated"] == 2


async def test_the_same_number_of_another_sensor_is_another_message(
    disk: Disk, endpoint: CoapEndpoint, sensor: Sensor
) -> None:
    other = Sensor(endpoint)
    assert (await sensor.ask(post(1))).code == (await other.ask(post(1))).code == Code.CHANGED
    other.close()
    assert len(disk.taken) == 2


async def test_a_sensor_that_asks_for_no_acknowledgement_gets_an_answer_of_its_own(
    disk: Disk, sensor: Sensor
) -> None:
    answers = [await sensor.ask(post(number, kind=Kind.NON)) for number in (1, 2)]
    assert [each.kind for each in answers] == [Kind.NON, Kind.NON]
    assert answers[0].message_id != answers[1].message_id
    assert [each.token for each in answers] == [b"\0\1", b"\0\2"]


async def test_senml_in_cbor_goes_on_as_its_bytes(disk: Disk, sensor: Sensor) -> None:
    pack = cbor2.dumps([{-2: "probe/", 0: "temperature", 1: "Cel", 2: -18.5}])
    assert (await sensor.ask(post(1, pack, (Option.CONTENT_FORMAT, b"\x70")))).code == Code.CHANGED
    assert disk.taken == [("coap/coldroom/1", pack)]


async def test_a_payload_in_blocks_arrives_whole_and_repeated_blocks_do_no_harm(
    disk: Disk, sensor: Sensor
) -> None:
    payload = bytes(range(256)) * 3
    blocks = [payload[at : at + 256] for at in range(0, 768, 256)]
    for number, part in enumerate(blocks):
        more = number < 2
        option = (Option.BLOCK1, uint(number << 4 | more << 3 | 4))
        for _ in range(2):
            answer = await sensor.ask(post(number, part, option))
            assert answer.code == (Code.CONTINUE if more else Code.CHANGED)
            assert answer.option(Option.BLOCK1) == option[1]
    assert disk.taken == [("coap/coldroom/1", payload)]


async def test_a_payload_of_256_megabytes_is_refused_with_the_size_that_goes(
    disk: Disk, sensor: Sensor
) -> None:
    for number in range(2):
        await sensor.ask(post(number, bytes(1024), (Option.BLOCK1, uint(number << 4 | 8 | 6))))
    answer = await sensor.ask(post(2, bytes(1024), (Option.BLOCK1, uint(2 << 4 | 8 | 6))))
    assert answer.code == Code.TOO_LARGE
    assert answer.number(Option.SIZE1) == 2048
    assert disk.taken == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (post(1, b""), Code.BAD_REQUEST),
        (post(1, path=""), Code.NOT_FOUND),
        (post(1, path="a+b"), Code.BAD_REQUEST),
        (post(1, code=Code.GET), Code.NOT_FOUND),
        (post(1, code=Code.DELETE), Code.NOT_ALLOWED),
        (post(1, b"x", (Option.CONTENT_FORMAT, uint(41))), Code.UNSUPPORTED_FORMAT),
        (post(1, b"x", (Option.PROXY_URI, b"coap://elsewhere")), Code.NO_PROXY),
        (post(1, b"x", (9, b"")), Code.BAD_OPTION),
        (post(1, b"x", (Option.BLOCK1, b"\7")), Code.BAD_REQUEST),
        (post(1, b"x", (Option.URI_PATH, b"\xff")), Code.BAD_REQUEST),
    ],
)
async def test_what_is_not_taken_is_refused_in_words_and_counted(
    disk: Disk, endpoint: CoapEndpoint, sensor: Sensor, message: Message, code: Code
) -> None:
    answer = await sensor.ask(message)
    assert answer.code == code
    assert answer.payload.decode()
    assert sum(n for name, n in endpoint.counts.items() if name.startswith("refused.")) == 1
    assert disk.taken == []
    # Nothing of it is remembered: mended and sent again under its number, it is taken.
    assert (await sensor.ask(post(1))).code == Code.CHANGED


async def test_garbage_is_counted_and_a_reset_answers_what_wanted_an_answer(
    endpoint: CoapEndpoint, sensor: Sensor
) -> None:
    for raw in (b"", b"\x80abc", b"\x50\x02\x00\x01\xff", b"\x60\x00\x00\x07", b"\x70\x00\x00\x07"):
        sensor.send(raw)
    sensor.send(b"\x40\x02\x00\x05\xff")
    answer = await sensor.hear()
    assert (answer.kind, answer.message_id) == (Kind.RST, 5)
    assert endpoint.counts["refused.short"] == 1
    assert endpoint.counts["refused.marker_without_payload"] == 2


async def test_what_can_be_posted_is_listed(sensor: Sensor) -> None:
    ask = post(1, b"", path=".well-known/core", code=Code.GET)
    answer = await sensor.ask(ask)
    assert answer.code == Code.CONTENT
    assert b'ct="0 42 50 60 110 112"' in answer.payload


async def test_a_sensor_may_say_that_it_wants_no_answer(disk: Disk, sensor: Sensor) -> None:
    sensor.send(encode(post(1, b"x", (Option.NO_RESPONSE, b"\x02"), kind=Kind.NON)))
    answer = await sensor.ask(post(2, b"x", (Option.NO_RESPONSE, b"\x02")))
    assert (answer.kind, answer.code, answer.message_id) == (Kind.ACK, Code.EMPTY, 2)
    assert len(disk.taken) == 2


async def test_a_full_path_reads_no_datagrams_until_there_is_room(
    disk: Disk, endpoint: CoapEndpoint, sensor: Sensor
) -> None:
    disk.full = True
    sensor.send(encode(post(1)))
    await disk.asked_for_room.wait()
    assert disk.taken == []
    disk.full = False
    disk.room.pop()()
    assert (await sensor.hear()).code == Code.CHANGED


async def test_without_room_for_another_sender_it_is_told_when_to_try_again(disk: Disk) -> None:
    endpoint = CoapEndpoint(disk, exchanges=Exchanges(most_bytes=0))
    endpoint.open("127.0.0.1", 0)
    sensor = Sensor(endpoint)
    answer = await sensor.ask(post(1))
    assert (answer.code, answer.number(Option.MAX_AGE)) == (Code.UNAVAILABLE, 5)
    sensor.close()
    endpoint.close()


async def test_networks_that_are_not_the_sensors_own_are_not_heard(disk: Disk) -> None:
    endpoint = CoapEndpoint(disk, networks=[ipaddress.ip_network("10.20.0.0/16")])
    endpoint.open("127.0.0.1", 0)
    sensor = Sensor(endpoint)
    sensor.send(encode(post(1)))
    await settled()
    assert endpoint.counts["refused.network"] == 1
    assert sensor.silent()
    sensor.close()
    endpoint.close()
