"""PaddleOCR's process dies, its networks are broken: what a station sees. `make test-paddle`."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from appliance.config import ReaderConfig
from appliance.engines import load_engines
from appliance.foreign_reader import SocketPlace, paddle_process
from appliance.services.process import ChildState
from contracts.errors import UnavailableError
from contracts.reading import ReadDecision
from tests.support.paddle import make_set, paddle_python
from tests.vision.reading.test_line_readers import LIST, label
from vision.engine import CPU, PADDLE

# Its imports alone take many seconds on a busy machine.
pytestmark = pytest.mark.timeout(400)
# Large enough that the process is in the middle of it when it is killed.
BIG = np.tile(label(), (6, 6, 1))


async def test_killed_in_the_middle_of_a_frame_it_is_started_again_and_reads_on(
    tmp_path: Path,
) -> None:
    made = make_set(tmp_path / "set")
    reading = ReaderConfig(engine=PADDLE, models=str(made.folder), paddle_python=paddle_python())
    with SocketPlace() as place:
        engines = await asyncio.to_thread(load_engines, 1, reading, socket=place)
        assert engines.notes == ()
        assert (engines.reader.variant, engines.reader.model_set) == (PADDLE, made.digest)
        child = paddle_process(
            reading.paddle_python,
            place,
            engines.paddle_models,
            threads=1,
            log_file=tmp_path / "paddle.log",
        )
        await child.start()
        try:
            reader = engines.reader
            first = await asyncio.to_thread(reader.read, [label()], LIST, name="first")
            assert first.asn_line == 1
            under_way = asyncio.create_task(
                asyncio.to_thread(reader.read, [BIG], LIST, name="second")
            )
            await busy(child.pid)
            os.kill(child.pid, signal.SIGKILL)
            with pytest.raises(UnavailableError, match="does not answer"):
                await under_way
            await child.wait_for(ChildState.WAITING)
            with pytest.raises(UnavailableError, match="does not answer"):
                await asyncio.to_thread(reader.read, [label()], LIST, name="third")
            await child.wait_for(ChildState.READY)
            again = await asyncio.to_thread(reader.read, [label()], LIST, name="fourth")
            assert [each.text for each in again.lines] == [each.text for each in first.lines]
            assert again.decision is ReadDecision.REVIEW
        finally:
            engines.reader.line_reader.close()
            await child.stop()


async def busy(pid: int) -> None:
    """Until the process has used so much more time that it must be reading."""

    def used() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = used()
    async with asyncio.timeout(60):
        while used() < before + 0.2:  # noqa: ASYNC110 -- the kernel tells of time used only when asked
            await asyncio.sleep(0.01)


async def test_networks_that_do_not_hold_are_never_given_to_it(tmp_path: Path) -> None:
    made = make_set(tmp_path / "set")
    weights = made.folder / "rec" / "inference.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    reading = ReaderConfig(engine=PADDLE, models=str(made.folder), paddle_python=paddle_python())
    engines = await asyncio.to_thread(load_engines, 1, reading)
    assert engines.paddle_models is None
    assert engines.reader.variant == CPU
    assert [each.code for each in engines.notes] == ["model_set_refused", "variant_unproven"]


async def test_without_its_networks_it_does_not_start_and_says_why(tmp_path: Path) -> None:
    made = make_set(tmp_path / "set")
    (made.folder / "det" / "inference.yml").unlink()
    with SocketPlace() as place:
        child = paddle_process(
            paddle_python(), place, made.folder, threads=1, log_file=tmp_path / "paddle.log"
        )
        with pytest.raises(UnavailableError, match=r"det/inference\.yml"):
            await child.start()
