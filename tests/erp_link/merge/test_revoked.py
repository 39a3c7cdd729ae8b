"""A phone was lost and revoked: what it still sends is kept, and counts when quality says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.device_log import Counted, Held, Released
from contracts.errors import BadInputError, ConflictError
from contracts.stock import HoldKind, StockStatus
from erp_link.service.merge.proving import BadSignatureError, RevokedDeviceError
from tests.erp_link.merge.conftest import SHELF, House
from tests.erp_link.story import WATER


def test_what_a_revoked_phone_sends_is_kept_and_books_nothing(house: House) -> None:
    phone = house.phone("phone-1")
    house.desk.upload([phone.writes(Counted(WATER, SHELF, 9, 10))], by="Mei")
    house.desk.revoke("phone-1", reason="left in a taxi", by="ops")
    late = phone.writes(Counted(WATER, SHELF, 4, 9))
    answer = house.desk.upload([late], by="Mei")
    assert [each.code for each in answer.refused] == ["revoked_device"]
    assert house.stands(WATER) == {StockStatus.UNRESTRICTED: 9}
    assert house.kinds() == ["device_suspect"]
    assert (house.desk.device("phone-1").state, house.desk.device("phone-1").refused) == (
        "revoked",
        1,
    )


def test_quality_takes_what_it_saw_and_its_releases_lift_nothing(house: House) -> None:
    phone = house.phone("phone-1", "quality")
    hold = phone.writes(Held(HoldKind.BATCH, "torn", batch=WATER))
    house.desk.upload([hold], by="Mei")
    (held,) = house.open_holds()
    house.desk.revoke("phone-1", reason="stolen", by="ops")
    last = [phone.writes(Counted(WATER, SHELF, 8, 10)), phone.writes(Released((held,), "fine"))]
    assert house.desk.keep("phone-1", last, by="Mei") == 2
    house.desk.keep("phone-1", last, by="Mei")
    assert house.desk.device("phone-1").refused == 2, "sent again it is kept once"
    house.desk.readmit("phone-1", reason="Mei says the count is hers", by="lead")
    assert house.stands(WATER) == {StockStatus.BLOCKED: 8}
    assert house.open_holds() == {held}
    house.desk.readmit("phone-1", reason="again", by="lead")
    assert house.stands(WATER) == {StockStatus.BLOCKED: 8}
    assert house.desk.device("phone-1").state == "revoked"


def test_a_revoked_phone_is_never_enrolled_again_under_its_key(house: House) -> None:
    phone = house.phone("phone-1")
    house.desk.revoke("phone-1", reason="lost", by="ops")
    house.desk.revoke("phone-1", reason="lost twice", by="ops")
    with pytest.raises(RevokedDeviceError):
        house.desk.enrol("phone-1", phone.public_key, roles=["quality"], by="Mei")
    house.desk.revoke("phone-nobody-knows", reason="lost", by="ops")
    with pytest.raises(ConflictError):
        house.desk.readmit(house.phone("phone-2").device, reason="nothing is wrong", by="lead")


def test_what_a_revoked_phone_may_leave_behind_has_an_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("erp_link.service.merge.desk.MOST_KEPT", 1)
    phone = house.phone("phone-1")
    house.desk.revoke("phone-1", reason="lost", by="ops")
    own = phone.writes(Counted(WATER, SHELF, 9, 10))
    house.desk.check([own])
    with pytest.raises(BadSignatureError):
        house.desk.check([replace(own, signature="00" * 64)])
    house.desk.keep("phone-1", [own], by="Mei")
    with pytest.raises(BadInputError):
        house.desk.keep("phone-1", [phone.writes(Counted(WATER, SHELF, 8, 9))], by="Mei")
    assert house.desk.device("phone-1").refused == 1
