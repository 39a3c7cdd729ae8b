"""Reading without a list: what symbols and captions say, under grammar and check digits.

Values are spelled with what could not be read left open, brought together from all places where
they stand, and given out only whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from contracts.gs1 import has_valid_check_digit, is_lot
from contracts.reading import FieldValue, LabelFields
from vision.reading.captions import Role, find_captions
from vision.reading.ctc import UNREADABLE
from vision.reading.dates import FoundDate, find_dates, parse_date
from vision.reading.spelled import Spelled, together, with_check_digit
from vision.reading.symbols import Elements

SYMBOL_CONFIDENCE = 0.99
_D = f"[0-9ODQILZSBG{UNREADABLE}]"
_GTIN = re.compile(rf"(?<![0-9{UNREADABLE}]){_D}(?:\s?{_D}){{12,13}}(?![0-9{UNREADABLE}])")
_BATCH = re.compile(rf"[\s:：.#]*([0-9A-Za-z\-/._ {UNREADABLE}]+)")
_HRI_GTIN = re.compile(rf"\(?01\)({_D}{{14}})")
_HRI_EXPIRY = re.compile(rf"\(1[57]\)({_D}{{6}})(?=\(|$)")
_HRI_BATCH = re.compile(rf"\(10\)([0-9A-Za-z\-/._{UNREADABLE}]+)(?=\(|$)")
_MARK = r"\s*[-/.年月\s]?\s*"
_OPEN_DATE = re.compile(rf"({_D}{{4}}){_MARK}({_D}{{2}}){_MARK}({_D}{{2}})(?!\d)")
_SHORTEST_BATCH, _LONGEST_BATCH = 3, 20
_JOINED = 0.8
_LOST_ONE = 0.2
_READS = 0.6
"""From here on a whole value in print speaks against a symbol."""
# The share of misreadings that pass a field's rule: one check digit in ten, and about half of the
# wrong digits of a date make another date.
_SLIPS_THROUGH = {"gtin": 0.1, "batch": 1.0, "expiry": 0.5}


@dataclass(frozen=True, slots=True)
class PlainLine:
    """A line's best text and the mean probability of its letters; `sure` has each letter's."""

    text: str
    confidence: float
    sure: tuple[float, ...] = ()

    def spelled(self) -> Spelled:
        return Spelled(self.text, self.sure or (self.confidence,) * len(self.text))


@dataclass(frozen=True, slots=True)
class PlainReading:
    """`conflicts` names the fields for which two sources say different things; `partly` what could
    be read of each field that was found, with UNREADABLE for what is missing or weak.
    """

    fields: LabelFields
    conflicts: tuple[str, ...]
    partly: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Found:
    """A field's normal form: 14 digits, the batch, or YYYYMMDD."""

    name: str
    value: Spelled
    source: str = "text"


def read_plainly(lines: Sequence[PlainLine], symbols: Sequence[Elements]) -> PlainReading:
    """The fields that stand plainly in symbols and text.

    A symbol wins over text. A date without caption counts as the expiry only when it is the later
    of two or more, since a lone date may be the production date.
    """
    found = [each for elements in symbols for each in _of_symbol(elements)]
    for line in lines:
        found += _of_line(line)
    if not any(each.name == "expiry" for each in found):
        found += _later_of_two(lines)
    values: dict[str, FieldValue] = {}
    partly: dict[str, str] = {}
    conflicts = []
    for name in ("gtin", "batch", "expiry"):
        mine = [each for each in found if each.name == name]
        if not mine:
            continue
        decoded = [each.value for each in mine if each.source == "symbol"]
        value, conflict = together([each.value for each in mine])
        if decoded:
            # What error correction has checked needs no votes.
            value = decoded[0]
            conflict = conflict or any(
                each.value.probability > _READS and not each.value.fits(value) for each in mine
            )
        if conflict:
            conflicts.append(name)
        whole = _whole(name, value)
        partly[name] = value.shown()
        if whole is not None:
            source = "symbol" if decoded else "text"
            values[name] = FieldValue(whole, round(_passed(name, value), 4), source)
    fields = LabelFields(values.get("gtin"), values.get("batch"), values.get("expiry"))
    return PlainReading(fields, tuple(conflicts), partly)


def _whole(name: str, value: Spelled) -> str | None:
    """The field's value, or None where it is not whole or no such value."""
    if not value.whole or value.probability == 0:
        return None
    if name == "expiry":
        day = parse_date(value.text)
        return day.isoformat() if day else None
    if name == "gtin" and not has_valid_check_digit(value.text):
        return None
    return value.text


def _passed(name: str, value: Spelled) -> float:
    """Its probability, knowing that it passed its field's rule (Bayes): few misreadings do."""
    right = value.probability
    slips = 1.0 if value.solved else _SLIPS_THROUGH[name]
    return right / (right + (1 - right) * slips)


def _of_symbol(elements: Elements) -> Iterable[_Found]:
    for name in ("gtin", "batch", "expiry"):
        value = getattr(elements, name)
        if value is not None:
            text = f"{value:%Y%m%d}" if isinstance(value, date) else str(value)
            # Error correction covers the whole symbol: all characters stand or fall together.
            each = SYMBOL_CONFIDENCE ** (1 / len(text))
            yield _Found(name, Spelled(text, (each,) * len(text)), "symbol")


