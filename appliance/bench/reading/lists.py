"""What was announced for a set of frames."""

from __future__ import annotations

from pathlib import Path

from contracts.asn import ExpectedLine
from erp_link.asn.files import read_asn


def expected_of(folder: Path) -> tuple[ExpectedLine, ...]:
    """The lines of `folder`'s asn.csv; none where there is no such file. Raises BadAsnError."""
    path = folder / "asn.csv"
    return tuple(map(ExpectedLine, read_asn(path).lines)) if path.exists() else ()
