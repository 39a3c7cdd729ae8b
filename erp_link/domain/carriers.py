"""Who carried a carton, as far as its own symbols say so.

An advance ship notice names no carrier, and an SSCC names its packer. What names the carrier is its
tracking number, so only numbers of a published structure count: UPS 1Z (with its check digit), the
MaxiCode structured carrier message (ANSI MH10.8.3 format 01, whose fifth field is the SCAC), postal
S10 (UPU S10, with its check digit), DHL (data identifier J with issuing agency JD, ISO/IEC 15459),
SF Express. Anything else is "", which pages call not named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_UPS = re.compile(r"1Z[0-9A-Z]{15}[0-9]")
_S10 = re.compile(r"[A-Z]{2}[0-9]{9}([A-Z]{2})")
_DHL = re.compile(r"J?JD[0-9]{16,20}")
_SF = re.compile(r"SF[0-9]{13}")
_SCAC = re.compile(r"[A-Z]{2,4}")
_MESSAGE = "[)>\x1e01\x1d96"
_SCAC_FIELD = 5
_NAMES = {"UPSN": "UPS", "UPSS": "UPS", "FDEG": "FedEx", "FDXE": "FedEx", "FEDX": "FedEx"}
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def carrier_of(symbols: Iterable[str]) -> str:
    """The carrier that the texts of a carton's symbols name; "" where none does, or two do."""
    named = {name for text in symbols if (name := _named_by(text))}
    return named.pop() if len(named) == 1 else ""


def _named_by(text: str) -> str:
    if text.startswith(_MESSAGE):
        fields = text.split("\x1d")
        scac = fields[_SCAC_FIELD] if len(fields) > _SCAC_FIELD else ""
        return _NAMES.get(scac, scac) if _SCAC.fullmatch(scac) else ""
    text = text.strip()
    if _UPS.fullmatch(text) and _ups_check(text) == int(text[-1]):
        return "UPS"
    if _DHL.fullmatch(text):
        return "DHL"
    if _SF.fullmatch(text):
        return "SF Express"
    postal = _S10.fullmatch(text)
    if postal and _s10_check(text[2:10]) == int(text[10]):
        return f"Post {postal.group(1)}"
    return ""


def _ups_check(text: str) -> int:
    """Letters count as (ASCII - 3) mod 10; every second of the 15 characters counts twice."""
    values = [int(c) if c.isdigit() else (ord(c) - 3) % 10 for c in text[2:17]]
    return -(sum(values[::2]) + 2 * sum(values[1::2])) % 10


def _s10_check(digits: str) -> int:
    left = 11 - sum(w * int(d) for w, d in zip(_S10_WEIGHTS, digits, strict=True)) % 11
    return {10: 0, 11: 5}.get(left, left)
