"""The device journal (I2, I4): chained, signed, durable when acknowledged."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.identity.device import DeviceIdentity
from appliance.journal.codec import GENESIS, decode_body
from appliance.journal.journal import Journal
from appliance.journal.stamp import stamp
from appliance.journal.verify import verify_journal
from contracts.clock import FixedClock
from contracts.errors import BadInputError, JournalBrokenError, JournalError, JournalFullError
from contracts.events import CartonJudged
from tests.appliance.journal.bodies import camera, carton, started


@pytest.fixture
def identity(tmp_path: Path) -> DeviceIdentity:
    return DeviceIdentity.open_or_create(tmp_path / "identity", "dock-1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


async def test_entries_are_chained_and_come_back_as_written(path, identity, clock):
    with Journal.open(path, identity=identity, clock=clock) as journal:
        first = await journal.append(started())
        second = await journal.append(carton("c-1", "b" * 64))
        assert (first.seq, first.previous) == (1, GENESIS)
        assert (second.seq, second.previous) == (2, first.hash)
        assert journal.entries() == [first, second]
        assert journal.entries(after_seq=1) == [second]
        assert journal.head().hash == second.hash
        assert decode_body(second.kind, second.body) == carton("c-1", "b" * 64)
    assert verify_journal(path).holds


async def test_a_crowd_of_writers_gets_one_chain_without_gaps(path, identity, clock):
    with Journal.open(path, identity=identity, clock=clock) as journal:
        entries = await asyncio.gather(*(journal.append(camera(n)) for n in range(500)))
    assert sorted(entry.seq for entry in entries) == list(range(1, 501))
    report = verify_journal(path)
    assert (report.entries, report.findings) == (500, ())


async def test_the_next_boot_continues_the_chain_under_a_new_boot_id(path, identity, clock):
    with Journal.open(path, identity=identity, clock=clock) as journal:
        before = await journal.append(started())
    with Journal.open(path, identity=identity, clock=clock) as journal:
        after = await journal.append(started())
    assert (after.seq, after.previous) == (2, before.hash)
    assert after.boot != before.boot
    assert verify_journal(path).boots == 2


async def test_a_listener_hears_of_each_commit(path, identity, clock):
    heard = threading.Event()
    with Journal.open(path, identity=identity, clock=clock) as journal:
        stop = journal.listen(lambda seq: heard.set() if seq == 1 else None)
        await journal.append(started())
        assert heard.wait(10)
        stop()


async def test_a_clock_set_back_never_turns_the_record_back(path, identity, clock: FixedClock):
    with Journal.open(path, identity=identity, clock=clock) as journal:
        first = await journal.append(started())
    clock.at -= timedelta(hours=1)
    with Journal.open(path, identity=identity, clock=clock) as journal:
        assert not journal.time().trusted
        late = await journal.append(camera(1))
        assert late.at_us == first.at_us
        assert late.uncertainty_us >= 3_600_000_000
        clock.at += timedelta(hours=2)
        assert journal.time().trusted
        assert (await journal.append(camera(2))).at_us > first.at_us


def test_the_stamp_says_by_how_much_the_clock_is_wrong():
    assert stamp(100, 90, base_uncertainty_us=5).uncertainty_us == 5
    below = stamp(60, 90, base_uncertainty_us=5)
    assert (below.at_us, below.uncertainty_us, below.trusted) == (90, 35, False)


async def fill(journal: Journal) -> None:
    for number in range(1000):
        await journal.append(camera(number))


async def test_a_full_journal_refuses_and_keeps_what_it_acknowledged(path, identity, clock):
    with Journal.open(path, identity=identity, clock=clock, max_bytes=60_000) as journal:
        with pytest.raises(JournalFullError, match="takes no more"):
            await fill(journal)
        kept = len(journal.entries(limit=10_000))
        assert journal.head().seq == kept > 10
    with Journal.open(path, identity=identity, clock=clock) as journal:
        assert (await journal.append(camera(0))).seq == kept + 1
    assert verify_journal(path).holds


async def test_a_body_that_could_not_be_read_back_is_refused_before_it_is_signed(
    path, identity, clock
):
    from contracts.inspection import InspectDecision, Inspection

    nan = Inspection("f", float("nan"), None, InspectDecision.PASS, (), (), "a" * 64, 1.0)
    body = carton("c-1")
    broken = CartonJudged(
        **{name: getattr(body, name) for name in body.__slots__} | {"inspection": nan}
    )
    with Journal.open(path, identity=identity, clock=clock) as journal:
        with pytest.raises(BadInputError, match="does not decode"):
            await journal.append(broken)
        assert journal.head().seq == 0


async def test_two_writers_on_one_file_cannot_fork_the_chain(path, identity, clock):
    with (
        Journal.open(path, identity=identity, clock=clock) as one,
        Journal.open(path, identity=identity, clock=clock) as two,
    ):
        await one.append(camera(1))
        with pytest.raises(JournalError):
            await two.append(camera(2))
    assert verify_journal(path).entries == 1


async def test_a_journal_is_not_continued_with_another_key(path, identity, clock, tmp_path: Path):
    with Journal.open(path, identity=identity, clock=clock) as journal:
        await journal.append(started())
    other = DeviceIdentity.open_or_create(tmp_path / "other", "dock-1")
    with pytest.raises(JournalBrokenError, match="another key"):
        Journal.open(path, identity=other, clock=clock)


async def test_a_journal_whose_last_entry_was_changed_is_not_continued(path, identity, clock):
    with Journal.open(path, identity=identity, clock=clock) as journal:
        await journal.append(started())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE entries SET body = replace(body, 'dock-1', 'dock-2')")
    db.close()
    with pytest.raises(JournalBrokenError, match="entry 1"):
        Journal.open(path, identity=identity, clock=clock)


async def test_nothing_is_appended_after_closing(path, identity, clock):
    journal = Journal.open(path, identity=identity, clock=clock)
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        await journal.append(started())


def test_a_file_that_is_no_journal_is_not_written_to(path, identity, clock):
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 50)
    with pytest.raises(JournalError):
        Journal.open(path, identity=identity, clock=clock)
