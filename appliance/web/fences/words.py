"""What the templates of fences and alarms call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from appliance.web.app import pages_of
from erp_link.domain.excursions.judging import unit_words as _unit_words

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_UNIT = frozenset({"state", "count", "/"})


def at_of(at_us: int) -> datetime:
    """A time of the record as a page shows it."""
    return _EPOCH + timedelta(microseconds=at_us)


def unit_words(unit: str) -> str:
    """A unit as people write it; nothing for states and counts."""
    return "" if unit in _NO_UNIT else _unit_words(unit)


def field_word(name: str) -> str:
    """The word of a field of the form: three steps and three spans are named alike."""
    head, _, tail = name.partition("_")
    return f"{head[:-1]}_{tail}" if head[-1:].isdigit() else name


def render(
    request: Request, template: str, *, status_code: int = 200, **context: object
) -> Response:
    """A page or a part of one that calls these words."""
    return pages_of(request).render(
        request,
        template,
        status_code=status_code,
        at_of=at_of,
        unit_words=unit_words,
        field_word=field_word,
        **context,
    )
