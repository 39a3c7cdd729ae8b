"""Odoo and ERPNext, simulated from their documentation: the same messages through the one skeleton,
with answers lost, requests doubled, wizards, and refusals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

import httpx
import pytest

from contracts.errors import UnavailableError
from erp_link.connectors.erpnext.connector import ErpnextConnector
from erp_link.connectors.http import Wire
from erp_link.connectors.names import NameKind, Names
from erp_link.connectors.odoo.connector import OdooConnector
from erp_link.connectors.port import ErpDocument, ErpPort, ErpRefusedError, Stopped
from erp_link.connectors.skeleton import deliver
from erp_link.domain.erp.messages import Goods, Message, MessageKind, Zone
from tests.erp_link.story import WATER
from tests.support import erpnext, odoo
from tests.support.erpnext import Erpnext
from tests.support.odoo import Odoo

URL = "http://erp.test"
BOOK = {("partner", "ACME"): "Acme Ltd", ("customer", "*"): "Shop"}


@dataclass
class Line:
    """The wire between connector and ERP, which may be cut or doubled. `lose` and `double` say how
    many of the next creating requests are: done, and their answers lost; sent twice.
    """

    handle: Callable[[httpx.Request], httpx.Response]
    lose: int = 0
    double: int = 0
    away: bool = False
    book: dict[tuple[str, str], str] = field(default_factory=lambda: dict(BOOK))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("refused")
        makes = request.url.path.endswith(
            ("stock.picking/create", "Purchase Receipt", "Stock Entry", "Delivery Note")
        ) and request.method == "POST"  # fmt: skip
        if makes and self.double:
            self.double -= 1
            self.handle(request)
        answer = self.handle(request)
        if makes and self.lose:
            self.lose -= 1
            raise httpx.ReadTimeout("no answer")
        return answer

    def wire(self) -> Wire:
        return Wire(URL, transport=httpx.MockTransport(self))

    def names(self) -> Names:
        return Names(self.book)


@dataclass
class Peer:
    """One simulated ERP, its connector, and what is free and set apart of the story's lot."""

    line: Line
    port: ErpPort
    free: Callable[[], int]
    apart: Callable[[], int]
    documents: Callable[[], int]


def odoo_peer() -> Peer:
    erp = Odoo()
    erp.product(WATER.gtin, "Still water")
    erp.partner("Acme Ltd")
    erp.partner("Shop")
    line = Line(erp.handle)
    port = OdooConnector(line.wire(), database="wh", key=odoo.KEY, names=line.names)
    return Peer(
        line,
        port,
        lambda: erp.on_hand(WATER.lot),
        lambda: erp.on_hand(WATER.lot, 2),
        lambda: sum(row["state"] == "done" for row in erp.rows("stock.picking")),
    )


def erpnext_peer(*, unique: bool = False) -> Peer:
    erp = Erpnext(unique=unique)
    erp.item("WATER", WATER.gtin)
    line = Line(erp.handle)
    port = ErpnextConnector(
        line.wire(),
        key=erpnext.KEY,
        secret=erpnext.SECRET,
        company=erpnext.COMPANY,
        warehouse=erpnext.STORES,
        quarantine=erpnext.QUARANTINE,
        names=line.names,
    )
    doctypes = ("Purchase Receipt", "Stock Entry", "Delivery Note")
    return Peer(
        line,
        port,
        lambda: erp.on_hand(WATER.lot),
        lambda: erp.on_hand(WATER.lot, erpnext.QUARANTINE),
        lambda: sum(row["docstatus"] == 1 for each in doctypes for row in erp.rows(each)),
    )


