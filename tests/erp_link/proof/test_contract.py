"""One contract for books in memory, on SQLite and on PostgreSQL: the same steps, the same answers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from random import Random

import pytest

from erp_link.domain.books import laws
from erp_link.domain.books.book import Book
from erp_link.domain.books.steps import Steps, perform
from erp_link.service.core import Core
from erp_link.service.proof.core_book import CoreBook, SetClock
from erp_link.service.proof.verify import verify

BEGAN = datetime(2026, 11, 22, tzinfo=UTC)
STEPS = int(os.environ.get("TALLYMAN_BOOK_STEPS", "150"))
SEEDS = int(os.environ.get("TALLYMAN_BOOK_SEEDS", "2"))
"""A campaign sets more of both."""


@pytest.mark.timeout(60 + SEEDS * STEPS // 4)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_core_answers_as_the_books_in_memory_do(database_url: str, seed: int) -> None:
    clock = SetClock(BEGAN)
    core = Core(database_url, clock=clock)
    told = CoreBook(core, clock)
    book = Book(BEGAN.date())
    steps = Steps(Random(f"contract/{seed}"))  # noqa: S311 -- repeatable, not secret
    for number in range(STEPS):
        step = steps.draw(book)
        expected, answered = perform(book, step), perform(told, step)
        assert (number, step, answered) == (number, step, expected)
        if expected == "done":
            assert (number, step, told.snapshot()) == (number, step, book.snapshot())
        assert list(laws.broken(book.state)) == []
    assert verify(core.engine).findings == ()
    core.close()
