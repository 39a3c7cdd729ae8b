"""Names, numbers, choices and unit conversions as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from erp_link.domain.master_data.findings import Checked, ask, clean, mend
from erp_link.domain.master_data.text import tidy
from erp_link.domain.units import MOST_IN_ONE

UNIT_WORDS: Mapping[str, str] = {
    "ctn": "carton", "ctns": "carton", "cartons": "carton", "纸箱": "carton", "箱": "case",
    "cs": "case", "cases": "case", "bx": "box", "boxes": "box", "盒": "box",
    "btl": "bottle", "btls": "bottle", "bottles": "bottle", "瓶": "bottle",
    "pc": "piece", "pcs": "piece", "pieces": "piece", "ea": "piece", "each": "piece",
    "个": "piece", "件": "piece", "只": "piece", "bags": "bag", "袋": "bag", "包": "bag",
    "plt": "pallet", "pal": "pallet", "pallets": "pallet", "托": "pallet", "托盘": "pallet",
    "cans": "can", "罐": "can", "听": "can", "kgs": "kg", "公斤": "kg", "千克": "kg",
}  # fmt: skip
"""What people write for a unit, and the unit."""
YES = {"yes": "yes", "y": "yes", "true": "yes", "1": "yes", "是": "yes", "有": "yes"}
NO = {"no": "no", "n": "no", "false": "no", "0": "no", "否": "no", "无": "no"}
_WHOLE = re.compile(r"\d{1,10}", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}([, '\u202f])\d{3}(\1\d{3})*", re.ASCII)
_DOTTED = re.compile(r"\d{1,3}\.\d{3}(\.\d{3})*", re.ASCII)
_WITH_ZEROS = re.compile(r"(\d{1,10})\.0+", re.ASCII)
_DAYS = re.compile(r"(\d{1,5}) ?(?:d|days?|天|日)", re.IGNORECASE)
_MONTHS = re.compile(r"(\d{1,3}) ?(?:m|months?|个月|月)", re.IGNORECASE)
_YEARS = re.compile(r"(\d{1,2}) ?(?:y|years?|年)", re.IGNORECASE)
_MONTH_DAYS, _YEAR_DAYS = 30, 365
_PAIR = re.compile(r"(?:1 ?)?(\D+?) ?[=:x*] ?(\d{1,7})", re.IGNORECASE)
_PAIRS = re.compile(r"[;,|/]")


def check_text(name: str, written: str) -> Checked:
    """A name: any words, tidy."""
    text, dirt = tidy(written)
    return mend(name, dirt, written, text) if dirt and text else clean(text)


def check_choice(name: str, written: str, words: Mapping[str, str]) -> Checked:
    """One of the values of `words`, whose keys are what people write for them, in small letters."""
    text, dirt = tidy(written)
    known = words.get(text.casefold())
    if known is None:
        return ask(name, "choice", written, tuple(dict.fromkeys(words.values())))
    if known == written:
        return clean(known)
    return mend(name, dirt or "word", written, known)


def check_number(name: str, written: str, *, days: bool = False) -> Checked:
    """A whole number from 0 on, as digits; for days also `6 months`."""
    text, dirt = tidy(written)
    if _WHOLE.fullmatch(text):
        number = str(int(text))
        return clean(number) if number == written else mend(name, dirt or "digits", written, number)
    if _GROUPED.fullmatch(text):
        return mend(name, "grouped", written, str(int(re.sub(r"\D", "", text))))
    if _DOTTED.fullmatch(text):
        return ask(name, "dotted", written, (str(int(text.replace(".", ""))),))
    if match := _WITH_ZEROS.fullmatch(text):
        return mend(name, "digits", written, str(int(match.group(1))))
    return (days and _span(name, written, text)) or _no_number(name, written, text)


def _span(name: str, written: str, text: str) -> Checked | None:
    """Days are days; how many of them a month has, a person says."""
    if match := _DAYS.fullmatch(text):
        return mend(name, "unit_in_number", written, str(int(match.group(1))))
    for pattern, days in ((_MONTHS, _MONTH_DAYS), (_YEARS, _YEAR_DAYS)):
        if match := pattern.fullmatch(text):
            return ask(name, "months", written, (str(int(match.group(1)) * days),))
    return None


def _no_number(name: str, written: str, text: str) -> Checked:
    return ask(name, "negative" if text.startswith("-") else "no_number", written)


def check_unit(name: str, written: str) -> Checked:
    """A unit by its usual name, in small letters."""
    text, dirt = tidy(written)
    meant = _unit(text)
    return clean(meant) if meant == written else mend(name, dirt or "word", written, meant)


def check_units(name: str, written: str) -> Checked:
    """Conversions as `case=24;pallet=960`: how many base units are in one of each unit."""
    text, dirt = tidy(written)
    found: dict[str, int] = {}
    for part in filter(None, (each.strip() for each in _PAIRS.split(text))):
        match = _PAIR.fullmatch(part)
        if match is None or not 1 <= int(match.group(2)) <= MOST_IN_ONE:
            return ask(name, "units_unread", written, part=part)
        unit, held = _unit(match.group(1)), int(match.group(2))
        if found.get(unit, held) != held:
            choices = tuple(_pairs({**found, unit: each}) for each in (found[unit], held))
            return ask(name, "units_twice", written, choices, unit=unit)
        found[unit] = held
    meant = _pairs(found)
    return clean(meant) if meant == written else mend(name, dirt or "units_written", written, meant)


def read_units(text: str) -> dict[str, int]:
    """What a clean text of conversions says."""
    pairs = (part.split("=") for part in text.split(";") if part)
    return {unit: int(held) for unit, held in pairs}


def _pairs(units: Mapping[str, int]) -> str:
    return ";".join(f"{unit}={held}" for unit, held in units.items())


def write_units(units: Mapping[str, int]) -> str:
    """The text of conversions, by their size."""
    return _pairs(dict(sorted(units.items(), key=lambda each: (each[1], each[0]))))


def _unit(text: str) -> str:
    name = text.strip().casefold()
    return UNIT_WORDS.get(name, name)
