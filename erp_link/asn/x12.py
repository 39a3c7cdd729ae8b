"""An X12 856 ship notice as an announced list.

Levels shipment, order, pack (tare, pack) and item of the HL loops; lot and expiry may stand at
the item or at the pack around it. A line without lot or expiry is refused, not set aside: a batch
that is not named can be neither matched nor held (I3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from contracts.asn import Asn, AsnLine
from contracts.errors import BadInputError
from contracts.gs1 import has_valid_check_digit, is_lot, normalise_gtin
from erp_link.asn.findings import Finding, bad_asn
from erp_link.asn.segments import Interchange, Segment, parse_interchange

_SET_NAMES = {"850": "purchase order", "810": "invoice", "855": "order acknowledgement"}
_UNITS = {"CT": "carton", "CA": "carton", "CS": "carton", "EA": "each", "PC": "each"}
_SUPPLIER_ROLES = ("SU", "VN", "SF", "SH")
_GTIN_QUALIFIERS = ("UK", "EN", "UP", "UA", "UI")
_SKU_QUALIFIERS = ("VN", "VP", "VA", "SK")
_LEVELS = frozenset("SOTPI")
_SSCC_DIGITS = 18


@dataclass(frozen=True, slots=True)
class _Loop:
    """One HL loop with its own segments and the loops around it."""

    head: Segment
    around: _Loop | None
    segments: list[Segment] = field(default_factory=list)

    @property
    def level(self) -> str:
        return self.head.at(3)

    def outwards(self) -> Iterator[_Loop]:
        loop: _Loop | None = self
        while loop is not None:
            yield loop
            loop = loop.around

    def first(self, tag: str, qualifier: str | None = None) -> Segment | None:
        """The nearest such segment, here or in a loop around this one."""
        for loop in self.outwards():
            for segment in loop.segments:
                if segment.tag == tag and qualifier in (None, segment.at(1)):
                    return segment
        return None


def parse_x12(text: str, *, name: str) -> Asn:
    """The announced lines of the one 856 in `text`.

    GTIN from LIN (UK, EN, UP), lot from LIN LT or REF LT, expiry from DTM 036, quantity from SN1,
    order from PRF, description from PID, supplier from N1 (SU, VN, SF, SH: its code, or its
    name). The same lot packed on several pallets becomes one line.

    Raises BadAsnError with every finding: envelope, levels, and what an item lacks.
    """
    interchange = parse_interchange(text, name=name)
    segments = _the_856(interchange, name=name)
    findings = list(interchange.findings)
    loops = _loops(segments, findings)
    bsn = next((s for s in segments if s.tag == "BSN"), None)
    number = bsn.at(2) if bsn else ""
    if not number:
        findings.append(
            Finding(
                (bsn or segments[0]).line,
                "the ship notice has no number (BSN02)",
                "Ask the sender to number it",
            )
        )
    supplier = _supplier(segments)
    merged: dict[tuple[str, str, str], AsnLine] = {}
    for loop in loops:
        findings += _wrong_sscc(loop)
        if loop.level != "I":
            continue
        wrong, line = _line(loop, supplier)
        findings += wrong
        if line is None:
            continue
        key = (line.gtin, line.batch, line.order)
        before = merged.get(key)
        if before is not None and before.expiry != line.expiry:
            findings.append(
                Finding(
                    loop.head.line,
                    f"batch {line.batch} of {line.gtin} has two expiry dates, "
                    f"{before.expiry} and {line.expiry}",
                    "Ask the sender which one is printed",
                )
            )
            continue
        merged[key] = _plus(before, line, len(merged) + 1)
    if not merged and not findings:
        findings.append(
            Finding(segments[0].line, "the ship notice has no item loops", "Ask the sender")
        )
    if findings:
        raise bad_asn(name, findings)
    return Asn(number=number, supplier=supplier, lines=tuple(merged.values()))


def _the_856(interchange: Interchange, *, name: str) -> tuple[Segment, ...]:
    notices = [t for t in interchange.transactions if t.set_id == "856"]
    if len(notices) == 1:
        return notices[0].segments
    if notices:
        finding = Finding(
            notices[1].segments[0].line,
            f"the interchange holds {len(notices)} ship notices",
            "Send each ship notice as a file of its own",
        )
    elif interchange.transactions:
        other = interchange.transactions[0]
        called = _SET_NAMES.get(other.set_id, "not a ship notice")
        finding = Finding(
            other.segments[0].line,
            f"the transaction set is {other.set_id!r} ({called}), wanted 856",
            "Send the 856 ship notice of this delivery",
        )
    else:
        finding = Finding(None, "the interchange holds no transaction set", "Send an 856")
    raise bad_asn(name, [finding])


def _loops(segments: tuple[Segment, ...], findings: list[Finding]) -> list[_Loop]:
    by_id: dict[str, _Loop] = {}
    current: _Loop | None = None
    for segment in segments:
        if segment.tag == "HL":
            parent, level = segment.at(2), segment.at(3)
            if segment.at(1) in by_id or level not in _LEVELS or (parent and parent not in by_id):
                findings.append(
                    Finding(
                        segment.line,
                        f"level HL {segment.at(1)!r} under {parent!r} of kind {level!r} "
                        "does not fit the levels before it",
                        "Ask the sender to number the HL loops in order (kinds S, O, T, P, I)",
                    )
                )
            current = _Loop(segment, by_id.get(parent))
            by_id.setdefault(segment.at(1), current)
        elif segment.tag == "CTT":
            current = None
            if segment.at(1) != str(len(by_id)):
                findings.append(
                    Finding(
                        segment.line,
                        f"CTT01 says {segment.at(1)}, there are {len(by_id)} levels",
                        "Ask the sender to transmit the whole notice",
                    )
                )
        elif current is not None:
            current.segments.append(segment)
    return list(by_id.values())


def _line(loop: _Loop, supplier: str) -> tuple[list[Finding], AsnLine | None]:
    at = loop.head.line
    lin = next((s for s in loop.segments if s.tag == "LIN"), None)
    codes = dict(lin.pairs(2)) if lin else {}
    item = f"item {codes.get('VN') or codes.get('VP') or loop.head.at(1)}"
    findings: list[Finding] = []
    gtin = ""
    raw = next((codes[q] for q in _GTIN_QUALIFIERS if codes.get(q)), "")
    try:
        gtin = normalise_gtin(raw)
    except BadInputError as error:
        what = error.message if raw else "no GTIN (LIN with UK, EN or UP)"
        mend = error.mend if raw else "Ask the sender for the GTIN on the carton"
        findings.append(Finding(at, f"{item}: {what}", mend))
    ref = loop.first("REF", "LT")
    lot = codes.get("LT") or (ref.at(2) if ref else "")
    if not is_lot(lot):
        what = f"{lot!r} is not a GS1 batch number" if lot else "no lot (LIN or REF with LT)"
        findings.append(
            Finding(
                at, f"{item}: {what}", "Ask the sender to name the lot, or send the list as CSV"
            )
        )
    dtm = loop.first("DTM", "036")
    expiry = _date(dtm.at(2)) if dtm else None
    if expiry is None:
        what = f"{dtm.at(2)!r} is not a date" if dtm else "no expiry (DTM with 036)"
        findings.append(
            Finding(at, f"{item}: {what}", "Ask the sender for the expiry as year, month, day")
        )
    sn1 = loop.first("SN1")
    quantity = sn1.at(2) if sn1 else ""
    if not (quantity.isascii() and quantity.isdigit() and len(quantity) <= 9 and int(quantity)):  # noqa: PLR2004 -- under a thousand million
        findings.append(
            Finding(
                at,
                f"{item}: quantity {quantity!r} is not a whole number of at least 1 (SN102)",
                "Ask the sender for the shipped quantity in whole units",
            )
        )
    if findings or expiry is None or sn1 is None:
        return findings, None
    prf, pid = loop.first("PRF"), loop.first("PID")
    return [], AsnLine(
        number=0,
        gtin=gtin,
        batch=lot,
        expiry=expiry,
        quantity=int(quantity),
        unit=_UNITS.get(sn1.at(3), sn1.at(3).lower() or "carton"),
        sku=next((codes[q] for q in _SKU_QUALIFIERS if codes.get(q)), ""),
        description=pid.at(5) if pid else "",
        supplier=supplier,
        order=prf.at(1) if prf else "",
    )


def _plus(before: AsnLine | None, line: AsnLine, number: int) -> AsnLine:
    if before is None:
        return replace(line, number=number)
    return replace(before, quantity=before.quantity + line.quantity)


def _supplier(segments: tuple[Segment, ...]) -> str:
    parties = {s.at(1): s.at(4) or s.at(2) for s in reversed(segments) if s.tag == "N1"}
    return next((parties[role] for role in _SUPPLIER_ROLES if parties.get(role)), "")


def _wrong_sscc(loop: _Loop) -> Iterator[Finding]:
    for segment in loop.segments:
        if segment.tag != "MAN" or segment.at(1) != "GM":
            continue
        digits = segment.at(2)
        # The number may stand with its application identifier (00) in front.
        sscc = digits[2:] if len(digits) == _SSCC_DIGITS + 2 and digits[:2] == "00" else digits
        if len(sscc) != _SSCC_DIGITS or not has_valid_check_digit(sscc):
            yield Finding(
                segment.line,
                f"SSCC {digits!r} is not 18 digits with a right check digit",
                "Ask the sender for the number on the logistic label",
            )


def _date(text: str) -> date | None:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):  # noqa: PLR2004 -- CCYYMMDD
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
