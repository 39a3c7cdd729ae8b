"""The process that learns cracks: what it says is heard, what it breaks is its own, it ends with us."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec
import pytest

from appliance.enrolling import child
from appliance.enrolling.ports import LearningFailedError, Shot
from appliance.enrolling.process import LearningProcess, Order, Word
from appliance.inspectors import open_inspector
from appliance.model_sets import BACKBONE, CRACKS, carried
from tests.support.enrolling import cup, jpeg
from vision.defects.profile import Profile
from vision.engine import CPU

SPEAKS = """
import json, shutil, sys
order = json.load(open(sys.argv[1]))
print("a library's own chatter")
for share in (0.25, 0.75):
    print(json.dumps({"share": share}), flush=True)
assert len(order["shots"]) == 2 and order["seconds"] == 5.0
shutil.copy(order["base"], order["out"])
"""
GIVES_UP = """
import json, sys
print(json.dumps({"trouble": {"code": "enrol_failed", "params": {"why": "no network"}}}))
sys.exit(1)
"""
BREAKS = "raise SystemExit('out of memory')"
WRITES_HALF = """
import json, sys
order = json.load(open(sys.argv[1]))
open(order["out"], "wb").write(open(order["base"], "rb").read()[:5000])
"""
NEVER_ENDS = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(os.environ["PID_FILE"], "w").write(str(os.getpid()))
print('{"share": 0.1}', flush=True)
signal.pause()
"""


@pytest.fixture(scope="module")
def shots(tmp_path_factory) -> list[Shot]:
    folder = tmp_path_factory.mktemp("shots")
    made = []
    for seed in range(2):
        path = folder / f"{seed}.jpg"
        path.write_bytes(jpeg(cup(seed)))
        made.append(Shot(str(path), str(seed + 1)))
    return made


@pytest.fixture
def base(inspector) -> Profile:
    return inspector.enrol([cup(seed) for seed in range(2)], product="Cup", items=["1", "2"])


@pytest.fixture
def process(tmp_path: Path):
    def make(program: str) -> LearningProcess:
        file = tmp_path / "program.py"
        file.write_text(program)
        return LearningProcess(
            tmp_path / "work", seconds=5.0, command=(sys.executable, "-S", str(file))
        )

    return make


async def test_what_it_says_is_heard_and_what_it_made_is_taken(
    process, base, shots, tmp_path
) -> None:
    heard: list[float] = []
    made = await process(SPEAKS).learn(base, shots, progress=heard.append)
    assert heard == [0.25, 0.75]
    assert made.digest == base.digest
    assert list((tmp_path / "work").iterdir()) == [], "nothing is left behind"


@pytest.mark.parametrize(
    ("program", "why"),
    [(GIVES_UP, "no network"), (BREAKS, "out of memory"), (WRITES_HALF, "is not a profile")],
    ids=["gives up", "breaks", "writes half"],
)
async def test_what_breaks_is_told(process, base, shots, program, why) -> None:
    with pytest.raises(LearningFailedError) as failed:
        await process(program).learn(base, shots, progress=lambda _share: None)
    assert failed.value.reason.code == "enrol_failed"
    assert why in str(failed.value.reason.params["why"])


async def test_one_that_is_stopped_is_gone(process, base, shots, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PID_FILE", str(tmp_path / "pid"))
    monkeypatch.setattr("appliance.enrolling.process._STOP_WITHIN_S", 0.5)
    begun = asyncio.Event()
    task = asyncio.create_task(
        process(NEVER_ENDS).learn(base, shots, progress=lambda _share: begun.set())
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.timeout(400)
def test_the_real_one_learns_cracks(tmp_path, shots) -> None:
    real = open_inspector(carried(BACKBONE), carried(CRACKS), variant=CPU, threads=1)
    base = real.enrol([cup(seed) for seed in range(2)], product="Cup", items=["1", "2"])
    given, out, order = (tmp_path / name for name in ("base", "out", "order"))
    base.save(given)
    order.write_bytes(msgspec.json.encode(Order(str(given), str(out), tuple(shots), 0.5)))
    said: list[Word] = []
    assert child.main(str(order), say=said.append, stop=lambda: False) == 0
    made = Profile.load(out)
    assert (made.facts.parent, made.facts.cracks.trained_on) == (base.digest, "good")
    shares = [word.share for word in said]
    assert shares == sorted(shares)
    real.accept(made)


def test_the_real_one_says_what_it_cannot_do(tmp_path, base, shots) -> None:
    given, order = tmp_path / "base", tmp_path / "order"
    base.save(given)
    one = Order(str(given), str(tmp_path / "out"), tuple(shots[:1]), 0.5)
    order.write_bytes(msgspec.json.encode(one))
    said: list[Word] = []
    assert child.main(str(order), say=said.append, stop=lambda: False) == 1
    assert said[-1].trouble.code == "enrol_failed"
