"""Filtering lists: words that all must occur, in any order, in any letter case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from starlette.requests import Request


def query_of(request: Request) -> str:
    """What the person typed into the list's filter; it stays in the address as `q`."""
    return request.query_params.get("q", "").strip()[:200]


Row = TypeVar("Row")


def matching(rows: Iterable[Row], query: str, text: Callable[[Row], str]) -> list[Row]:
    """The rows whose text holds every word of `query`, in their order."""
    wanted = query.casefold().split()
    return [row for row in rows if all(word in text(row).casefold() for word in wanted)]
