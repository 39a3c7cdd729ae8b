"""Golden frames in a process of their own: whatever a set does there, it is a reason and no accident."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from appliance.agent.golden import judge_drawn, read_drawn
from appliance.agent.prover import ChildProver
from appliance.config import ReaderConfig
from appliance.engines import EngineRoom
from contracts.errors import UnavailableError
from contracts.reason import Reason

SET = "sha256:" + "0" * 64


def prover(program: str, *, deadline_s: float = 30.0) -> ChildProver:
    return ChildProver([sys.executable, "-c", program], deadline_s=deadline_s)


def test_a_set_that_proves_itself_has_no_reason_against_it():
    assert prover("print('null')").prove("read", SET, "") is None


def test_a_reason_is_handed_on_as_it_is():
    said = prover("""print('{"code": "ota_golden_unread", "params": {"right": 1}}')""")
    assert said.prove("read", SET, "") == Reason("ota_golden_unread", {"right": 1})


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("import os; os.abort()", -6),
        ("raise SystemExit('the network has no output')", 1),
        ("print('maybe')", 0),
        ("pass", 0),
    ],
)
def test_a_set_that_crashes_or_talks_nonsense_is_refused(program: str, code: int):
    reason = prover(program).prove("read", SET, "")
    assert reason is not None
    assert (reason.code, reason.params["exit"]) == ("ota_golden_crashed", code)


def test_a_set_that_hangs_is_refused_at_the_deadline():
    hangs = prover("import time; time.sleep(600)", deadline_s=0.5)
    reason = hangs.prove("read", SET, "")
    assert reason is not None
    assert reason.code == "ota_golden_hung"


def test_a_proof_that_the_agents_end_broke_off_says_nothing_against_the_set():
    slow = prover("import time; time.sleep(600)")
    threading.Timer(0.5, slow.stop).start()
    with pytest.raises(UnavailableError):
        slow.prove("read", SET, "")


def test_the_installations_own_sets_pass_the_drawn_frames():
    engines = EngineRoom(1, ReaderConfig()).open({})
    assert read_drawn(engines.reader) is None
    assert judge_drawn(engines.inspector) is None


def test_a_proof_waits_for_the_station_and_dies_before_it_of_want_of_memory():
    program = (
        "import os; from appliance.agent.prover import go_last; go_last(); "
        "print(os.nice(0), open('/proc/self/oom_score_adj').read().strip())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    nice, score = map(int, done.stdout.split())
    assert nice >= min(os.nice(0) + 10, 19)
    assert score == 1000
