"""ANSI X12 from the outside in: delimiters, segments, and an envelope that adds up.

The delimiters are read from the ISA segment itself (X12.5): the element separator follows "ISA",
the component separator is the sixteenth element, and the character behind it ends every segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from erp_link.asn.findings import Finding, bad_asn

_ISA_ELEMENTS = 16
_ISA_MAX_CHARS = 140
_MENDED_BY_SENDER = "Ask the sender to transmit the interchange again"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. `line` is the line of the file on which it begins, from 1."""

    line: int
    elements: tuple[str, ...]

    @property
    def tag(self) -> str:
        return self.elements[0]

    def at(self, position: int) -> str:
        """Element `position` as the standard counts them (BSN02 is 2); empty where absent."""
        return self.elements[position].strip() if position < len(self.elements) else ""

    def pairs(self, start: int) -> Iterator[tuple[str, str]]:
        """Qualifier and value, two by two, from element `start`."""
        for i in range(start, len(self.elements) - 1, 2):
            yield self.at(i), self.at(i + 1)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction set, ST and SE included."""

    set_id: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Interchange:
    """What one ISA..IEA holds, with what does not add up in its envelope."""

    transactions: tuple[Transaction, ...]
    findings: tuple[Finding, ...]


def parse_interchange(text: str, *, name: str) -> Interchange:
    """Split one interchange into its transaction sets.

    Raises BadAsnError where the structure cannot be followed (no ISA, no terminator, no GS, a set
    left open). Counts and control numbers that do not agree come back as findings, so that the
    caller can name them together with the rest.
    """
    segments = split_segments(text, name=name)
    findings: list[Finding] = []
    transactions: list[Transaction] = []
    isa, rest = segments[0], segments[1:]
    group: Segment | None = None
    in_group = groups = 0
    open_set: list[Segment] | None = None
    closed = False
    for segment in rest:
        match segment.tag:
            case "GS" if group is None and not closed:
                group, in_group = segment, 0
            case "GE" if group is not None and open_set is None:
                findings += _agree(segment, "GE", segment.at(2), group.at(6), "GS06")
                findings += _count(segment, segment.at(1), in_group, "transaction sets")
                group, groups = None, groups + 1
            case "ST" if group is not None and open_set is None:
                open_set, in_group = [segment], in_group + 1
            case "SE" if open_set is not None:
                open_set.append(segment)
                findings += _agree(segment, "SE", segment.at(2), open_set[0].at(2), "ST02")
                findings += _count(segment, segment.at(1), len(open_set), "segments")
                transactions.append(Transaction(open_set[0].at(1), tuple(open_set)))
                open_set = None
            case "IEA" if group is None:
                findings += _agree(segment, "IEA", segment.at(2), isa.at(13), "ISA13")
                findings += _count(segment, segment.at(1), groups, "groups")
                closed = True
            case _ if open_set is not None:
                open_set.append(segment)
            case tag:
                raise bad_asn(
                    name,
                    [
                        Finding(
                            segment.line,
                            f"{tag!r} stands where {_wanted(group, closed=closed)} must stand",
                            _MENDED_BY_SENDER,
                        )
                    ],
                )
    if not closed:
        last = segments[-1]
        raise bad_asn(
            name,
            [
                Finding(
                    last.line,
                    f"the interchange ends after {last.tag} without its IEA: it was cut off",
                    _MENDED_BY_SENDER,
                )
            ],
        )
    return Interchange(tuple(transactions), tuple(findings))


def split_segments(text: str, *, name: str) -> Sequence[Segment]:
    """The segments in order, ISA first. Raises BadAsnError where the delimiters cannot be read."""
    text = text.removeprefix("\ufeff").lstrip()
    if not text:
        raise bad_asn(name, [Finding(None, "the file is empty", _MENDED_BY_SENDER)])
    if not text.startswith("ISA"):
        raise bad_asn(
            name,
            [
                Finding(
                    1,
                    f"an X12 interchange begins with ISA, this one with {text[:3]!r}",
                    "Send the whole interchange, from ISA to IEA",
                )
            ],
        )
    head = text[:_ISA_MAX_CHARS]
    separator = head[3:4]
    parts = head.split(separator, _ISA_ELEMENTS) if separator else []
    tail = parts[_ISA_ELEMENTS] if len(parts) > _ISA_ELEMENTS else ""
    if not _is_delimiter(separator) or len(tail) < 2:  # noqa: PLR2004 -- ISA16 and the terminator
        raise bad_asn(
            name,
            [Finding(1, "the ISA segment does not have its 16 elements", _MENDED_BY_SENDER)],
        )
    terminator = "\n" if tail[1:3] == "\r\n" else tail[1]
    if not _is_delimiter(terminator) or terminator == separator:
        raise bad_asn(
            name,
            [
                Finding(
                    1,
                    f"no segment terminator: after ISA16 stands {terminator!r}",
                    "Have the sender end each segment with a character such as ~",
                )
            ],
        )
    segments: list[Segment] = []
    line = 1
    for piece in text.split(terminator):
        stripped = piece.strip()
        begins = line + piece[: len(piece) - len(piece.lstrip())].count("\n")
        line += piece.count("\n") + (terminator == "\n")
        if stripped:
            segments.append(Segment(begins, tuple(stripped.split(separator))))
    return segments


def _is_delimiter(char: str) -> bool:
    return bool(char) and not (char.isascii() and char.isalnum()) and char != " "


def _wanted(group: Segment | None, *, closed: bool) -> str:
    if closed:
        return "the end of the file"
    return "GS or IEA" if group is None else "ST or GE"


def _agree(at: Segment, tag: str, got: str, wanted: str, other: str) -> Iterable[Finding]:
    if got != wanted:
        yield Finding(
            at.line,
            f"{tag}02 is {got or 'empty'} where {other} is {wanted or 'empty'}: "
            "the envelope's two ends are not of one message",
            _MENDED_BY_SENDER,
        )


def _count(at: Segment, got: str, counted: int, what: str) -> Iterable[Finding]:
    if not (got.isascii() and got.isdigit()) or int(got) != counted:
        yield Finding(
            at.line,
            f"{at.tag}01 says {got or 'nothing'}, there are {counted} {what}",
            _MENDED_BY_SENDER,
        )
