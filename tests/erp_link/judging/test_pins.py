"""One contract for pins: in memory, on SQLite and on PostgreSQL, for threads and processes (I3)."""

from __future__ import annotations

import multiprocessing
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier as ProcessBarrier
from pathlib import Path
from queue import Queue

import pytest

from contracts.clock import FixedClock, SystemClock
from contracts.errors import BadInputError, ConflictError
from contracts.judging import Pin, judge_digest
from contracts.ports import Pins
from contracts.stock import BatchKey
from erp_link.service.core import Core
from erp_link.service.judging.desk import Judging
from ota.judging.memory import MemoryPins
from tests.erp_link.conftest import postgres_copy

WATER, JUICE = BatchKey("ACME", "06933132577789", "L1"), BatchKey("", "08809609245438", "L1")
OLD, NEW = {"inspect": "sha256:old", "profile": "p"}, {"inspect": "sha256:new"}


@contextmanager
def core_at(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "core.db")
        yield f"sqlite:///{folder / 'core.db'}"
        return
    uri, template = (
        request.getfixturevalue("postgres"),
        request.getfixturevalue("postgres_template"),
    )
    with postgres_copy(uri, template) as url:
        yield url


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def pins(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Pins]:
    if request.param == "memory":
        yield MemoryPins()
        return
    with core_at(request, request.param, tmp_path) as url:
        core = Core(url, clock=clock)
        yield Judging(core)
        core.close()


def test_the_first_to_ask_gets_the_batch_and_everybody_is_told(pins: Pins) -> None:
    assert pins.find(WATER) is None
    first = pins.pin(WATER, {**OLD, "read": "sha256:reader"}, by="edge-1")
    assert first == Pin(WATER, 1, judge_digest(OLD), OLD)
    assert pins.pin(WATER, NEW, by="edge-2") == first
    assert pins.find(WATER) == first
    assert pins.pin(JUICE, NEW, by="edge-2") == Pin(JUICE, 1, judge_digest(NEW), NEW)
    assert list(pins.history(WATER)) == [first]


def test_another_generation_has_its_own_judge_and_is_opened_once(pins: Pins) -> None:
    with pytest.raises(ConflictError):
        pins.next_generation(WATER, NEW, after=1, by="ops", why="")
    first = pins.pin(WATER, OLD, by="edge-1")
    second = pins.next_generation(WATER, NEW, after=1, by="ops", why="too many misses")
    assert second == Pin(WATER, 2, judge_digest(NEW), NEW)
    again = pins.next_generation(WATER, OLD, after=1, by="somebody else", why="the same")
    assert again == second
    assert pins.pin(WATER, OLD, by="edge-1") == second
    assert list(pins.history(WATER)) == [first, second]
    for wrong in (0, 3, -1):
        with pytest.raises(ConflictError):
            pins.next_generation(WATER, NEW, after=wrong, by="ops", why="")


def test_a_session_is_read_by_the_set_that_began_it(pins: Pins) -> None:
    began = pins.pin_session("RS-1", "sha256:a", by="edge-1")
    assert (began.session, began.model_set) == ("RS-1", "sha256:a")
    assert pins.pin_session("RS-1", "sha256:b", by="edge-2") == began
    assert pins.pin_session("RS-2", "sha256:b", by="edge-2").model_set == "sha256:b"


def test_a_judge_of_nothing_gets_no_batch(pins: Pins) -> None:
    for nobody in ({}, {"read": "sha256:a"}, {"inspect": ""}):
        with pytest.raises(BadInputError):
            pins.pin(WATER, nobody, by="edge-1")
    assert pins.find(WATER) is None


def test_of_many_threads_one_wins_and_all_hear_it(pins: Pins) -> None:
    batches = [BatchKey("ACME", "069", f"L{i}") for i in range(6)]

    def ask(box: int) -> list[Pin]:
        mine = {"inspect": f"sha256:{box}"}
        order = batches[box % 6 :] + batches[: box % 6]
        told = {batch: pins.pin(batch, mine, by=f"edge-{box}") for batch in order}
        told |= {
            batch: pins.next_generation(batch, mine, after=1, by=f"edge-{box}", why="race")
            for batch in order[:2]
        }
        return [told[batch] for batch in batches]

    with ThreadPoolExecutor(8) as boxes:
        list(boxes.map(ask, range(8)))
    for batch in batches:
        history = list(pins.history(batch))
        assert [pin.generation for pin in history] == [1, 2][: len(history)]
        assert pins.find(batch) == history[-1]
    for box in range(8):
        for batch in batches:
            assert pins.pin(batch, {"inspect": f"sha256:{box}"}, by="x") == pins.find(batch)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_many_processes_one_wins_and_what_was_told_survives_their_killing(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    batches = [BatchKey("ACME", "069", f"L{i}") for i in range(10)]
    spawn = multiprocessing.get_context("spawn")
    with core_at(request, kind, tmp_path) as url:
        start, told = spawn.Barrier(2), spawn.Queue()
        boxes = [
            spawn.Process(target=_box, args=(url, name, batches, start, told)) for name in "ab"
        ]
        for box in boxes:
            box.start()
        answers = [told.get(timeout=60) for _ in boxes]
        for box in boxes:
            box.kill()
            box.join(timeout=60)
        core = Core(url, clock=SystemClock())
        kept = [tuple(Judging(core).history(batch)) for batch in batches]
        core.close()
    assert answers == [kept, kept]
    assert all([pin.generation for pin in pins] == [1, 2] for pins in kept)


def _box(
    url: str,
    name: str,
    batches: list[BatchKey],
    start: ProcessBarrier,
    told: Queue[list[tuple[Pin, ...]]],
) -> None:
    """A box that asks for every batch and its next generation, tells what it heard, and waits to be
    killed.
    """
    core = Core(url, clock=SystemClock())
    pins = Judging(core)
    start.wait(timeout=60)
    mine = {"inspect": f"sha256:{name}"}
    heard = []
    for batch in batches:
        first = pins.pin(batch, mine, by=name)
        second = pins.next_generation(batch, mine, after=1, by=name, why="race")
        history = tuple(pins.history(batch))
        assert second == history[1]
        assert first in history
        heard.append(history)
    told.put(heard)
    threading.Event().wait()
