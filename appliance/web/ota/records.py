"""A set's own words as a page can show them: its card, its quality record, its bounds. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contracts.errors import BadInputError
from ota.proof import LEAST_ALIKE, LEAST_PICTURES, Proof
from ota.registry.gate import Bound, bounds_of, figure_of, quality_of
from ota.registry.records import SetRecord

_INLINE: Final = re.compile(r"\*\*(?P<strong>.+?)\*\*|`(?P<code>[^`]+)`", re.DOTALL)
_MOST_FIGURES: Final = 40


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or heading of a card; parts are (strong | code | text, words)."""

    kind: str
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BoundRow:
    """One bound of the recipe's gate: what the figure is, what it was at the base set."""

    figure: str
    better: str
    now: float | None
    before: float | None
    may_lose: float
    limit: float | None
    holds: bool


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What the set was held to: done, todo or exempt."""

    name: str
    status: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class EngineRow:
    """An engine and the proof for it; `made_on` needs none."""

    engine: str
    is_proven: bool
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """A quality record. `trouble`: why it cannot be read."""

    bounds: tuple[BoundRow, ...] = ()
    rules: tuple[RuleRow, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    trouble: str = ""


LEAST: Final = {"pictures": LEAST_PICTURES, "alike": LEAST_ALIKE}


def card_blocks(text: str) -> tuple[Block, ...]:
    """A MODEL_CARD.md in its few forms: headings, paragraphs, bold words, code."""
    blocks: list[Block] = []
    for part in re.split(r"\n\s*\n", text.strip()):
        if heading := re.match(r"#{1,6}\s+(.*)", part):
            blocks.append(Block("heading", tuple(_inline(heading.group(1)))))
            part = part[heading.end() :].strip()  # noqa: PLW2901 -- what follows it without a blank line
        if part:
            blocks.append(Block("text", tuple(_inline(part))))
    return tuple(blocks)


def _inline(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    for found in _INLINE.finditer(text):
        if found.start() > at:
            yield "text", text[at : found.start()]
        kind = str(found.lastgroup)
        yield kind, found.group(kind)
        at = found.end()
    if at < len(text):
        yield "text", text[at:]


def quality_rows(record: SetRecord, base: SetRecord | None) -> Quality:
    """The record's figures, and its bounds held against the set that it was made from."""
    if not record.quality.strip():
        return Quality()
    try:
        now = quality_of(record.quality)
        before = quality_of(base.quality) if base is not None else {}
        bounds = dict.fromkeys((*bounds_of(before), *bounds_of(now)))
    except BadInputError as error:
        return Quality(trouble=error.message)
    rules = now.get("rules", {})
    return Quality(
        tuple(_bound(each, now, before) for each in bounds),
        tuple(_rule(name, each) for name, each in rules.items() if isinstance(each, Mapping)),
        tuple(_figures(now))[:_MOST_FIGURES],
    )


def _bound(bound: Bound, now: Mapping[str, Any], before: Mapping[str, Any]) -> BoundRow:
    value, was = figure_of(now, bound.figure), figure_of(before, bound.figure)
    sign = 1 if bound.better == "higher" else -1
    holds = (
        value is not None
        and (was is None or sign * (was - value) <= bound.may_lose)
        and (bound.limit is None or sign * (bound.limit - value) <= 0)
    )
    return BoundRow(bound.figure, bound.better, value, was, bound.may_lose, bound.limit, holds)


def _rule(name: str, facts: Mapping[str, Any]) -> RuleRow:
    return RuleRow(name, str(facts.get("status", "")), str(facts.get("comment", "")))


def _figures(quality: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Single numbers and words by their dotted path, without lists, rules and gates."""
    for name, value in quality.items():
        if path == "" and name in ("rules", "gate"):
            continue
        here = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from _figures(value, here)
        elif isinstance(value, int | float | str) and not isinstance(value, bool):
            yield here, str(value)


def engines(record: SetRecord) -> tuple[EngineRow, ...]:
    """The engines that the manifest names, proven ones first."""
    return (
        *(EngineRow(each, True, Proof.of(record.parity.get(each))) for each in record.variants),
        *(EngineRow(each, False, Proof.of(record.parity.get(each))) for each in record.unproven),
    )
