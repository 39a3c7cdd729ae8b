"""A running PaddleOCR: its set from the recipe, its process under supervision."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from appliance.config import load_config
from appliance.engines import open_reader
from appliance.foreign_reader import SocketPlace, check_python, paddle_process
from appliance.services.process import ChildProcess
from ota.model_set import ModelSet, open_model_set
from vision.engine import PADDLE
from vision.reading.reader import LabelReader

ROOT = Path(__file__).resolve().parents[2]


def make_set(out: Path) -> ModelSet:
    """What the recipe makes."""
    done = subprocess.run(
        [sys.executable, "models/recipes/paddle_reader/make.py", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(done.stderr)
    return open_model_set(out)


def paddle_python() -> str:
    python = load_config().reader.paddle_python
    check_python(python)
    return python


@contextmanager
def running_paddle(folder: Path) -> Iterator[tuple[ChildProcess, LabelReader]]:
    """The process, and a reader whose lines come from it. The event loop that started the process
    is held still meanwhile, so a process that dies stays dead.
    """
    made = make_set(folder / "set")
    with SocketPlace() as socket, asyncio.Runner() as loop:
        child = paddle_process(
            paddle_python(), socket, made.folder, threads=1, log_file=folder / "paddle.log"
        )
        loop.run(child.start())
        try:
            reader = open_reader(made, PADDLE, threads=1, socket=socket)
            with closing(reader.line_reader):
                yield child, reader
        finally:
            loop.run(child.stop())
