"""PaddleOCR as another line reader: our side of the socket (paddle_program.py is the other).

It never comes into this process. Whoever starts and restarts its process is the appliance
(appliance/foreign_reader.py); while it is away, reading says so, and the carton goes to review.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import UnavailableError
from vision.adapters.paddle_program import receive_json, send_json
from vision.engine import PADDLE
from vision.reading.ctc import Charset, characters
from vision.reading.recogniser import ReadLine
from vision.reading.texts import TextSettings, glyphs_of

PROGRAM = Path(__file__).with_name("paddle_program.py")
_PATIENCE_S = 20.0
_UPRIGHT = 1.5


class _Line(msgspec.Struct):
    text: str
    score: float
    quad: tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


class _Answer(msgspec.Struct):
    lines: list[_Line] = []
    error: str = ""


class PaddleLines:
    """Implements vision.reading.ports.LineReader. Frames of several threads are read one after
    the other, over one connection that is made when it is first wanted and made again when it broke.
    """

    variant = PADDLE

    def __init__(self, path: Path, charset: Charset, settings: TextSettings) -> None:
        """`path` is the socket of the other side."""
        self._path = path
        self._charset = charset
        self._settings = settings
        self._turn = threading.Lock()
        self._connection: socket.socket | None = None

    def lines(self, frame: NDArray[np.uint8]) -> tuple[ReadLine, ...]:
        """As the port has it. A line that stands upright is taken to run downwards."""
        with self._turn:
            answer = self._ask(np.ascontiguousarray(frame))
        if answer.error:
            raise UnavailableError(
                f"PaddleOCR could not read this frame: {answer.error}",
                mend="Its output is in the log of its process",
            )
        return tuple(self._line(each) for each in answer.lines)

    def again(
        self,
        frame: NDArray[np.uint8],  # noqa: ARG002 -- the port's
        lines: Sequence[ReadLine],  # noqa: ARG002 -- the port's
    ) -> tuple[ReadLine, ...]:
        """It has one opinion only."""
        return ()

    def close(self) -> None:
        with self._turn:
            self._hang_up()

    def _ask(self, frame: NDArray[np.uint8]) -> _Answer:
        """Reading has no effects, so a connection that broke while it lay idle is made anew; one
        that breaks at the first frame is an error.
        """
        kept = self._connection is not None
        try:
            return self._exchange(frame)
        except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
            self._hang_up()
            if kept and not isinstance(error, TimeoutError):
                return self._ask(frame)
            raise UnavailableError(
                f"PaddleOCR does not answer ({str(error) or type(error).__name__})",
                mend="It is started again by itself; its output is in the log of its process",
            ) from error

    def _exchange(self, frame: NDArray[np.uint8]) -> _Answer:
        if self._connection is None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._connection = connection
            connection.settimeout(_PATIENCE_S)
            connection.connect(str(self._path))
        connection = self._connection
        header = {"height": frame.shape[0], "width": frame.shape[1]}
        send_json(connection, msgspec.json.encode(header))
        connection.sendall(frame.data.cast("B"))
        return msgspec.json.decode(receive_json(connection), type=_Answer)

    def _hang_up(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None

    def _line(self, line: _Line) -> ReadLine:
        box = box_of(np.array(line.quad))
        glyphs = glyphs_of(line.text, line.score, self._charset, self._settings)
        text, sure = characters(glyphs, self._charset)
        confidence = float(sure.mean()) if len(sure) else 0.0
        return ReadLine(box, glyphs, text, confidence, tuple(map(float, sure)))


def box_of(quad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners (4, 2), clockwise from the top left, as a box (5,) of vision.reading.detector."""
    across, down = quad[1] - quad[0] + quad[2] - quad[3], quad[3] - quad[0] + quad[2] - quad[1]
    length, height = float(np.hypot(*across)) / 2, float(np.hypot(*down)) / 2
    angle = float(np.arctan2(across[1], across[0]))
    # As PaddleOCR itself turns what it cuts out before it reads it.
    if height >= _UPRIGHT * length:
        length, height, angle = height, length, angle + np.pi / 2
    return np.array([*quad.mean(axis=0), length, height, angle])
