"""Reading without a list: what symbols and captions say plainly, under grammar and check digits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.gs1 import has_valid_check_digit, is_lot
from contracts.reading import FieldValue, LabelFields
from vision.reading.captions import Role, find_captions
from vision.reading.dates import find_dates
from vision.reading.symbols import Elements, elements_of

SYMBOL_CONFIDENCE = 0.99
_GTIN = re.compile(r"(?<!\d)\d(?:\s?\d){12,13}(?!\d)")
_BATCH = re.compile(r"[\s:：.#]*([0-9A-Za-z](?:[0-9A-Za-z\-/._]{0,18}[0-9A-Za-z])?)")
_HRI = re.compile(r"\(01\)\s*\d{14}.*")
_SHORTEST_BATCH = 3


@dataclass(frozen=True, slots=True)
class PlainLine:
    """A line's best text and the mean probability of its letters."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class PlainReading:
    """`conflicts` names the fields for which two sources say different things."""

    fields: LabelFields
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    field: str
    value: str
    confidence: float
    source: str


def read_plainly(lines: Sequence[PlainLine], symbols: Sequence[Elements]) -> PlainReading:
    """The fields that stand plainly in symbols and text.

    A symbol wins over text; among texts the surest wins. A date without caption counts as the
    expiry only when it is the later of two or more, since a lone date may be the production date.
    """
    found = [each for elements in symbols for each in _of_elements(elements, 1.0, "symbol")]
    for line in lines:
        found += _of_line(line)
    if not any(each.field == "expiry" for each in found):
        found += _later_of_two(lines)
    best: dict[str, FieldValue] = {}
    conflicts = set()
    for each in sorted(found, key=lambda one: -one.confidence):
        if each.field not in best:
            best[each.field] = FieldValue(each.value, each.confidence, each.source)
        elif best[each.field].value != each.value and each.confidence > 0.8:  # noqa: PLR2004 -- read surely
            conflicts.add(each.field)
    fields = LabelFields(best.get("gtin"), best.get("batch"), best.get("expiry"))
    return PlainReading(fields, tuple(sorted(conflicts)))


def _of_elements(elements: Elements, share: float, source: str) -> Iterable[_Found]:
    confidence = SYMBOL_CONFIDENCE * share
    if elements.gtin:
        yield _Found("gtin", elements.gtin, confidence, source)
    if elements.batch:
        yield _Found("batch", elements.batch, confidence, source)
    if elements.expiry:
        yield _Found("expiry", elements.expiry.isoformat(), confidence, source)


def _of_line(line: PlainLine) -> Iterable[_Found]:
    text, sure = line.text, line.confidence
    hri = _HRI.search(text.replace(" ", ""))
    if hri:
        yield from _of_elements(elements_of("text", hri.group(), gs1=False), sure * 0.95, "text")
    for match in _GTIN.finditer(text):
        number = re.sub(r"\s", "", match.group())
        if has_valid_check_digit(number):
            yield _Found("gtin", number.zfill(14), sure, "text")
    captions = find_captions(text)
    for i, (role, _, end) in enumerate(captions):
        stop = captions[i + 1][1] if i + 1 < len(captions) else len(text)
        rest = text[end:stop]
        if role is Role.EXPIRY and not text[:end].endswith(")"):
            dates = find_dates(rest, two_digit_year=True)
            if dates:
                yield _Found("expiry", dates[0].value.isoformat(), sure, "text")
        if role is Role.BATCH and not text[:end].endswith(")"):
            match_batch = _BATCH.match(rest)
            if match_batch and _looks_like_batch(match_batch.group(1)):
                yield _Found("batch", match_batch.group(1), sure, "text")


def _looks_like_batch(text: str) -> bool:
    return len(text) >= _SHORTEST_BATCH and is_lot(text) and any(c.isdigit() for c in text)


def _later_of_two(lines: Sequence[PlainLine]) -> Iterable[_Found]:
    dates: dict[date, float] = {}
    for line in lines:
        if not any(role is Role.PRODUCTION for role, _, _ in find_captions(line.text)):
            for each in find_dates(line.text):
                dates[each.value] = max(dates.get(each.value, 0.0), line.confidence)
    with_production = any(
        role is Role.PRODUCTION for line in lines for role, _, _ in find_captions(line.text)
    )
    if len(dates) > 1 or (dates and with_production):
        latest = max(dates)
        yield _Found("expiry", latest.isoformat(), dates[latest] * 0.8, "text")
