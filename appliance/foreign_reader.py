"""PaddleOCR's process: started, waited for until it reads, restarted when it dies.

It runs on an interpreter of its own (requirements/paddle.lock), hears one Unix socket in a folder
that only we may enter, and dies with us (services/process.py). The appliance never imports it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from appliance.services.process import ChildProcess, ChildSpec
from contracts.errors import ArtefactRefusedError, BadInputError, UnavailableError
from vision.adapters.paddle import PROGRAM, PaddleLines
from vision.reading.ctc import Charset
from vision.reading.texts import TextSettings

_SOCKET = "reader.sock"
# From <linux/un.h>: 108 with the zero behind it; other systems have a few less.
_LONGEST_NAME = 100
_MEND = "sh scripts/extra.sh paddle makes one and prints its path"
# Its imports alone take seconds, more on a small box.
_READY_WITHIN_S = 180.0


class SocketPlace:
    """A folder for one socket, closed to others: the wanted one, or a fresh one where the socket's
    name would be longer than the kernel takes.
    """

    def __init__(self, wanted: Path | None = None) -> None:
        fits = wanted is not None and len(os.fsencode(wanted / _SOCKET)) <= _LONGEST_NAME
        self._fresh = None if fits else Path(tempfile.mkdtemp(prefix="tallyman-"))
        self.folder = self._fresh or wanted or Path()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def __enter__(self) -> Path:
        return self.folder / _SOCKET

    def __exit__(self, *_: object) -> None:
        if self._fresh is not None:
            shutil.rmtree(self._fresh, ignore_errors=True)


def check_python(python: str) -> None:
    """Raises BadInputError where none is named, UnavailableError where it cannot be run."""
    if not python:
        raise BadInputError(
            "reader.engine is PaddleOCR and reader.paddle_python is empty",
            mend=f"Name the Python of an environment with requirements/paddle.lock ({_MEND})",
        )
    if not os.access(python, os.X_OK) or Path(python).is_dir():
        raise UnavailableError(f"reader.paddle_python: {python} cannot be run", mend=_MEND)


def paddle_lines(path: Path, folder: Path) -> Callable[[Charset], PaddleLines]:
    """The line reader over the socket `path` for the set in `folder`, by charset."""

    def made(charset: Charset) -> PaddleLines:
        numbers = json.loads((folder / "reader.json").read_text(encoding="utf-8"))
        for part in ("det", "rec"):
            for name in ("inference.onnx", "inference.yml"):
                if not (folder / part / name).is_file():
                    raise ArtefactRefusedError(
                        f"{folder} has no {part}/{name}", mend="Make the set again"
                    )
        return PaddleLines(path, charset, TextSettings(**numbers["texts"]))

    return made


def paddle_process(
    python: str, path: Path, models: Path, *, threads: int, log_file: Path
) -> ChildProcess:
    """The process on the networks in `models`, hearing `path`. It is ready when it reads."""

    async def ready() -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            probe.connect(str(path))
        return True

    return ChildProcess(
        ChildSpec(
            name="paddleocr",
            command=(python, "-I", str(PROGRAM), str(path), str(models.absolute()), str(threads)),
            log_file=log_file,
            ready=ready,
            env={"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"},
            cwd=path.parent,
            ready_within_s=_READY_WITHIN_S,
        )
    )
