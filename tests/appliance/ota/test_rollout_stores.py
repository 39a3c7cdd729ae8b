"""Where rollouts are kept: in memory and in SQLite, by one suite; and what a killed hub leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.ota.desk.db import RolloutsDb
from contracts.errors import BadInputError, ConflictError
from contracts.ota import BoxReport, BoxStep
from contracts.reason import Reason
from ota.rollout import events as e
from ota.rollout.boxes import Box
from ota.rollout.codec import decode, encode
from ota.rollout.memory import MemoryRollouts
from ota.rollout.plan import Plan, Wave, Window
from ota.rollout.ports import Deed, Issued, Ran, RolloutStore
from ota.rollout.state import Phase, fold

OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "a" * 64
PLAN = Plan("read", NEW, windows=(Window(60, 120, (0, 4)),), waves=(Wave(5), Wave(100)))
ALL_EVENTS: list[e.Event] = [
    e.Drafted(PLAN),
    e.Approved("seen"),
    e.Started((e.Member("b1", "dock-1", 0, OLD), e.Member("b2", "dock-1", e.STANDS_BY)), 7),
    e.Joined(e.Member("b3", "dock-2", 1, OLD)),
    e.StagingBegan(0),
    e.GateOpened(0, e.Role.SHADOW, ("b1",)),
    e.GatePassed(0, e.Role.SHADOW, {"harm": 23.5}, 90),
    e.GateOpened(0, e.Role.WATCH, ("b1",)),
    e.CellRuns(0, "dock-1"),
    e.BoxFailed("b2", Reason("ota_golden_differs", {"alike": 3}), returned=True),
    e.Retried(("b2",)),
    e.Skipped(("b2",), "broken"),
    e.Paused("lunch"),
    e.Resumed(),
    e.AllRunning(0),
    e.WaveDone(0),
    e.Finished(),
    e.RolledBack("dents"),
    e.GenerationsOpened(4),
    e.Aborted(Reason("ota_stopped_by", {"by": "ops", "why": "x"}), emergency=True),
    e.Returned(),
    e.Cancelled("no"),
]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RolloutStore]:
    if request.param == "memory":
        yield MemoryRollouts()
        return
    db = RolloutsDb(tmp_path / "rollouts.db")
    yield db
    db.close()


def test_every_event_comes_back_as_it_was(store: RolloutStore) -> None:
    made = store.append("r", after=0, events=ALL_EVENTS, who="ops", at_us=5)
    assert {type(each.event) for each in made} == set(e.KIND_OF)
    assert store.history("r") == made
    assert [each.number for each in made] == list(range(1, len(ALL_EVENTS) + 1))
    assert fold(made).phase is Phase.CANCELLED


def test_what_a_later_version_wrote_is_refused_with_its_kind() -> None:
    kind, body = encode(e.Paused("x"))
    assert decode(kind, body) == e.Paused("x")
    with pytest.raises(BadInputError, match="teleported"):
        decode("teleported", b"{}")


def test_of_two_who_go_on_from_one_state_one_does(store: RolloutStore) -> None:
    store.append("r", after=0, events=[e.Drafted(PLAN)], who="a", at_us=1)
    store.append("r", after=1, events=[e.Approved()], who="a", at_us=2)
    with pytest.raises(ConflictError, match="went on"):
        store.append("r", after=1, events=[e.Cancelled()], who="b", at_us=2)
    assert store.heads() == {"r": 2}


def test_many_who_go_on_at_once_leave_one_unbroken_history(store: RolloutStore) -> None:
    store.append("r", after=0, events=[e.Drafted(PLAN)], who="a", at_us=1)
    won: list[int] = []

    def press() -> None:
        for _ in range(20):
            after = store.heads()["r"]
            try:
                store.append("r", after=after, events=[e.Paused()], who="x", at_us=2)
            except ConflictError:
                continue
            won.append(after)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(won)) == len(won)
    assert [each.number for each in store.history("r")] == list(range(1, len(won) + 2))


def test_rollouts_are_listed_as_they_were_drafted(store: RolloutStore) -> None:
    for name in ("b", "a", "c"):
        store.append(name, after=0, events=[e.Drafted(PLAN)], who="x", at_us=1)
    store.append("a", after=1, events=[e.Approved()], who="x", at_us=1)
    assert list(store.heads()) == ["b", "a", "c"]
    assert store.history("unknown") == []


def test_what_happened_cannot_be_changed(tmp_path: Path) -> None:
    db = RolloutsDb(tmp_path / "r.db")
    db.append("r", after=0, events=[e.Drafted(PLAN)], who="x", at_us=1)
    db.close()
    with sqlite3.connect(tmp_path / "r.db") as raw:
        for statement in ("UPDATE event SET who = 'y'", "DELETE FROM event"):
            with pytest.raises(sqlite3.IntegrityError, match="what happened"):
                raw.execute(statement)
    raw.close()


def report(at_us: int, running: str, **facts: object) -> BoxReport:
    return BoxReport("b1", at_us, "1", running={"read": running}, variant={"read": "cpu"}, **facts)


def test_what_ran_when_follows_from_reports(store: RolloutStore) -> None:
    for said in (report(10, OLD), report(20, OLD), report(30, NEW), report(40, NEW)):
        store.keep_report(said)
    assert store.ran("b1") == [
        Ran("b1", "read", OLD, "cpu", 10, 30),
        Ran("b1", "read", NEW, "cpu", 30),
    ]
    assert store.ran("b2") == []
    assert store.ran() == store.ran("b1")


def test_a_box_that_says_nothing_of_a_lane_ends_nothing(store: RolloutStore) -> None:
    store.keep_report(report(10, OLD))
    store.keep_report(replace(report(20, OLD), running={}))
    store.keep_report(report(30, OLD))
    assert store.ran("b1") == [Ran("b1", "read", OLD, "cpu", 10)]


def test_a_report_from_before_changes_no_history(store: RolloutStore) -> None:
    store.keep_report(report(10, OLD))
    store.keep_report(report(30, NEW))
    store.keep_report(report(20, OLD))
    assert store.ran("b1")[-1] == Ran("b1", "read", NEW, "cpu", 30)


def test_reports_boxes_and_facts_come_back(store: RolloutStore) -> None:
    said = report(10, OLD, step=BoxStep.FAILED, trouble={NEW: Reason("x", {"n": 1})}, staged=(NEW,))
    store.keep_report(said)
    assert store.reports() == {"b1": said}
    box = Box("b1", "dock-1", "north", {"hardware": "n100"})
    store.set_box(box)
    assert store.boxes() == {"b1": box}
    assert store.fact("stop") == ""
    store.set_fact("stop", "ops: smoke")
    assert store.fact("stop") == "ops: smoke"
    done = [Deed(1, "ops", "stopped", why="smoke"), Deed(2, "ops", "placed", "b1", "dock-1")]
    for deed in done:
        store.note(deed)
    assert store.deeds() == done


def test_a_number_is_given_out_once(store: RolloutStore) -> None:
    first = Issued("b1", 1, 1, "w", b"{}", 9)
    store.issue([first, Issued("b2", 1, 1, "w", b"{}", 9)])
    store.issue([replace(first, sequence=2)])
    store.issue([replace(first, epoch=2, sequence=1)])
    for stale in (
        first,
        replace(first, epoch=2, sequence=1),
        replace(first, epoch=1, sequence=9),
    ):
        with pytest.raises(ConflictError, match="given out"):
            store.issue([Issued("b3", 1, 1, "w", b"", 9), stale])
    assert set(store.issued()) == {"b1", "b2"}, "of a refused lot nothing is kept"
    assert store.issued()["b1"].epoch == 2


_WRITER = """
import sys
from pathlib import Path
from appliance.ota.desk.db import RolloutsDb
from ota.rollout.ports import Issued
store = RolloutsDb(Path(sys.argv[1]))
for number in range(1, 100_000):
    store.issue([Issued("b1", 1, number, "w", b"x" * 900, 9)])
    print(number, flush=True)
"""


def test_a_number_that_was_given_out_survives_a_killed_hub(tmp_path: Path) -> None:
    path = tmp_path / "rollouts.db"
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = 0
        for line in writer.stdout:
            told = int(line)
            if told == 25:
                os.kill(writer.pid, signal.SIGKILL)
                break
        told = max([told, *(int(line) for line in writer.stdout if line.endswith("\n"))])
    store = RolloutsDb(path)
    try:
        assert store.issued()["b1"].sequence >= told
    finally:
        store.close()
