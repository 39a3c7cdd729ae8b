"""Our side of the socket to PaddleOCR, against the program's own loop with a reader of the test's:
what it says is taken, what breaks is told, and nothing of half an answer stays.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from appliance.foreign_reader import SocketPlace
from contracts.errors import UnavailableError
from tests.vision.reading.readings import CHARSET
from vision.adapters.paddle import PaddleLines, box_of
from vision.adapters.paddle_program import answer, receive, receive_json, send_json
from vision.reading.texts import TextSettings

FRAME = np.arange(24 * 32 * 3, dtype=np.uint8).reshape(24, 32, 3)
SAID = [{"text": "LOT A1", "score": 0.98, "quad": [[2, 3], [22, 3], [22, 9], [2, 9]]}]


@contextmanager
def other_side(
    path, serve: Callable[[socket.socket], None], *, connections: int = 1
) -> Iterator[None]:
    """`serve` for each of so many connections, one after the other."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(path))
    server.listen()

    def run() -> None:
        for _ in range(connections):
            connection, _ = server.accept()
            with connection:
                try:
                    serve(connection)
                except EOFError:
                    continue

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(timeout=20)
        server.close()


@pytest.fixture
def place() -> Iterator:
    with SocketPlace() as path:
        yield path


@pytest.fixture
def lines(place) -> Iterator[PaddleLines]:
    made = PaddleLines(place, CHARSET, TextSettings())
    yield made
    made.close()


def test_a_frame_goes_out_whole_and_lines_come_back(place, lines: PaddleLines) -> None:
    seen = []

    def read(pixels, height, width):
        seen.append(np.frombuffer(pixels, np.uint8).reshape(height, width, 3))
        return SAID

    with other_side(place, lambda connection: answer(connection, read)):
        (first,) = lines.lines(FRAME)
        # A part of a larger picture does not lie in one piece of memory.
        (second,) = lines.lines(FRAME[4:20, 8:])
        lines.close()
    assert (first.text, second.text) == ("LOT A1", "LOT A1")
    assert first.box == pytest.approx([12, 6, 20, 6, 0])
    assert np.array_equal(seen[0], FRAME)
    assert np.array_equal(seen[1], FRAME[4:20, 8:])


def test_what_it_could_not_read_is_told_and_the_next_frame_is_read(
    place, lines: PaddleLines
) -> None:
    answers = iter([MemoryError("too large"), SAID])

    def read(*_: object):
        said = next(answers)
        if isinstance(said, Exception):
            raise said
        return said

    with other_side(place, lambda connection: answer(connection, read)):
        with pytest.raises(UnavailableError, match="too large"):
            lines.lines(FRAME)
        assert len(lines.lines(FRAME)) == 1
        lines.close()


def test_where_nobody_listens_it_says_so(lines: PaddleLines) -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        lines.lines(FRAME)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\x00\x00",
        struct.pack(">I", 40) + b'{"lines": [{"text": "LO',
        struct.pack(">I", 5) + b"hello",
        struct.pack(">I", 14) + b'{"lines": "no"',
        struct.pack(">I", 0xFFFFFFFF),
    ],
)
def test_half_an_answer_is_no_answer(place, lines: PaddleLines, reply: bytes) -> None:
    """It ends in the middle, or says what nobody asked for."""

    def serve(connection: socket.socket) -> None:
        receive_json(connection)
        receive(connection, FRAME.nbytes)
        connection.sendall(reply)

    with other_side(place, serve), pytest.raises(UnavailableError, match="does not answer"):
        lines.lines(FRAME)


def test_after_it_was_started_again_the_next_frame_is_read(place, lines: PaddleLines) -> None:
    """The connection that was kept is dead; reading has no effects, so it is simply asked anew."""

    def once(connection: socket.socket) -> None:
        receive_json(connection)
        receive(connection, FRAME.nbytes)
        send_json(connection, b'{"lines": []}')

    with other_side(place, once, connections=2):
        assert lines.lines(FRAME) == ()
        assert lines.lines(FRAME) == ()


def test_an_absurd_frame_ends_the_connection_and_not_the_program(place, lines) -> None:
    def refuse(connection: socket.socket) -> None:
        with pytest.raises(ValueError, match="a frame of"):
            answer(connection, lambda *_: [])

    with other_side(place, refuse), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(place))
        send_json(client, b'{"height": 1000000, "width": 1000000}')
        assert client.recv(1) == b""


def test_a_socket_stands_in_the_data_folder_where_its_name_fits(place) -> None:
    short, long = place.parent / "edge", place.parent / ("deep" * 30)
    with SocketPlace(short) as path:
        assert path.parent == short
        assert short.stat().st_mode & 0o077 == 0
    with SocketPlace(long) as path:
        assert path.parent != long
    assert not path.parent.exists()


def test_a_line_that_stands_upright_runs_downwards() -> None:
    box = box_of(np.array([[10.0, 5], [14, 5], [14, 45], [10, 45]]))
    assert box == pytest.approx([12, 25, 40, 4, np.pi / 2])
