"""The announced list as CSV: what imports, and what is refused with file, line and mend."""

from __future__ import annotations

import contextlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadAsnError
from erp_link.asn.csv import parse_csv
from erp_link.asn.files import parse_asn, read_asn

GOOD = "gtin,batch,expiry\n06933132577789,8842-740,2030-01-11\n08809609245438,7919-521,2029-07-07\n"


@pytest.mark.data
def test_the_development_list_imports(data_dir: Path) -> None:
    asn = read_asn(data_dir / "labels" / "damaged_dev" / "asn.csv")
    assert len(asn.lines) == 500
    assert [line.number for line in asn.lines] == list(range(1, 501))
    assert asn.lines[0].gtin == "06933132577789"
    assert asn.lines[0].expiry == date(2030, 1, 11)


def test_a_full_line_with_crlf_bom_and_quotes() -> None:
    text = (
        "\ufeffgtin,batch,expiry,sku,description,quantity,unit,supplier,order\r\n"
        '6933132577789,A1,2030-01-11,S-1,"Water, still",24,bottle,ACME,PO-7\r\n'
    )
    asn = parse_asn(text.encode(), name="delivery-12.csv")
    assert (asn.number, asn.supplier) == ("delivery-12", "ACME")
    (line,) = asn.lines
    assert (line.gtin, line.description, line.quantity) == ("06933132577789", "Water, still", 24)
    assert str(line.key) == "ACME/06933132577789/A1"


def test_a_column_of_another_system_is_left_alone() -> None:
    text = "gtin,batch,expiry,colour\n06933132577789,A1,2030-01-11,red\n"
    assert len(parse_csv(text, name="x.csv").lines) == 1


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", None, "empty"),
        ("gtin,batch,expiry\n", None, "no lines"),
        ("gtin,batch\n06933132577789,A1\n", 1, "column expiry is missing"),
        ("gtin;batch;expiry\n06933132577789;A1;2030-01-11\n", 1, "separated by semicolons"),
        ("gtin,batch,expiry,quantiy\n06933132577789,A1,2030-01-11,4\n", 1, "'quantiy'"),
        (GOOD + "06933132577788,A1,2030-01-11\n", 4, "check digit is 9"),
        (GOOD + "6.93E+12,A1,2030-01-11\n", 4, "not 8, 12, 13 or 14 digits"),
        (GOOD + "06933132577789,8842-740,2030-01-11\n", 4, "already in line 2"),
        (GOOD + "06933132577789,A1,2030-02-30\n", 4, "'2030-02-30' is not a date"),
        (GOOD + "06933132577789,A1,11.01.2030\n", 4, "not a date"),
        (GOOD + "06933132577789,,2030-01-11\n", 4, "not a GS1 batch number"),
        (GOOD + "06933132577789,A1\n", 4, "2 fields where the header has 3"),
        (GOOD + '06933132577789,"A1,2030-01-11\n', 4, "cannot be split"),
        ("gtin,batch,expiry,quantity\n06933132577789,A1,2030-01-11,0\n", 2, "quantity '0'"),
        ("gtin,batch,expiry,quantity\n06933132577789,A1,2030-01-11,-4\n", 2, "quantity '-4'"),
        ("gtin,batch,expiry,quantity\n06933132577789,A1,2030-01-11,1.5\n", 2, "quantity '1.5'"),
    ],
)
def test_a_wrong_list_is_refused_whole(text: str, line: int | None, says: str) -> None:
    with pytest.raises(BadAsnError) as caught:
        parse_csv(text, name="list.csv")
    assert caught.value.data["file"] == "list.csv"
    assert caught.value.data["line"] == line
    assert says in caught.value.message
    assert "list.csv" in caught.value.message
    assert caught.value.mend


def test_every_wrong_line_is_named_at_once() -> None:
    text = GOOD + "1,A1,2030-01-11\n06933132577789,A2,never\n"
    with pytest.raises(BadAsnError, match="and 1 more") as caught:
        parse_csv(text, name="list.csv")
    findings = caught.value.data["findings"]
    assert isinstance(findings, list)
    assert [f["line"] for f in findings] == [4, 5]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("gtin,batch,expiry\n,é,\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8"),
        (GOOD.encode("utf-16"), "UTF-16"),
        (b"gtin,batch,expiry\n\x00,a,b\n", "zero bytes"),
        (b"UNB+UNOC:3+a+b'UNH+1+DESADV'", "EDIFACT"),
        (b",,\n , \n", "the file is empty"),
    ],
)
def test_another_encoding_is_refused_clearly(data: bytes, says: str) -> None:
    with pytest.raises(BadAsnError, match=says):
        parse_asn(data, name="list.csv")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadAsnError, match="cannot be read"):
        read_asn(tmp_path / "absent.csv")


@given(st.binary(max_size=300))
def test_any_bytes_give_a_list_or_a_clear_error(data: bytes) -> None:
    with contextlib.suppress(BadAsnError):
        parse_asn(data, name="x.csv")


@given(st.text(alphabet='gtinbachexpry,;"\n\r0123456789-*~', max_size=200))
def test_any_text_gives_a_list_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(BadAsnError):
        parse_csv("gtin,batch,expiry\n" + text, name="x.csv")
