"""What is wrong with an announced list: every finding at once, each with its line and its mend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.errors import BadAsnError

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` is the line of the file as an editor counts it, from 1; None for the whole file."""

    line: int | None
    what: str
    mend: str


def bad_asn(name: str, findings: Sequence[Finding]) -> BadAsnError:
    """One error for all findings: the message names the first, data["findings"] lists them."""
    first = findings[0]
    where = name if first.line is None else f"{name}, line {first.line}"
    more = len(findings) - 1
    what = f"{where}: {first.what}" + (f" (and {more} more)" if more else "")
    return BadAsnError(
        what,
        mend=first.mend,
        file=name,
        line=first.line,
        findings=[{"line": f.line, "what": f.what, "mend": f.mend} for f in findings[:_SHOWN]],
        total=len(findings),
    )