@pytest.fixture(params=["odoo", "erpnext", "erpnext-unique"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    made = {
        "odoo": odoo_peer,
        "erpnext": erpnext_peer,
        "erpnext-unique": lambda: erpnext_peer(unique=True),
    }[request.param]()
    yield made
    made.port.close()


def receipt(units: int = 5, blocked: int = 0, *, reference: str = "TM-R1") -> Message:
    goods = Goods(WATER, units, blocked, lot=WATER.lot, expiry=date(2027, 6, 30))
    return Message(MessageKind.RECEIPT, reference, (goods,), partner="ACME")


def shift(to: Zone, units: int, reference: str) -> Message:
    return Message(MessageKind.SHIFT, reference, (Goods(WATER, units, lot=WATER.lot),), to=to)


def issue(units: int, reference: str = "TM-I9", order: str = "SO-1") -> Message:
    goods = (Goods(WATER, units, lot=WATER.lot),)
    return Message(MessageKind.ISSUE, reference, goods, document=order, why=order)


def test_received_set_apart_freed_and_shipped(peer: Peer) -> None:
    deliver(peer.port, receipt(5, 1))
    assert (peer.free(), peer.apart()) == (4, 1)
    deliver(peer.port, shift(Zone.QUARANTINE, 4, "TM-S2"))
    assert (peer.free(), peer.apart()) == (0, 5)
    deliver(peer.port, shift(Zone.FREE, 4, "TM-S3"))
    deliver(peer.port, issue(3))
    assert (peer.free(), peer.apart()) == (1, 1)
    assert peer.documents() == 4


def test_told_again_changes_nothing(peer: Peer) -> None:
    first = deliver(peer.port, receipt())
    assert deliver(peer.port, receipt()) == first
    assert (peer.free(), peer.documents()) == (5, 1)


def test_an_answer_that_was_lost_makes_no_second_document(peer: Peer) -> None:
    peer.line.lose = 1
    with pytest.raises(UnavailableError):
        deliver(peer.port, receipt())
    deliver(peer.port, receipt())
    assert (peer.free(), peer.documents()) == (5, 1)


def test_a_request_that_was_sent_twice_has_one_effect(peer: Peer) -> None:
    peer.line.double = 1
    try:
        deliver(peer.port, receipt())
    except UnavailableError:
        # Refused as a duplicate where the field is unique: found at the next try.
        deliver(peer.port, receipt())
    assert (peer.free(), peer.documents()) == (5, 1)


def test_an_erp_that_is_away_is_tried_again(peer: Peer) -> None:
    peer.line.away = True
    with pytest.raises(UnavailableError, match="does not answer"):
        deliver(peer.port, receipt())
    peer.line.away = False
    deliver(peer.port, receipt())
    assert peer.documents() == 1


def test_more_than_the_erp_has_is_a_refusal_in_its_words(peer: Peer) -> None:
    deliver(peer.port, receipt(2))
    with pytest.raises(ErpRefusedError, match=r"more than you have|needed in"):
        deliver(peer.port, issue(3))
    assert peer.free() == 2


def test_a_product_that_nobody_knows_names_its_mend(peer: Peer) -> None:
    goods = (Goods(WATER.__class__("ACME", "04006381333931", "L1"), 1, lot="L1"),)
    with pytest.raises(ErpRefusedError, match="04006381333931") as caught:
        deliver(peer.port, Message(MessageKind.RECEIPT, "TM-R7", goods, partner="ACME"))
    assert "Names" in caught.value.mend


def test_an_order_that_nobody_knows_asks_whom_it_is_for(peer: Peer) -> None:
    deliver(peer.port, receipt())
    del peer.line.book["customer", "*"]
    with pytest.raises(ErpRefusedError, match="whom the order is for"):
        deliver(peer.port, issue(1))
    peer.line.book[NameKind.CUSTOMER.value, "SO-1"] = "Shop"
    deliver(peer.port, issue(1))
    assert peer.free() == 4


def test_two_documents_with_effect_are_told_and_not_mended_in_silence() -> None:
    erp = Erpnext()
    erp.item("WATER", WATER.gtin)
    line = Line(erp.handle)
    port = ErpnextConnector(
        line.wire(), key=erpnext.KEY, secret=erpnext.SECRET, company=erpnext.COMPANY,
        warehouse=erpnext.STORES, quarantine=erpnext.QUARANTINE, names=line.names,
    )  # fmt: skip
    for _ in range(2):
        made = port.create(receipt())
        port.advance(receipt(), made)
    with pytest.raises(ErpRefusedError, match="more than once: MAT-PRE-00001, MAT-PRE-00002"):
        deliver(port, receipt())


def test_odoo_asks_with_a_wizard_and_the_picking_is_named() -> None:
    erp = Odoo(asks="stock.backorder.confirmation")
    erp.product(WATER.gtin, "Still water")
    erp.partner("Acme Ltd")
    line = Line(erp.handle)
    port = OdooConnector(line.wire(), database="wh", key=odoo.KEY, names=line.names)
    with pytest.raises(
        ErpRefusedError, match=r"WH/IN/00001 confirmed and asks with stock\.backorder"
    ):
        deliver(port, receipt())
    # A person answered it there, or the setting is mended: the same message ends.
    erp.asks = ""
    done = deliver(port, receipt())
    assert isinstance(done, ErpDocument)
    assert done.number == "WH/IN/00001"


def test_odoo_unreserves_and_tells_what_was_picked() -> None:
    erp = Odoo()
    product = erp.product(WATER.gtin, "Still water")
    erp.partner("Acme Ltd")
    line = Line(erp.handle)
    port = OdooConnector(line.wire(), database="wh", key=odoo.KEY, names=line.names)
    deliver(port, receipt())
    waiting = erp.assigned("SO-1", product, WATER.lot, 2)
    picked = erp.assigned("SO-2", product, WATER.lot, 1, picked=True)
    goods = (Goods(WATER, 0, lot=WATER.lot),)
    stopped = deliver(port, Message(MessageKind.STOP, "TM-H1", goods))
    assert isinstance(stopped, Stopped)
    assert {each.number: each.at_risk for each in stopped.documents} == {
        waiting: False,
        picked: True,
    }
    states = {row["name"]: row["state"] for row in erp.rows("stock.picking")}
    assert states[waiting] == "confirmed"


def test_erpnext_reservations_are_cancelled_and_orders_linked() -> None:
    erp = Erpnext()
    erp.item("WATER", WATER.gtin)
    erp.order("SO-1", "Corner shop", "WATER", 3)
    line = Line(erp.handle)
    port = ErpnextConnector(
        line.wire(), key=erpnext.KEY, secret=erpnext.SECRET, company=erpnext.COMPANY,
        warehouse=erpnext.STORES, quarantine=erpnext.QUARANTINE, names=line.names,
    )  # fmt: skip
    deliver(port, receipt())
    entry = erp.reserve("SO-1", WATER.lot)
    stopped = deliver(port, Message(MessageKind.STOP, "TM-H1", (Goods(WATER, 0, lot=WATER.lot),)))
    assert isinstance(stopped, Stopped)
    assert [each.number for each in stopped.documents] == ["SO-1"]
    assert erp.tables["Stock Reservation Entry"][entry]["docstatus"] == 2
    deliver(port, issue(3))
    note = erp.rows("Delivery Note")[0]
    assert note["customer"] == "Corner shop"
    assert note["items"][0]["so_detail"] == "SO-1-1"


@pytest.mark.parametrize("peer", ["odoo", "erpnext"], indirect=True)
def test_a_wrong_key_is_a_person_s_to_mend(peer: Peer) -> None:
    handle = peer.line.handle

    def without_key(request: httpx.Request) -> httpx.Response:
        request.headers["authorization"] = "nobody"
        return handle(request)

    peer.line.handle = without_key
    with pytest.raises(ErpRefusedError, match="Invalid"):
        deliver(peer.port, receipt())
