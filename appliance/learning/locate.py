"""Where in a line that was read does a value stand that is known to be true? Pure.

Semi-global alignment (free ends in the text) of every way in which the value may be written. What
comes back is what is *printed*: the value's own characters, the marks between a date's parts as
they were read. A wrong place teaches a wrong character, so doubt is answered with None: half of
another number, a production date for an expiry date, a place that surely reads as something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from appliance.learning.example import FIELDS, Glyph, SeenLine, Truth
from vision.reading.align import SEPARATOR
from vision.reading.captions import Role, find_captions
from vision.reading.ctc import FOLD, UNREADABLE
from vision.reading.dates import Written, written_forms

_MARKS = frozenset("-/.,:; 年月日")
_ALIKE = ("0ODQ", "08", "06", "1Il|7", "5S6", "2Z", "8B3", "6G", "4A", "VU", "MN", "9gq")
_ALIKE_COST, _SPACE_COST, _COST, _NO_LETTER = 0.5, 0.2, 1.0, 1.5
_RUN_ON = 1.0
_ROLE = {"gtin": Role.GTIN, "batch": Role.BATCH, "expiry": Role.EXPIRY}
# The least share of a value that must have been read: what a caption says needs less proof.
_LEAST, _LEAST_CAPTIONED, _SHORT = 0.7, 0.5, 4
_SURE = 0.97
_EIGHT_DIGITS = 8
_Printed = tuple[str, bool, bool]
"""A character, whether something was read there, and whether it is a mark between parts."""
_MOST_SURELY_OTHER = 1


@dataclass(frozen=True, slots=True)
class Place:
    """`text` is what is printed from character `start` up to `end` (not included) of the line's
    text, and `lead` and `trail` characters beyond, of which nothing was found. `fit` is the share of
    the value that was read, 0..1.
    """

    field: str
    start: int
    end: int
    text: str
    fit: float
    lead: int = 0
    trail: int = 0
    seen: tuple[bool, ...] = ()
    """For each character of `text`: did the reader make anything of it?"""


def locate(truth: Truth, line: SeenLine) -> tuple[Place, ...]:
    """The fields that stand in `line`, left to right, none overlapping."""
    captions = {role for role, _, _ in find_captions(line.text)}
    found: list[Place] = []
    for name in FIELDS:
        if name == "expiry" and Role.PRODUCTION in captions and Role.EXPIRY not in captions:
            continue
        place = _best(name, getattr(truth, name), line, captioned=_ROLE[name] in captions)
        if place is not None:
            found.append(place)
    found.sort(key=lambda place: -place.fit * (place.end - place.start))
    kept: list[Place] = []
    for place in found:
        if all(place.end <= other.start or other.end <= place.start for other in kept):
            kept.append(place)
    return tuple(sorted(kept, key=lambda place: place.start))


def best_places(truth: Truth, lines: Sequence[SeenLine]) -> dict[int, tuple[Place, ...]]:
    """For each line (by its index) the places to believe: of one field in one picture only those
    that fit as well as its best one, since the next best date is another date.
    """
    found = {index: locate(truth, line) for index, line in enumerate(lines)}
    best: dict[tuple[int, str], float] = {}
    for index, places in found.items():
        for place in places:
            key = (lines[index].frame, place.field)
            best[key] = max(best.get(key, 0.0), place.fit)
    kept = {
        index: tuple(p for p in places if p.fit >= best[lines[index].frame, p.field] - 1e-6)
        for index, places in found.items()
    }
    return {index: places for index, places in kept.items() if places}


def _best(field: str, value: str, line: SeenLine, *, captioned: bool) -> Place | None:
    text = line.text.translate(FOLD)
    best: Place | None = None
    for form in _forms(field, value):
        if form.startswith("(") and form[: form.index(")") + 1] not in text:
            # Its application identifier is what makes six digits a date.
            continue
        place = _align(field, form, text)
        if place is not None and (best is None or _rank(place) > _rank(best)):
            best = place
    if best is None or best.fit < _least(field, value, captioned=captioned):
        return None
    return None if _reads_as_another(best, text, line.glyphs) else best


def _rank(place: Place) -> tuple[float, float, int]:
    """The form of which most was read, nothing of it beside the line: 2029.11 stands in 2029.11.30,
    but the whole date is what is printed.
    """
    return sum(place.seen) - place.lead - place.trail, place.fit, len(place.text)


def _least(field: str, value: str, *, captioned: bool) -> float:
    """A short value stands in any number: it must have been read whole. Dates have most of their
    digits in common.
    """
    if len(value) < _SHORT:
        return 1.0
    return _LEAST_CAPTIONED if captioned and field != "expiry" else _LEAST


@lru_cache(maxsize=64)
def _forms(field: str, value: str) -> tuple[str, ...]:
    if field == "expiry":
        try:
            written = tuple(written_forms(date.fromisoformat(value)))
        except ValueError:
            return ()
        return (*(form.text for form in written), *_without_zeros(written, value))
    if field == "gtin" and value.startswith("0"):
        return (value, value[1:])
    return (value,) if value else ()


def _without_zeros(written: Sequence[Written], value: str) -> Iterator[str]:
    """2028年3月5日 for 2028-03-05."""
    zeros = {slot for slot, at in ((4, 5), (6, 8)) if value[at] == "0"}
    for form in written:
        if zeros & set(form.slots) and SEPARATOR in form.text:
            kept = zip(form.text, form.slots, strict=True)
            yield "".join(letter for letter, slot in kept if slot not in zeros)


def _align(field: str, form: str, text: str) -> Place | None:
    """The cheapest place of `form` in `text`, or None for no letter of it there."""
    rows, columns = len(form) + 1, len(text) + 1
    cost = [[0.0] * columns for _ in range(rows)]
    for j in range(1, columns):
        # A value does not begin in the middle of a number.
        cost[0][j] = _RUN_ON if j < columns - 1 and _runs_on(text[j - 1]) else 0.0
    for i in range(1, rows):
        wanted, above, row = form[i - 1], cost[i - 1], cost[i]
        left_out = 0.0 if wanted == SEPARATOR else _COST
        row[0] = above[0] + left_out
        for j in range(1, columns):
            row[j] = min(
                above[j - 1] + _mismatch(wanted, text[j - 1]),
                above[j] + left_out,
                row[j - 1] + _extra(text[j - 1]),
            )
    last = cost[-1]
    ends = [
        last[j] + (_RUN_ON if j < len(text) and _runs_on(text[j]) else 0.0) for j in range(columns)
    ]
    end = min(range(columns), key=ends.__getitem__)
    return _trace(field, form, text, cost, end)


def _trace(field: str, form: str, text: str, cost: list[list[float]], end: int) -> Place | None:
    i, j = len(form), end
    printed: list[_Printed] = []
    read, left = 0.0, 0
    first, last, trail = end, 0, 0
    while i > 0:
        wanted, paid = form[i - 1], cost[i][j]
        left_out = 0.0 if wanted == SEPARATOR else _COST
        if j > 0 and _same(paid, cost[i - 1][j - 1] + _mismatch(wanted, text[j - 1])):
            mismatch = _mismatch(wanted, text[j - 1])
            here = text[j - 1] != UNREADABLE
            if wanted == SEPARATOR:
                printed.append((text[j - 1] if here else SEPARATOR, here, True))
            else:
                read += max(0.0, 1.0 - mismatch) if here else 0.0
                printed.append((_as_printed(field, wanted, text[j - 1]), here, False))
            i, j, left = i - 1, j - 1, 0
            first, last = min(first, j), max(last, j + 1)
        elif _same(paid, cost[i - 1][j] + left_out):
            printed.append((wanted, False, wanted == SEPARATOR))
            left += wanted != SEPARATOR
            trail = trail if last else left
            i -= 1
        else:
            # A speck that was read as a character: nothing is printed there.
            j -= 1
    if last <= first or not any(here for _, here, _ in printed):
        return None
    printed.reverse()
    run_on = sum(_runs_on(text[at]) for at in (first - 1, last) if 0 <= at < len(text))
    letters = sum(c != SEPARATOR for c in form)
    fit = max(0.0, read - run_on * _RUN_ON) / letters
    whole = _with_marks(form, printed, surely=read == letters)
    if whole is None:
        return None
    return Place(
        field,
        first,
        last,
        "".join(letter for letter, _, _ in whole),
        fit,
        left,
        trail,
        tuple(here for _, here, _ in whole),
    )


def _with_marks(form: str, printed: Sequence[_Printed], *, surely: bool) -> list[_Printed] | None:
    """The marks between a date's parts as they are printed: one kind in one date, so the one that
    was read tells the other. None where no mark tells which form was printed.
    """
    marks = [letter for letter, here, is_mark in printed if is_mark and here]
    kinds = set(marks) - {" "}
    every_mark_read = len(marks) == form.count(SEPARATOR)
    if every_mark_read and (not kinds or kinds & set("年月")):
        return list(printed)
    if not marks:
        # 20270629 is one form of eight digits; anything shorter stands in any number.
        bare = [each for each in printed if not each[2]]
        return bare if surely and len(bare) == _EIGHT_DIGITS else None
    if len(kinds) != 1 or not (_has_zeros(printed) or (surely and every_mark_read)):
        return None
    (mark,) = kinds
    return [(mark, here, True) if is_mark else (c, here, False) for c, here, is_mark in printed]


def _has_zeros(printed: Sequence[_Printed]) -> bool:
    """2028-03-05 rather than 2028-3-5, which is believed only where all of it was read."""
    return sum(not is_mark for _, _, is_mark in printed) >= _EIGHT_DIGITS


def _runs_on(letter: str) -> bool:
    """A value ends where its letters and digits do; Chinese captions follow at once."""
    return letter.isascii() and letter.isalnum()


def _same(a: float, b: float) -> bool:
    return abs(a - b) < 1e-9  # noqa: PLR2004 -- sums of a few tenths


def _as_printed(field: str, wanted: str, seen: str) -> str:
    """Months are printed as Dec and DEC; a batch is printed as it was announced."""
    if field == "expiry" and wanted.isalpha() and wanted.casefold() == seen.casefold():
        return seen
    return wanted


def _mismatch(wanted: str, seen: str) -> float:
    if seen == UNREADABLE:
        return _ALIKE_COST
    if wanted == SEPARATOR:
        return 0.0 if seen in _MARKS else 2 * _COST
    if wanted.casefold() == seen.casefold():
        return 0.0
    if wanted.isalnum() and not seen.isalnum():
        return _NO_LETTER
    upper = {wanted.upper(), seen.upper()}
    if any(upper <= set(group.upper()) for group in _ALIKE):
        return _ALIKE_COST
    return _COST


def _extra(seen: str) -> float:
    return _SPACE_COST if seen == " " else _COST


def _reads_as_another(place: Place, text: str, glyphs: Sequence[Glyph]) -> bool:
    """Do several characters surely read as others, which no printing makes look alike? Then that
    is what is printed, and the operator's answer was read elsewhere (or is wrong).
    """
    shown = [glyph for glyph in glyphs if glyph.letters and glyph.letters[0][0]]
    if len(shown) != len(text) or len(place.text) != place.end - place.start:
        return False
    surely = 0
    for wanted, glyph in zip(place.text, shown[place.start : place.end], strict=True):
        letter, probability = glyph.letters[0]
        surely += probability >= _SURE and _mismatch(wanted, letter) >= _COST
    return surely > _MOST_SURELY_OTHER