def _of_line(line: PlainLine) -> Iterable[_Found]:
    spelled = line.spelled()
    packed = spelled.without(" ")
    yield from _of_element_strings(packed)
    if not _HRI_GTIN.search(packed.text):
        for match in _GTIN.finditer(spelled.text):
            yield from _gtin(spelled.part(*match.span()).without(" "))
    captions = find_captions(spelled.text)
    for i, (role, _, end) in enumerate(captions):
        stop = captions[i + 1][1] if i + 1 < len(captions) else len(spelled.text)
        if spelled.text[:end].endswith(")"):
            continue
        rest = spelled.part(end, stop)
        if role is Role.EXPIRY:
            yield from _dates(rest)
        if role is Role.BATCH:
            yield from _batch(rest)


def _of_element_strings(packed: Spelled) -> Iterable[_Found]:
    for match in _HRI_GTIN.finditer(packed.text):
        yield from _gtin(packed.part(*match.span(1)))
    for match in _HRI_EXPIRY.finditer(packed.text):
        six = packed.part(*match.span(1)).digits()
        day = parse_date(six.text, two_digit_year=True) if six.whole else None
        if day or not six.whole:
            # Day 00 means the last of the month; only the parsed date says so.
            text = f"{day:%Y%m%d}" if day else "20" + six.text
            yield _Found("expiry", Spelled(text, (1.0, 1.0, *six.sure)))
    for match in _HRI_BATCH.finditer(packed.text):
        batch = packed.part(*match.span(1))
        if len(batch.text) <= _LONGEST_BATCH:
            yield _Found("batch", batch)


def _gtin(text: Spelled) -> Iterable[_Found]:
    number = with_check_digit(text.digits())
    if number is not None and len(number.text) == 13:  # noqa: PLR2004 -- as EAN-13 prints it
        # With a zero in front it is more often fourteen digits, one of them lost.
        share = _LOST_ONE if number.text.startswith("0") else 1.0
        number = Spelled("0" + number.text, (share, *number.sure), number.solved)
    if number is not None:
        yield _Found("gtin", number)


def _dates(rest: Spelled) -> Iterable[_Found]:
    """The date behind an expiry caption, whole or with gaps."""
    found = [
        each for each in find_dates(rest.text, two_digit_year=True) if not _torn(each, rest.text)
    ]
    if found:
        sure = rest.part(found[0].start, found[0].end)
        digits = [s for c, s in zip(sure.text, sure.sure, strict=True) if c.isalnum()]
        # As many slots as the normal form has: the surest way to spell eight from fewer or more.
        probability = min(1.0, max(1e-6, Spelled("x" * len(digits), tuple(digits)).probability))
        yield _Found("expiry", Spelled(f"{found[0].value:%Y%m%d}", (probability ** (1 / 8),) * 8))
        return
    match = _OPEN_DATE.search(rest.text)
    if match:
        parts = [rest.part(*match.span(k)).digits() for k in (1, 2, 3)]
        yield _Found(
            "expiry", Spelled("".join(p.text for p in parts), sum((p.sure for p in parts), ()))
        )


def _torn(found: FoundDate, text: str) -> bool:
    """A month without its day beside something that may be the day."""
    beside = text[: found.start].strip(" :：.") + text[found.end :].strip()
    return found.month_only and bool(beside)


def _batch(rest: Spelled) -> Iterable[_Found]:
    dates = find_dates(rest.text)
    if dates:
        rest = rest.part(0, dates[0].start)
    match = _BATCH.match(rest.text)
    if match is None:
        return
    batch = rest.part(*match.span(1))
    lead = len(batch.text) - len(batch.text.lstrip(" ./_-"))
    batch = batch.part(lead, lead + len(batch.text.strip(" ./_-")))
    if " " in batch.text:
        # Batches have no spaces (GS1 AI 10); wide pitch and gaps look like some.
        batch = batch.without(" ").scaled(_JOINED)
    if _looks_like_batch(batch.text):
        yield _Found("batch", batch)


def _looks_like_batch(text: str) -> bool:
    known = text.replace(UNREADABLE, "0")
    fits = _SHORTEST_BATCH <= len(text) <= _LONGEST_BATCH and is_lot(known)
    return fits and any(c.isdigit() for c in text)


def _later_of_two(lines: Sequence[PlainLine]) -> Iterable[_Found]:
    """The later date where two stand without caption, or one beside a captioned production date.
    The production date itself is none, also where another look missed its caption.
    """
    dates: dict[date, float] = {}
    made: set[date] = set()
    for line in lines:
        here = [each for each in find_dates(line.text) if not _torn(each, line.text)]
        if any(role is Role.PRODUCTION for role, _, _ in find_captions(line.text)):
            made |= {each.value for each in here}
        else:
            for each in here:
                dates[each.value] = max(dates.get(each.value, 0.0), line.confidence)
    later = sorted(day for day in dates if day not in made and day > max(made, default=day.min))
    if later and (made or len(later) > 1):
        sure = (dates[later[-1]] * 0.8) ** (1 / 8)
        yield _Found("expiry", Spelled(f"{later[-1]:%Y%m%d}", (sure,) * 8))
