"""Master data as people write it: everything is seen, nothing is mended without a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError
from contracts.gs1 import check_digit
from erp_link.domain.master_data import values
from erp_link.domain.master_data.codes import check_gtin
from erp_link.domain.master_data.findings import Checked, Kind
from erp_link.domain.master_data.lists import read_list
from erp_link.domain.master_data.products import COLUMNS, Examined, examine
from erp_link.domain.master_data.text import same_code, same_name, tidy
from erp_link.domain.products import Product, undescribed

GTIN = "06933132577789"
DIGITS = st.text("0123456789", min_size=12, max_size=12)


def only(found: Checked) -> tuple[Kind, str, str, tuple[str, ...]]:
    (one,) = found.findings
    return one.kind, one.code, one.proposed, one.choices


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("６９３３１３２５７７７８９", "full_width"),
        (" 6933132577789", "blanks"),
        ("6933132577789\u3000", "blanks"),
        ("\ufeff6933132577789", "hidden"),
        ("6933132 577789", "separators"),
        ("693-3132-577789", "separators"),
        ("6933l3257778q", ""),
        ("693313Z577789", ""),
        ("6933I32577789", "letters"),
        ("69331325777B9", ""),
    ],
)
def test_a_gtin_in_disguise_is_proposed_and_not_taken(written: str, code: str) -> None:
    found = check_gtin("gtin", written)
    assert found.value is None
    kind, said, proposed, _ = only(found)
    assert (kind, said, proposed) == (
        (Kind.MEND, code, GTIN) if code else (Kind.ASK, "gtin_not_digits", "")
    )


def test_a_gtin_that_cannot_be_known_is_asked_for() -> None:
    assert only(check_gtin("gtin", "6.93313E+12"))[:2] == (Kind.ASK, "gtin_shortened")
    assert only(check_gtin("gtin", "  "))[:2] == (Kind.ASK, "gtin_missing")
    # Two neighbours swapped: the house's own number comes first, another check digit last.
    kind, code, _, choices = only(check_gtin("gtin", "6933132577798", [GTIN]))
    assert (kind, code) == (Kind.ASK, "gtin_check_digit")
    assert choices[0] == GTIN
    assert choices[-1][:-1] == "0693313257779"
    assert only(check_gtin("gtin", "12345"))[:2] == (Kind.ASK, "gtin_length")


@given(body=DIGITS)
def test_every_right_gtin_is_taken_as_it_stands(body: str) -> None:
    number = body + check_digit(body)
    assert check_gtin("gtin", number) == Checked(number.zfill(14))


@given(body=st.text("0123456789", min_size=5, max_size=10))
def test_zeros_that_a_spreadsheet_took_come_back_only_with_a_right_check_digit(body: str) -> None:
    number = body + check_digit(body)
    found = check_gtin("gtin", number)
    if found.value is None:
        assert found.findings[0].proposed in ("", number.zfill(14))


@pytest.mark.parametrize(
    ("written", "kind", "code", "result"),
    [
        ("1,000", Kind.MEND, "grouped", "1000"),
        ("1.000", Kind.ASK, "dotted", "1000"),
        ("30.0", Kind.MEND, "digits", "30"),
        ("３０", Kind.MEND, "full_width", "30"),
        ("30 days", Kind.MEND, "unit_in_number", "30"),
        ("30天", Kind.MEND, "unit_in_number", "30"),
        ("18 months", Kind.ASK, "months", "540"),
        ("-5", Kind.ASK, "negative", ""),
        ("many", Kind.ASK, "no_number", ""),
        ("1,00", Kind.ASK, "no_number", ""),
    ],
)
def test_a_number_is_never_guessed(written: str, kind: Kind, code: str, result: str) -> None:
    said, found, proposed, choices = only(values.check_number("least_days", written, days=True))
    assert (said, found, proposed or "".join(choices)) == (kind, code, result)


def test_unit_conversions_are_read_in_the_words_of_the_trade() -> None:
    assert values.check_units("units", "case=24;pallet=960") == Checked("case=24;pallet=960")
    assert only(values.check_units("units", "Cases: 24 / PLT=960"))[2] == "case=24;pallet=960"
    assert only(values.check_units("units", "箱＝24；托盘＝960"))[2] == "case=24;pallet=960"
    assert only(values.check_units("units", "case=24;ctn"))[1] == "units_unread"
    assert only(values.check_units("units", "case=0"))[1] == "units_unread"
    _, code, _, choices = only(values.check_units("units", "case=24, cs=12"))
    assert (code, choices) == ("units_twice", ("case=24", "case=12"))


def row(**written: str) -> dict[str, str]:
    return {"gtin": "6933132577789", **written}


def seen(
    written: dict[str, str], answers: dict[str, str] | None = None, record: Product | None = None
) -> Examined:
    def record_of(gtin: str) -> Product:
        return record or undescribed(gtin)

    return examine(written, answers or {}, record_of=record_of)


def codes(found: Examined) -> list[str]:
    return [each.code for each in found.findings]


def test_a_clean_row_says_what_the_product_is() -> None:
    found = seen(
        row(name="Water", base_unit="bottle", units="case=24", total_life_days="365", dated="yes")
    )
    assert found.product is not None
    assert (found.product.units, found.product.carton_unit) == ({"case": 24}, "case")
    assert codes(found) == []


def test_nothing_is_kept_before_a_person_has_accepted_it() -> None:
    written = row(base_unit=" Bottles", units="case=24", total_life_days="365", name="Water")
    assert seen(written).product is None
    assert codes(seen(written)) == ["blanks"]
    accepted = seen(written, {"base_unit": "bottle"})
    assert accepted.product is not None
    assert accepted.product.base_unit == "bottle"


def test_missing_life_and_name_are_noted() -> None:
    found = seen(row())
    assert found.is_ready
    assert codes(found) == ["name_missing", "life_missing"]
    assert codes(seen(row(name="Salt", dated="no"))) == []


def test_a_list_that_contradicts_the_record_is_a_question() -> None:
    record = Product(GTIN, "Water", "bottle", {"case": 24}, "case", total_life_days=365)
    found = seen(row(units="case=12", name="Water 1l"), record=record)
    assert codes(found) == ["differs", "renamed"]
    assert found.findings[0].choices == ("case=24", "case=12")
    chosen = seen(row(units="case=12", name="Water 1l"), {"units": "case=24"}, record)
    assert chosen.product is not None
    assert chosen.product.units == {"case": 24}
    assert chosen.product.total_life_days == 365, "an empty cell leaves the record as it is"


def test_what_cannot_be_is_refused_in_the_words_of_the_product_desk() -> None:
    found = seen(row(min_stock="9", max_stock="3"))
    assert found.product is None
    assert codes(found) == ["refused"]


@given(text=st.text(max_size=30))
def test_tidying_twice_is_tidying_once(text: str) -> None:
    once, _ = tidy(text)
    assert tidy(once) == (once, "")
    assert same_code(text) == same_code(once)
    assert same_name(text) == same_name(once)


def test_codes_that_people_take_for_each_other_have_one_key() -> None:
    assert same_code("L26-11A0") == same_code("ｌ26 11ao") == same_code("126/11a0")
    assert same_code("L2611") != same_code("L2612")
    assert same_name("ACME Ltd ") == same_name("Ａcme-ltd")


@given(
    st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=12), max_size=len(COLUMNS)),
    st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=12), max_size=3),
)
def test_whatever_is_written_a_row_is_ready_or_says_why_not(
    written: dict[str, str], answers: dict[str, str]
) -> None:
    found = seen(written, answers)
    needed = [each for each in found.findings if each.kind is not Kind.NOTE]
    assert found.is_ready == (not needed)


def test_a_list_is_read_as_written_or_refused_whole() -> None:
    data = "\ufeffGTIN, Base Unit,colour\r\n\r\n 1 ,Bottles,red\r\n".encode()
    assert read_list(data, name="a.csv") == [(3, {"gtin": " 1 ", "base_unit": "Bottles"})]
    for wrong, where in (
        (b"gtin;name\n1;2", "commas"),
        (b"name\n1", "gtin is missing"),
        (b"gtin,gtin\n1,2", "twice"),
        (b"gtin,nane\n1,2", "'nane'"),
        (b"gtin,name\n1", "line 2"),
        (b"gtin,name\n1,\xff", "UTF-8"),
        (b'gtin\n"1', "split"),
        (b"gtin", "no rows"),
        (b"", "no rows"),
    ):
        with pytest.raises(BadInputError, match=where):
            read_list(wrong, name="a.csv")
