"""The 856 ship notice: one of our own that is whole, and the ways in which others are broken."""

from __future__ import annotations

import contextlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadAsnError
from erp_link.asn.files import read_asn
from erp_link.asn.x12 import parse_x12

BODY = (
    "ST*856*0001",
    "BSN*00*DESP-4711*20261120*1015*0001",
    "HL*1**S",
    "N1*SF*ACME FOODS*92*ACME",
    "N1*ST*OUR WAREHOUSE",
    "HL*2*1*O",
    "PRF*PO-88***20261101",
    "HL*3*2*P",
    "MAN*GM*106141411234567897",
    "HL*4*3*I",
    "LIN*1*UK*06933132577789*LT*8842-740*VN*W-500",
    "SN1*1*12*CT",
    "DTM*036*20300111",
    "PID*F****STILL WATER",
    "HL*5*2*P",
    "REF*LT*7919-521",
    "DTM*036*20290707",
    "HL*6*5*I",
    "LIN*2*EN*8809609245438",
    "SN1*2*4*CT",
    "HL*7*2*P",
    "HL*8*7*I",
    "LIN*3*UK*06933132577789*LT*8842-740",
    "SN1*3*3*CT",
    "DTM*036*20300111",
    "CTT*8",
)


def interchange(
    body: tuple[str, ...] = BODY, *, end: str = "~", sep: str = "*", lines: bool = True
) -> str:
    isa = (
        "ISA*00*          *00*          *ZZ*ACME           *ZZ*WAREHOUSE      "
        "*261120*1015*U*00401*000000007*0*P*>"
    )
    segments = [
        isa,
        "GS*SH*ACME*WH*20261120*1015*7*X*004010",
        *body,
        f"SE*{len(body) + 1}*0001",
        "GE*1*7",
        "IEA*1*000000007",
    ]
    return (end + ("\n" if lines else "")).join(segments).replace("*", sep) + end


@pytest.mark.parametrize(
    ("end", "sep", "lines"),
    [("~", "*", True), ("~", "*", False), ("$", "|", True), ("\n", "*", False), ("Ö", "^", False)],
)
def test_a_whole_notice_with_lots_at_item_and_pack(end: str, sep: str, *, lines: bool) -> None:
    asn = parse_x12(interchange(end=end, sep=sep, lines=lines), name="asn.x12")
    assert (asn.number, asn.supplier) == ("DESP-4711", "ACME")
    water, other = asn.lines
    assert (water.number, water.gtin, water.batch) == (1, "06933132577789", "8842-740")
    assert water.quantity == 15  # two pallets of one lot are one line
    assert (water.expiry, water.unit, water.sku) == (date(2030, 1, 11), "carton", "W-500")
    assert (water.description, water.order) == ("STILL WATER", "PO-88")
    assert (other.gtin, other.batch, other.expiry) == (
        "08809609245438",
        "7919-521",
        date(2029, 7, 7),
    )


def without(*starts: str) -> tuple[str, ...]:
    return tuple(s for s in BODY if not s.startswith(starts))


def replaced(old: str, new: str) -> tuple[str, ...]:
    return tuple(new if s == old else s for s in BODY)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (interchange(without("REF*LT")), "no lot"),
        (interchange(without("DTM*036*2029")), "no expiry"),
        (interchange(replaced("DTM*036*20290707", "DTM*036*290707")), "'290707' is not a date"),
        (interchange(replaced("SN1*2*4*CT", "SN1*2*-4*CT")), "quantity '-4'"),
        (interchange(replaced("LIN*2*EN*8809609245438", "LIN*2*EN*8809609245439")), "check digit"),
        (interchange(replaced("LIN*2*EN*8809609245438", "LIN*2*VN*88")), "no GTIN"),
        (interchange(replaced("MAN*GM*106141411234567897", "MAN*GM*106141411234567890")), "SSCC"),
        (interchange(replaced("HL*6*5*I", "HL*6*55*I")), "does not fit the levels"),
        (interchange(replaced("CTT*8", "CTT*9")), "CTT01 says 9"),
        (interchange(without("BSN")), "no number"),
        (interchange(replaced("ST*856*0001", "ST*850*0001")), "purchase order"),
        (interchange().replace("SE*27", "SE*26"), "SE01 says 26"),
        (interchange().replace("IEA*1*000000007", "IEA*1*000000008"), "ISA13"),
        (interchange().replace("IEA*1*000000007~", ""), "cut off"),
        (interchange()[:400], "cut off"),
        (interchange().replace("GE*1*7~\n", ""), "stands where ST or GE must stand"),
        ("ISA*00*", "16 elements"),
    ],
)
def test_a_broken_notice_is_refused_whole(text: str, says: str) -> None:
    with pytest.raises(BadAsnError) as caught:
        parse_x12(text, name="asn.x12")
    assert says in caught.value.message
    assert caught.value.mend
    assert caught.value.data["file"] == "asn.x12"


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "line", "says"),
    [
        ("po850/po850.txt", 3, "850"),
        ("x12.base.loop.txt", 3, "wanted 856"),
        ("x12.base.no.line.breaks.empty.line.txt", 1, "wanted 856"),
        ("x12.base.no.line.breaks.odd.char.txt", 1, "wanted 856"),
        ("x12.base.no.line.breaks.txt", 1, "wanted 856"),
        ("x12.base.one.txt", 3, "wanted 856"),
        ("x12.base.txt", 3, "wanted 856"),
        ("x12.missing.ISA.txt", 1, "begins with ISA"),
        ("x12.no.line.break.no.delim.txt", 1, "no segment terminator"),
        ("x12.wrong.GS.txt", 2, "'XX' stands where GS"),
        ("x12.wrong.ISA.txt", 1, "'XXX'"),
    ],
)
def test_the_broken_samples_say_what_is_wrong(
    data_dir: Path, file: str, line: int, says: str
) -> None:
    with pytest.raises(BadAsnError) as caught:
        read_asn(data_dir / "stock" / "edi_x12" / file)
    assert says in caught.value.message
    assert caught.value.data["line"] == line


@pytest.mark.data
def test_the_real_notice_names_all_that_it_lacks(data_dir: Path) -> None:
    with pytest.raises(BadAsnError) as caught:
        read_asn(data_dir / "stock" / "edi_x12" / "asn856" / "asn856.txt")
    findings = caught.value.data["findings"]
    assert isinstance(findings, list)
    said = " ".join(f["what"] for f in findings)
    assert "ISA13 is 000003438" in said
    assert said.count("no lot") == 2
    assert said.count("no expiry") == 2
    assert said.count("check digit") == 2


@given(st.data())
def test_no_cut_or_changed_byte_gives_anything_but_a_list_or_a_clear_error(
    data: st.DataObject,
) -> None:
    text = interchange()
    at = data.draw(st.integers(0, len(text) - 1))
    new = data.draw(st.sampled_from(["", "*", "~", "0", "X", "\n"]))
    for broken in (text[:at], text[:at] + new + text[at + 1 :]):
        with contextlib.suppress(BadAsnError):
            parse_x12(broken, name="x")
