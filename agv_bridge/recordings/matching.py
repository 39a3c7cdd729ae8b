"""What a dialect finds in a file, for whoever writes one: by section, and by reason why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from agv_bridge.dialects.compiled import Dialect
from agv_bridge.dialects.events import Said, Vda, What
from agv_bridge.dialects.reading import NotPlacedError
from agv_bridge.recordings.findings import Finding, Unplaced
from agv_bridge.recordings.lines import read_lines
from agv_bridge.recordings.records import Record, payload_of, read_records
from agv_bridge.recordings.replay import Placer
from contracts.reason import Reason

_FIRST_LINES = 5
_MOST_REASONS = 200


@dataclass(slots=True)
class SectionMatch:
    """How often one section spoke, and what it said first."""

    key: str
    what: str
    found: int = 0
    first_line: int = 0
    example: str = ""


@dataclass(slots=True)
class ReasonMatch:
    """How many lines one reason kept out, and the first of them."""

    reason: Reason
    found: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Matched:
    """`lines` = `used` + `unplaced`, as in a replay of the same file."""

    sections: list[SectionMatch]
    reasons: list[ReasonMatch]
    lines: int = 0
    used: int = 0
    unplaced: int = 0


def match_file(path: Path, dialect: Dialect) -> Matched:
    """Try a dialect on a whole file. Raises BadInputError (no such file)."""
    sections = {
        section.key: SectionMatch(section.key, section.what) for section in dialect.sections
    }
    reasons: dict[str, ReasonMatch] = {}
    placer = Placer(dialect)
    for record in read_records(read_lines(path), dialect.file):
        placer.learn(record)
        _count(record, dialect, sections)
    for record in read_records(read_lines(path), dialect.file):
        _count_reasons(placer.place(record), reasons)
    _count_reasons(placer.finish(), reasons)
    return Matched(
        list(sections.values()),
        sorted(reasons.values(), key=lambda one: -one.found),
        placer.lines,
        placer.used,
        placer.unplaced,
    )


def _count(record: Record, dialect: Dialect, sections: dict[str, SectionMatch]) -> None:
    line = record.line
    if record.problem is not None or record.is_names:
        return
    try:
        heard = dialect.read(line if record.payload is None else payload_of(record))
    except NotPlacedError:
        return
    for one in heard:
        section = sections[one.section]
        section.found += 1
        if section.found == 1:
            section.first_line = line.number
            section.example = _shown(one.said)


def _count_reasons(findings: Iterable[Finding], reasons: dict[str, ReasonMatch]) -> None:
    """By what the reason says; when there are very many different ones, by its kind."""
    for one in findings:
        if not isinstance(one, Unplaced):
            continue
        said = f"{one.reason.code} {sorted(one.reason.params.items())}"
        key = said if said in reasons or len(reasons) < _MOST_REASONS else one.reason.code
        counted = reasons.setdefault(key, ReasonMatch(one.reason))
        counted.found += 1
        if len(counted.lines) < _FIRST_LINES:
            counted.lines.append(one.line)


def _shown(said: Said | Vda) -> str:
    if isinstance(said, Vda):
        return f"{said.topic} {said.payload.decode()[:200]}"
    names = ("id", "vehicle", "station", "order", "load", "place", "source", "target", "detail")
    when = [] if said.what is What.NOTHING else [said.at.isoformat()]
    return " ".join([*when, *(f"{n}={getattr(said, n)}" for n in names if getattr(said, n))])
