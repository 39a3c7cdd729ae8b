"""Lists: filtered by words that all must occur, in any order, in any letter case; a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request


def query_of(request: Request) -> str:
    """What the person typed into the list's filter; it stays in the address as `q`."""
    return request.query_params.get("q", "").strip()[:200]


ON_A_PAGE = 100
_MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page of a list is shown, counting from 1."""

    page: int

    @property
    def skip(self) -> int:
        return (self.page - 1) * ON_A_PAGE

    def pages(self, found: int) -> int:
        """How many pages `found` rows make; at least one."""
        return max(1, -(-found // ON_A_PAGE))


def turn_of(request: Request) -> Turn:
    """The page that the address asks for; the first where it says nothing that makes sense."""
    text = request.query_params.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1  # noqa: PLR2004 -- more pages than any list has
    return Turn(min(max(number, 1), _MOST_PAGES))


Row = TypeVar("Row")


def matching(rows: Iterable[Row], query: str, text: Callable[[Row], str]) -> list[Row]:
    """The rows whose text holds every word of `query`, in their order."""
    wanted = query.casefold().split()
    return [row for row in rows if all(word in text(row).casefold() for word in wanted)]
