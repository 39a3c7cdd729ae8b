"""Lists wait for a person: what is unclean is told, what is accepted becomes products."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.stock import BatchKey
from erp_link.service.care.master_data import MasterData
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from tests.erp_link.story import JUICE, LATER, WATER

LIST = (
    "gtin,name,base_unit,units,total_life_days\n"
    "６９３３１３２５７７７８９,Still  water,Bottles,case=24,365\n"
    "8809609245438,Juice,bottle,case=12,18 months\n"
    "4006381333931,Pens,piece,,\n"
).encode()


@pytest.fixture
def desk(core: Core) -> MasterData:
    return MasterData(core)


def test_nothing_of_a_list_takes_effect_before_a_person_says_so(
    core: Core, desk: MasterData
) -> None:
    report = desk.send(LIST, name="spring.csv", by="ann")
    products = Products(core)
    number = report.summary.list_id
    assert report.codes == {"full_width": 1, "blanks": 1, "word": 1}
    assert (report.ready, [row.number for row in report.unclean]) == (1, [2, 3])
    assert not products.product(WATER.gtin).described

    assert desk.apply(number, by="ann") == 1, "only the clean line"
    assert products.product("04006381333931").name == "Pens"
    for code in ("full_width", "blanks", "word"):
        assert desk.accept(number, code=code, by="ann") == 1
    assert desk.accept(number, code="full_width", by="ann") == 0
    assert desk.report(number).ready == 1
    with pytest.raises(BadInputError):
        desk.answer(number, 3, {"colour": "red"}, by="ann")
    desk.answer(number, 3, {"total_life_days": "540"}, by="ann")
    assert desk.apply(number, by="bob") == 2
    assert products.product(WATER.gtin).units == {"case": 24}
    assert products.product(JUICE.gtin).total_life_days == 540
    assert desk.report(number).summary.state == "ended"
    with pytest.raises(ConflictError, match="done with"):
        desk.apply(number, by="bob")
    told = core.read(
        lambda c: list(
            c.exec_driver_sql("SELECT code, by FROM event WHERE what = 'master_data' ORDER BY id")
        )
    )
    assert [code for code, _ in told] == [
        "story_master_sent",
        "story_master_applied",
        *["story_master_accepted"] * 3,
        "story_master_answer",
        "story_master_applied",
    ]
    assert told[-1].by == "bob"


def test_units_that_goods_are_counted_in_do_not_change_under_them(
    core: Core, desk: MasterData
) -> None:
    core.receive(WATER, 5, location="A-01-1", expiry=LATER, by="op")
    number = desk.send(
        b"gtin,name,base_unit,units\n6933132577789,Water,bottle,case=24\n"
        b"4006381333931,Pens,piece,\n",
        name="a.csv",
        by="ann",
    ).summary.list_id
    with pytest.raises(ConflictError, match="Line 2"):
        desk.apply(number, by="ann")
    assert not Products(core).product("04006381333931").described, "all of them or none"
    desk.leave_out(number, 2, by="ann")
    assert desk.apply(number, by="ann") == 1
    with pytest.raises(ConflictError):
        desk.leave_out(number, 2, by="ann")


def test_a_list_is_kept_once_and_can_be_discarded(desk: MasterData) -> None:
    first = desk.send(LIST, name="a.csv", by="ann", key="k")
    assert desk.send(LIST, name="a.csv", by="ann", key="k").summary == first.summary
    with pytest.raises(ConflictError, match="waiting already"):
        desk.send(LIST, name="b.csv", by="ann")
    desk.discard(first.summary.list_id, by="ann")
    again = desk.send(LIST, name="b.csv", by="ann")
    assert [each.state for each in desk.lists()] == ["waiting", "ended"]
    twice = desk.send(LIST + b"4006381333931,Pens,piece,,\n", name="c.csv", by="ann")
    assert [f.code for f in twice.unclean[-1].examined.findings] == ["twice"]
    assert again.summary.rows == {"waiting": 3}
    with pytest.raises(NotFoundError):
        desk.report(99)
    with pytest.raises(NotFoundError):
        desk.answer(again.summary.list_id, 77, {"name": "x"}, by="ann")


def test_what_is_unclean_in_the_books_is_told_and_left_alone(
    core: Core, desk: MasterData, clock: FixedClock
) -> None:
    soon = clock.at.date() + timedelta(days=90)
    for key, expiry in (
        (WATER, soon),
        (BatchKey("acme ", WATER.gtin, "8842740"), date(2126, 1, 1)),
        (BatchKey("ACME", WATER.gtin, "884274O"), soon),
        (BatchKey("ACME", WATER.gtin, "8842740"), soon),
        (JUICE, None),
        (BatchKey("ACME", "4006381333931", "1"), soon),
        (BatchKey("ACME", "12", "1"), soon),
    ):
        core.receive(key, 3, location="A-01-1", expiry=expiry, by="op")
    found = {(each.code, each.gtin) for each in desk.books()}
    assert found >= {
        ("book_expiry_missing", JUICE.gtin),
        ("book_expiry_far", WATER.gtin),
        ("book_lots_alike", WATER.gtin),
        ("book_suppliers_alike", ""),
        ("book_gtin_form", "4006381333931"),
        ("book_gtin_wrong", "12"),
        ("book_undescribed", WATER.gtin),
    }
    alike = next(each for each in desk.books() if each.code == "book_lots_alike")
    assert alike.reason.params["lots"] == "8842-740, 8842740, 884274O"
