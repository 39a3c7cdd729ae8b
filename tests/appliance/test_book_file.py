"""The book of batches is what the journal says, with its file, without it and in spite of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.edge.book_file import BookFile
from contracts.inspection import InspectDecision
from tests.support.docks import LINE, carton


async def some(d, count: int, first: int = 1) -> None:
    for number in range(first, first + count):
        d.station.here.sets.inspector.decision = (
            InspectDecision.DEFECT if number % 3 == 0 else InspectDecision.PASS
        )
        await d.station.judge_carton(carton(f"C{number}"))


async def test_the_file_and_the_whole_journal_tell_the_same(dock, tmp_path) -> None:
    path = tmp_path / "batches.json"
    d = dock(needed=4)
    await some(d, 5)
    kept = BookFile.open(d.journal, path)
    kept.save()
    await some(d, 4, first=6)
    assert BookFile.open(d.journal, path).book == d.book
    assert BookFile.open(d.journal, tmp_path / "none.json").book == d.book
    assert d.book.of(LINE.key).defective == 3


@pytest.mark.parametrize("spoil", [b"", b"{}", b"[1]", None])
async def test_a_spoilt_file_costs_nothing_but_time(dock, tmp_path, spoil) -> None:
    path = tmp_path / "batches.json"
    d = dock(needed=4)
    await some(d, 4)
    BookFile.open(d.journal, path).save()
    path.write_bytes(path.read_bytes().replace(b"first", b"other") if spoil is None else spoil)
    assert BookFile.open(d.journal, path).book == d.book


async def test_a_file_of_another_journal_is_not_believed(dock, tmp_path) -> None:
    path = tmp_path / "batches.json"
    d = dock(needed=4)
    await some(d, 4)
    file = BookFile.open(d.journal, path)
    file.save()
    d.journal.close()
    for each in tmp_path.glob("journal.db*"):
        each.unlink()
    other = dock(needed=4)
    await some(other, 6)
    assert BookFile.open(other.journal, path).book == other.book


async def test_a_verdict_taken_twice_counts_once(dock) -> None:
    d = dock(needed=4)
    await some(d, 3)
    before = replace(d.book.of(LINE.key))
    d.book.take(d.bodies()[-1], d.book.seq)
    assert d.book.of(LINE.key) == before
