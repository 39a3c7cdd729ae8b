"""Lists a page at a time: at most `limit` of them after an opaque cursor, and a Link to the next
(RFC 8288, `rel="next"`).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request, Response

from contracts.errors import BadInputError

T = TypeVar("T")

MOST = 500
_MOST_NUMBER = 2**53
USUAL = 100

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most")]
After = Annotated[
    str, Query(max_length=400, description="The cursor of the Link header of the page before")
]


@dataclass(frozen=True, slots=True)
class Page:
    """What a client asks for. `after` is what the cursor holds: nothing for the first page."""

    limit: int
    after: tuple[Any, ...]
    request: Request
    response: Response

    def strings(self, count: int) -> tuple[str, ...] | None:
        """What the cursor holds where it is `count` strings; None for the first page.

        Raises BadInputError for the cursor of another list.
        """
        if not self.after:
            return None
        if len(self.after) != count or not all(isinstance(part, str) for part in self.after):
            raise _no_cursor()
        return self.after

    def moment(self) -> tuple[datetime, str] | None:
        """What the cursor holds where it is a moment with an id; None for the first page.

        Raises BadInputError for the cursor of another list.
        """
        place = self.strings(2)
        if place is None:
            return None
        try:
            at = datetime.fromisoformat(place[0])
        except ValueError as error:
            raise _no_cursor() from error
        if at.tzinfo is None:
            raise _no_cursor()
        return at, place[1]

    def number(self) -> int | None:
        """What the cursor holds where it is a whole number; None for the first page.

        Raises BadInputError for the cursor of another list.
        """
        if not self.after:
            return None
        if len(self.after) != 1 or type(self.after[0]) is not int or self.after[0] > _MOST_NUMBER:
            raise _no_cursor()
        return int(self.after[0])

    def of(self, rows: Sequence[T], place_of: Callable[[T], tuple[Any, ...]]) -> list[T]:
        """The page out of `rows`, which were asked for with one more than `limit` of them;
        `place_of` gives what the cursor of a row holds: strings and integers.
        """
        page = list(rows[: self.limit])
        if len(rows) > self.limit:
            self._link(place_of(page[-1]))
        return page

    def cut(self, rows: Sequence[T], place_of: Callable[[T], tuple[Any, ...]]) -> list[T]:
        """The page out of a whole list, for lists that are never long: what follows the row whose
        place the cursor holds. Where that row is gone the list is told again from its start.
        """
        start = 0
        if self.after:
            places = [place_of(row) for row in rows]
            start = places.index(self.after) + 1 if self.after in places else 0
        return self.of(rows[start : start + self.limit + 1], place_of)

    def _link(self, place: tuple[Any, ...]) -> None:
        url = self.request.url.include_query_params(after=_cursor(place), limit=self.limit)
        # Relative, so that it holds behind a proxy under another name.
        self.response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'


def _page(request: Request, response: Response, limit: Limit = USUAL, after: After = "") -> Page:
    return Page(limit, _place(after), request, response)


Paged = Annotated[Page, Depends(_page)]
"""A route's parameter: `page: Paged`."""


def _cursor(place: tuple[Any, ...]) -> str:
    text = json.dumps(place, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[Any, ...]:
    if not cursor:
        return ()
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place = json.loads(text)
    except (binascii.Error, ValueError) as error:
        raise _no_cursor() from error
    if not isinstance(place, list) or not all(isinstance(part, str | int) for part in place):
        raise _no_cursor()
    return tuple(place)


def _no_cursor() -> BadInputError:
    return BadInputError(
        "The parameter `after` is no cursor of this list",
        mend="Follow the Link header of the page before, or leave `after` out to begin anew",
    )
