"""Which kind of announced list is this file? Told by its content, the ending only helps."""

from __future__ import annotations

import re
from pathlib import Path

from contracts.asn import Asn
from erp_link.asn.csv import parse_csv
from erp_link.asn.epcis import parse_epcis
from erp_link.asn.findings import Finding, bad_asn
from erp_link.asn.x12 import parse_x12

MAX_BYTES = 32 * 1024 * 1024
_X12_ENDINGS = (".x12", ".edi", ".856")
# Two or three capitals, then a character that no CSV header has there.
_LOOKS_X12 = re.compile(r"\s*[A-Z][A-Z0-9]{1,2}[*|^~!+:]")


def read_asn(path: Path) -> Asn:
    """The announced list in `path`: CSV, X12 856 or EPCIS 2.0.

    Raises BadAsnError naming file, line and mend: also where the file cannot be read, is larger
    than 32 MiB or is not UTF-8.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _whole(path.name, "the file is larger than 32 MiB", "Split the delivery")
        data = path.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise _whole(str(path), f"cannot be read: {why}", "Check the path") from error
    return parse_asn(data, name=path.name)


def parse_asn(data: bytes, *, name: str) -> Asn:
    """As read_asn, from bytes: what an upload sends. `name` is the file's name for errors."""
    if len(data) > MAX_BYTES:
        raise _whole(name, "the file is larger than 32 MiB", "Split the delivery")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _whole(name, "it is UTF-16", "Save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise bad_asn(
            name,
            [
                Finding(
                    line,
                    f"byte {data[error.start]:#04x} is not UTF-8",
                    "Save it as UTF-8 (in a spreadsheet: CSV UTF-8), not GBK or Windows-1252",
                )
            ],
        ) from error
    start = text.lstrip()[:4]
    if start.startswith("{"):
        return parse_epcis(text, name=name)
    if start.startswith("<"):
        raise _whole(name, "it is XML", "Send EPCIS 2.0 as JSON-LD, X12 856 or CSV")
    if start.startswith(("UNA", "UNB+")):
        raise _whole(name, "it is an EDIFACT message", "Send X12 856, EPCIS or CSV")
    if name.lower().endswith(_X12_ENDINGS) or _LOOKS_X12.match(text):
        return parse_x12(text, name=name)
    return parse_csv(text, name=name)


def _whole(name: str, what: str, mend: str) -> Exception:
    return bad_asn(name, [Finding(None, what, mend)])
