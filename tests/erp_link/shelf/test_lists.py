"""The site's lists: who to call, what was paid, which carton is which product, where goods belong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConflictError
from contracts.gs1 import check_digit
from contracts.shelf import LastPrice, Money, ShelfCode, ShelfSupplier
from erp_link.domain.shelf.lists import BadShelfListError, ListKind, PackCode, Price
from erp_link.domain.shelf.reading import COLUMNS, read_list
from erp_link.domain.shelf.writing import written
from tests.erp_link.shelf.conftest import OTHER, SHELF, House
from tests.erp_link.story import JUICE, WATER

CARTON = "16933132577786"


def findings(error: pytest.ExceptionInfo[BadShelfListError]) -> list[tuple[int | None, str]]:
    told = error.value.data["findings"]
    assert isinstance(told, list)
    return [(each["line"], each["what"]) for each in told]


def take(house: House, kind: ListKind, text: str, **more: str) -> None:
    house.lists.take_file(kind, text.encode(), name=f"{kind}.csv", by="ops", **more)


def test_a_supplier_can_be_called(house: House) -> None:
    take(
        house,
        ListKind.CONTACTS,
        "supplier,name,contact,phone,email\nACME,Acme Drinks,Li Na,+86 (571) 8888-1234,li@acme.example\n",
    )
    assert house.carried().suppliers == (
        ShelfSupplier("ACME", "Acme Drinks", "Li Na", "+8657188881234", "li@acme.example"),
    )


def test_the_header_may_be_chinese_and_its_columns_in_any_order(house: House) -> None:
    take(house, ListKind.CONTACTS, "电话,供应商,联系人\n400-800-1234,ACME,李娜\n")
    (told,) = house.carried().suppliers
    assert (told.contact, told.phone, told.name) == ("李娜", "4008001234", "ACME")


def test_the_newest_price_counts(house: House) -> None:
    take(
        house,
        ListKind.PRICES,
        f"gtin,price,currency,on,source\n{WATER.gtin},1.20,CNY,2026-09-01,PO-1\n"
        f"{WATER.gtin},1.35,CNY,2026-11-01,PO-7\n{JUICE.gtin},0.125,EUR,,\n",
    )
    assert house.product().price == LastPrice(Money(135, "CNY", 2), "2026-11-01", "PO-7")
    assert house.product(JUICE.gtin).price == LastPrice(Money(125, "EUR", 3), "")


def test_a_carton_stands_for_its_units(house: House) -> None:
    take(house, ListKind.CODES, f"gtin,code,units\n{WATER.gtin},{CARTON},12\n")
    assert house.product().codes == (ShelfCode(WATER.gtin), ShelfCode(CARTON, 12))


def test_a_planogram_says_where_goods_belong_by_product_or_carton(house: House) -> None:
    take(house, ListKind.CODES, f"gtin,code,units\n{WATER.gtin},{CARTON},12\n")
    take(
        house,
        ListKind.PLANOGRAM,
        f"place,gtin\n{SHELF},{WATER.gtin}\n{OTHER},{CARTON}\n{OTHER},{JUICE.gtin}\n",
    )
    assert house.product().places == (SHELF, OTHER)
    assert house.product(JUICE.gtin).places == (OTHER,)


def test_a_place_that_the_site_does_not_have_is_refused_with_the_one_that_was_meant(
    house: House,
) -> None:
    with pytest.raises(BadShelfListError) as error:
        take(house, ListKind.PLANOGRAM, f"place,gtin\nA-01-99,{WATER.gtin}\n")
    assert "A-01-" in error.value.mend
    assert house.lists.rows(ListKind.PLANOGRAM) == ()


def test_every_wrong_line_is_told_and_nothing_is_kept(house: House) -> None:
    take(house, ListKind.PRICES, f"gtin,price,currency\n{WATER.gtin},1.20,CNY\n")
    with pytest.raises(BadShelfListError) as error:
        take(
            house,
            ListKind.PRICES,
            "gtin,price,currency,on\n6933132577780,1,CNY,\n"
            f"{WATER.gtin},1¥,CNY,\n{WATER.gtin},1,yuan,\n{WATER.gtin},1,CNY,1.11.26\n\n"
            f"{JUICE.gtin},2,CNY,\n{JUICE.gtin},3,CNY,\n",
        )
    assert [line for line, _ in findings(error)] == [2, 3, 4, 5, 8]
    assert "line 7" in findings(error)[-1][1]
    assert len(house.lists.rows(ListKind.PRICES)) == 1


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (ListKind.CODES, b"", "it is empty"),
        (ListKind.CODES, b"gtin,code\n1,2\n", "units is missing"),
        (ListKind.CODES, b"gtin,code,unitz\n", "'unitz' is not known"),
        (ListKind.CODES, b"gtin,gtin,units\n", "'gtin' is there twice"),
        (ListKind.PLACES, b"place\nA,B\n", "2 fields"),
        (ListKind.PLACES, b'place\n"A\n', "cannot be split"),
        (ListKind.PLACES, "place\n货位".encode("gbk"), "not UTF-8"),
        (ListKind.PLACES, b"place\n@customer\n", "no place in the house"),
        (ListKind.CONTACTS, b"supplier,phone\nACME,call me\n", "cannot be called"),
        (ListKind.CONTACTS, b"supplier,email\nACME,li at acme\n", "no address"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(kind: ListKind, data: bytes, said: str) -> None:
    with pytest.raises(BadShelfListError) as error:
        read_list(kind, data, name="list.csv")
    assert said in str(error.value)
    assert error.value.mend


def test_a_code_cannot_be_a_carton_and_a_product_of_its_own() -> None:
    text = f"gtin,code,units\n{WATER.gtin},{CARTON},12\n{CARTON},{JUICE.gtin},2\n"
    with pytest.raises(BadShelfListError, match="a product of its own"):
        read_list(ListKind.CODES, text.encode(), name="codes.csv")


def test_a_list_replaces_the_one_before_and_the_same_again_changes_nothing(house: House) -> None:
    take(house, ListKind.CONTACTS, "supplier\nACME\nZENITH\n")
    version = house.carried().version
    take(house, ListKind.CONTACTS, "supplier\nACME\nZENITH\n")
    assert house.carried().version == version
    take(house, ListKind.CONTACTS, "supplier\nACME\n")
    assert [each.id for each in house.carried().suppliers] == ["ACME"]
    kept = {each.kind: each for each in house.lists.lists()}
    assert (kept[ListKind.CONTACTS].rows, kept[ListKind.CONTACTS].imported_by) == (1, "ops")
    assert kept[ListKind.PRICES].imported_at is None


def test_a_key_stands_for_one_list(house: House) -> None:
    take(house, ListKind.CONTACTS, "supplier\nACME\n", key="import-0001")
    with pytest.raises(ConflictError):
        take(house, ListKind.CONTACTS, "supplier\nZENITH\n", key="import-0001")


GTINS = st.integers(1, 10**12 - 1).map(lambda n: f"0{n:012d}" + check_digit(f"0{n:012d}"))
PRICES = st.builds(
    Price,
    GTINS,
    st.integers(0, 10**12 - 1),
    st.sampled_from(["CNY", "JPY", "KWD"]),
    st.just(6),
    st.dates().map(lambda day: day.isoformat()),
    st.text("abc ,\"'", max_size=9).map(str.strip),
)


@given(st.lists(PRICES | st.builds(PackCode, GTINS, GTINS, st.integers(1, 99)), max_size=9))
def test_what_is_written_is_read_again_as_it_was(rows: list[Price | PackCode]) -> None:
    for kind, chosen in (
        (ListKind.PRICES, {(r.gtin, r.on): r for r in rows if isinstance(r, Price)}),
        (ListKind.CODES, {r.code: r for r in rows if isinstance(r, PackCode)}),
    ):
        if kind is ListKind.CODES and {r.gtin for r in chosen.values()} & {*chosen}:
            continue
        lines = [
            ",".join('"' + cell.replace('"', '""') + '"' for cell in written(row))
            for row in chosen.values()
        ]
        text = "\n".join([",".join(COLUMNS[kind]), *lines])
        again = read_list(kind, text.encode(), name="again.csv")
        assert [value_of(row) for row in again] == [value_of(row) for row in chosen.values()]


def value_of(row: object) -> object:
    """A price by what it is worth: written decimals that are nothing are not kept."""
    if isinstance(row, Price):
        return row.gtin, row.amount * 10 ** (6 - row.digits), row.currency, row.on, row.source
    return row
