"""Random days over the books in memory, every law asked after every step (I1)."""

from __future__ import annotations

import time
from collections import Counter
from datetime import date
from random import Random
from typing import Any

from erp_link.domain.books import laws
from erp_link.domain.books.book import Book
from erp_link.domain.books.steps import Steps, perform

WORLDS_EACH = 10
"""Worlds in one chunk: a warehouse begins anew before its history outgrows its goods."""
_BEGAN = date(2026, 11, 22)
_MOST = 5


def days(seed: int, number: int, steps: int) -> dict[str, Any]:
    """A chunk: `WORLDS_EACH` warehouses of `steps` operations each, and what was broken in them."""
    began = time.monotonic()
    outcomes: Counter[str] = Counter()
    broken: list[str] = []
    for world in range(WORLDS_EACH):
        found = _world(f"{seed}/{number}/{world}", steps, outcomes)
        broken += [f"world {seed}/{number}/{world}: {each}" for each in found]
    return {
        "operations": outcomes.total(),
        "outcomes": dict(outcomes),
        "broken": broken,
        "seconds": time.monotonic() - began,
    }


def _world(name: str, steps: int, outcomes: Counter[str]) -> list[str]:
    book, drawn = Book(_BEGAN), Steps(Random(name))  # noqa: S311 -- repeatable, not secret
    found: list[str] = []
    for number in range(steps):
        held = laws.held_now(book)
        step = drawn.draw(book)
        outcome = perform(book, step)
        outcomes[f"{step.what} {outcome}"] += 1
        if outcome == "done" and laws.left_under_a_hold(book, step, held):
            found.append(f"step {number}, {step}: done under a hold")
        found += [f"step {number}, {step}: {what}" for what in laws.broken(book.state)]
        if len(found) > _MOST:
            return found
    if laws.unbalanced(book):
        found.append("moves that do not sum to zero")
    if laws.replayed(book) != book.snapshot():
        found.append("the record replayed is another state")
    return found
