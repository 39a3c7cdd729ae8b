"""The whole story against a real Tryton: announced, received, judged, held, its shipment
unassigned, released, shipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.bench.core.tryton_peer import Tryton
from contracts.asn import Asn
from contracts.reason import Reason
from contracts.stock import HoldKind, UsageDecision
from contracts.verdict import Decision
from erp_link.domain.erp.delivery import State
from erp_link.service.core import Core
from erp_link.service.erp import outbox
from erp_link.service.erp.worker import ErpWorker
from tests.erp_link.story import WATER, Station
from tests.support.deciding import decided
from tests.support.tryton import IN, OUT, Books, connector

# The first of them may have to install and set up Tryton.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def worker(core: Core, tryton: Tryton) -> Iterator[ErpWorker]:
    made = ErpWorker(core, connector(tryton), prefix="TM", holder="hub-1")
    yield made
    made.close()


def troubles(core: Core) -> list[str]:
    return [
        f"{letter.message.reference}: {letter.trouble}"
        for letter in core.read(outbox.letters)
        if letter.state is not State.DONE
    ]


def test_from_announcement_to_goods_gone(
    core: Core, tryton: Tryton, books: Books, worker: ErpWorker, station: Station
) -> None:
    # Announced in Tryton, read from there.
    books.expects("DESP-9", (books.water, WATER.lot, 6))
    asn = connector(tryton).announced()[0]
    assert isinstance(asn, Asn)
    core.import_asn(asn, by="erp")

    # Received and judged at the dock: five good cartons, one crushed, one never came.
    station.session = core.open_session("DESP-9", dock="dock-1", by="op")
    for carton in "abcd":
        station.accepts(carton)
    station.judges("e", Decision.HOLD, WATER, reason="condition_damaged")
    worker.step()
    assert books.state(IN, "DESP-9") == "draft"
    core.close_session(station.session, by="op")
    worker.step()
    assert troubles(core) == []
    assert books.state(IN, "DESP-9") == "done"
    assert books.stock(books.water, WATER.lot) == {"STO": 4, "QUAR": 1}

    # A clerk assigns the lot to a customer; then the batch is held here.
    order = books.orders((books.water, 3))
    assert books.assigns(order, WATER.lot, books.water) == "assigned"
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("held_by_hand"), by="q")
    worker.step()
    assert troubles(core) == []
    assert books.state(OUT, order) == "waiting"
    assert books.stock(books.water, WATER.lot) == {"QUAR": 5}
    assert any(event.text.code == "erp_unassigned" for event in core.batch_story(WATER))

    # Released, reserved, picked, shipped: Tryton's own shipment ends with the lots that left.
    ticket = next(t for t in core.tickets() if hold.hold_id in t.hold_ids)
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="sampled")
    worker.step()
    assert books.stock(books.water, WATER.lot) == {"STO": 4, "QUAR": 1}
    for reservation in core.reserve(order, WATER, 3, by="op"):
        core.pick(reservation.reservation_id, by="op")
        core.ship(reservation.reservation_id, by="op")
    worker.step()
    assert troubles(core) == []
    assert books.state(OUT, order) == "done"
    assert books.stock(books.water, WATER.lot) == {"STO": 1, "QUAR": 1}
