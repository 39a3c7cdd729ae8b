"""The standard's simple event query: its parameters read into one value (EPCIS 2.0, 8.2.7.1).

A list's values are separated by `|` or by repeating the parameter; words of the vocabulary and keys
come in any of their forms. A parameter that is not known is refused: leaving it out would answer
another question than was asked.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from contracts.errors import BadInputError
from erp_link.epcis import cbv, keys

MOST, DEFAULT = 500, 100


@dataclass(frozen=True, slots=True)
class Query:
    """Each filter narrows; the values of one filter widen. Times: at or after, and before."""

    words: dict[str, frozenset[str]] = field(default_factory=dict)
    """Column of the repository -> values: kind, action, biz_step, disposition, read_point,
    biz_location, event_id.
    """
    named: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()
    """(kinds of key, values): the event names one of the values in one of these fields."""
    since: dict[str, datetime] = field(default_factory=dict)
    """`event_time` or `record_time`."""
    before: dict[str, datetime] = field(default_factory=dict)
    order_by: str = "event_time"
    descending: bool = True
    limit: int = DEFAULT
    """Events on a page."""
    most: int | None = None
    """Events altogether (`eventCountLimit`)."""
    after: tuple[int, int] | None = None
    """The page goes on after this time, in microseconds, and row."""
    taken: int = 0
    """Events on the pages before."""


EPC, PARENT, CHILD, IN, OUT = "epc", "parent", "child", "input", "output"
CLASS, CHILD_CLASS, IN_CLASS, OUT_CLASS = (
    "class", "child_class", "input_class", "output_class",
)  # fmt: skip
_KEYS = {
    "MATCH_epc": {EPC, CHILD},
    "MATCH_parentID": {PARENT},
    "MATCH_inputEPC": {IN},
    "MATCH_outputEPC": {OUT},
    "MATCH_anyEPC": {EPC, PARENT, CHILD, IN, OUT},
    "MATCH_epcClass": {CLASS, CHILD_CLASS},
    "MATCH_inputEPCClass": {IN_CLASS},
    "MATCH_outputEPCClass": {OUT_CLASS},
    "MATCH_anyEPCClass": {CLASS, CHILD_CLASS, IN_CLASS, OUT_CLASS},
}
_WORDS = {
    "eventType": ("kind", ""),
    "EQ_action": ("action", ""),
    "EQ_bizStep": ("biz_step", cbv.STEP),
    "EQ_disposition": ("disposition", cbv.DISP),
}
_PLACES = {"EQ_readPoint": "read_point", "EQ_bizLocation": "biz_location"}
_LASTING = {"EQ_persistentDisposition_set": "set", "EQ_persistentDisposition_unset": "unset"}
_LISTS = {
    "EQ_bizTransaction_": ("transaction", cbv.BTT),
    "EQ_source_": ("source", cbv.SDT),
    "EQ_destination_": ("destination", cbv.SDT),
}
_ORDERS = {"eventTime": "event_time", "recordTime": "record_time"}
_NUMBERS = ("perPage", "eventCountLimit", "maxEventCount")
_OTHERS = ("orderBy", "orderDirection", "nextPageToken")


def read_query(params: Iterable[tuple[str, str]]) -> Query:
    """The query that the parameters ask. Raises BadInputError naming the parameter."""
    given: dict[str, list[str]] = {}
    for name, value in params:
        given.setdefault(name, []).extend(part for part in value.split("|") if part)
    words: dict[str, frozenset[str]] = {}
    named: list[tuple[frozenset[str], frozenset[str]]] = []
    times: dict[str, dict[str, datetime]] = {"GE": {}, "LT": {}}
    for name, values in given.items():
        if not values:
            raise _wrong(name, "has no value")
        if name in _WORDS:
            column, kind = _WORDS[name]
            words[column] = frozenset(cbv.bare(v, kind) if kind else v for v in values)
        elif name in _PLACES:
            words[_PLACES[name]] = frozenset(map(keys.canonical, values))
        elif name == "EQ_eventID":
            words["event_id"] = frozenset(values)
        elif name[:3] in ("GE_", "LT_") and name[3:] in _ORDERS:
            times[name[:2]][_ORDERS[name[3:]]] = _time(name, values[0])
        elif (asked := _named(name, values)) is not None:
            named.append(asked)
        elif name not in (*_NUMBERS, *_OTHERS):
            raise _wrong(name, "is not known here")
    return _paged(given, Query(words, tuple(named), times["GE"], times["LT"]))


def _named(name: str, values: list[str]) -> tuple[frozenset[str], frozenset[str]] | None:
    if name in _KEYS:
        return frozenset(_KEYS[name]), frozenset(map(keys.canonical, values))
    if name in _LASTING:
        words = frozenset(cbv.bare(v, cbv.DISP) for v in values)
        return frozenset((_LASTING[name],)), words
    for head, (field_name, kind) in _LISTS.items():
        if name.startswith(head):
            of_type = cbv.bare(name.removeprefix(head), kind)
            return frozenset((f"{field_name}:{of_type}",)), frozenset(map(keys.canonical, values))
    return None


def _paged(given: dict[str, list[str]], query: Query) -> Query:
    order = given.get("orderBy", ["eventTime"])[0]
    direction = given.get("orderDirection", ["DESC"])[0].upper()
    if order not in _ORDERS:
        raise _wrong("orderBy", f"is {order!r}; events are ordered by eventTime or recordTime")
    if direction not in ("ASC", "DESC"):
        raise _wrong("orderDirection", f"is {direction!r}; it is ASC or DESC")
    numbers = {n: _number(n, given[n][0]) for n in _NUMBERS if n in given}
    after, taken = _token(given["nextPageToken"][0]) if "nextPageToken" in given else (None, 0)
    return Query(
        query.words,
        query.named,
        query.since,
        query.before,
        order_by=_ORDERS[order],
        descending=direction == "DESC",
        limit=min(numbers.get("perPage", DEFAULT), MOST),
        most=numbers.get("eventCountLimit", numbers.get("maxEventCount")),
        after=after,
        taken=taken,
    )


def page_token(at_us: int, row: int, taken: int) -> str:
    """Where the next page goes on."""
    return base64.urlsafe_b64encode(f"{at_us}.{row}.{taken}".encode()).decode().rstrip("=")


def _token(text: str) -> tuple[tuple[int, int], int]:
    try:
        whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        at_us, row, taken = map(int, whole.split("."))
    except (ValueError, binascii.Error) as error:
        raise _wrong("nextPageToken", "was not given by this server") from error
    return (at_us, row), taken


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10**9):
        raise _wrong(name, f"is {text!r}, no whole number of at least 1")
    return int(text)


def _time(name: str, text: str) -> datetime:
    try:
        # A plus in a query string that nobody encoded arrives as a space.
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise _wrong(name, f"is {text!r}, no time") from error
    if at.tzinfo is None:
        raise _wrong(name, f"is {text!r}, without a zone")
    return at


def _wrong(name: str, what: str) -> BadInputError:
    return BadInputError(
        f"The query parameter {name} {what}",
        mend="See the parameters of the simple event query in docs/guides/exchange.md",
        parameter=name,
    )
