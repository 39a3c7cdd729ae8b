"""Long lists are asked for a window at a time, filtered and sorted by the database."""

from __future__ import annotations

from datetime import timedelta

from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, UsageDecision
from erp_link.domain.products import Product
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from erp_link.service.lists import Lists
from tests.erp_link.story import WATER, Station
from tests.support.deciding import decided

SMELL = Reason("held_by_hand", {"note": "smell"})
LOTS = ("Alpha", "beta", "GAMMA")


def held(core: Core, clock: FixedClock) -> list[str]:
    """Three batches, each on hold since another minute; the ids of the holds."""
    made = []
    for lot in LOTS:
        clock.at += timedelta(minutes=1)
        batch = BatchKey("ACME", WATER.gtin, lot)
        core.receive(batch, 5, location="A-01-1", by="op")
        made.append(core.add_hold(HoldKind.BATCH, batch=batch, reason=SMELL, by="op").hold_id)
    return made


def test_tickets_that_wait_come_first_by_due_time(core: Core, clock: FixedClock) -> None:
    held(core, clock)
    newest, middle, oldest = core.tickets()
    release = UsageDecision.RELEASE
    decided(core, oldest.ticket_id, release, by="q", role="quality", reason="sound")
    lists = Lists(core)
    first = lists.tickets("", skip=0, most=2)
    assert [row.ticket_id for row in first.rows] == [middle.ticket_id, newest.ticket_id]
    assert (first.found, first.total) == (3, 3)
    rest = lists.tickets("", skip=2, most=2)
    assert [row.ticket_id for row in rest.rows] == [oldest.ticket_id]


def test_every_word_that_is_typed_must_occur_somewhere(core: Core, clock: FixedClock) -> None:
    names = held(core, clock)
    lists = Lists(core)
    for typed in ("BETA", "acme bet", names[1].lower()):
        found = lists.holds(typed, skip=0, most=9)
        assert [row.hold_id for row in found.rows] == [names[1]], typed
        assert (found.found, found.total) == (1, 3)
    assert [row.key.lot for row in lists.batches("gamma", skip=0, most=9).rows] == ["GAMMA"]
    assert not lists.batches("100%", skip=0, most=9).rows
    assert [row.batch and row.batch.lot for row in lists.tickets("alpha", skip=0, most=9).rows] == [
        "Alpha"
    ]


def test_open_holds_come_first_the_newest_of_each_first(core: Core, clock: FixedClock) -> None:
    names = held(core, clock)
    newest = core.tickets()[0]
    decided(core, newest.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="ok")
    found = Lists(core).holds("", skip=0, most=9)
    assert [row.hold_id for row in found.rows] == [names[1], names[0], names[2]]


def test_sessions_count_in_one_question(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C-1")
    station.finds_defect("C-2")
    (line,) = Lists(core).sessions(skip=0, most=9).rows
    (report,) = core.sessions()
    assert (line.session, line.asn, line.supplier) == (report.session, report.asn, report.supplier)
    assert (line.announced, line.counted) == (report.announced, report.counted)


def test_a_list_is_followed_by_what_came_before_the_last_row(core: Core, clock: FixedClock) -> None:
    held(core, clock)
    holds, tickets = core.holds(), core.tickets()
    last_hold, last_ticket = holds[0], tickets[0]
    assert core.holds(before=(last_hold.raised_at, last_hold.hold_id), limit=1) == [holds[1]]
    assert core.tickets(before=(last_ticket.opened_at, last_ticket.ticket_id)) == tickets[1:]


def test_announced_lists_that_wait_are_asked_for_alone(core: Core, station: Station) -> None:
    station.receives()
    assert core.asns(waiting=True) == []
    (known,) = core.asns()
    assert core.asns(before=(known.imported_at, known.number)) == []
    assert [row.session for row in core.sessions(limit=1)] == [known.session]
    assert core.sessions(before=known.session) == []


def test_goods_received_by_hand_go_by_their_products_name(core: Core) -> None:
    core.receive(WATER, 5, location="A-01-1", by="op")
    assert core.batch(WATER).description == ""
    Products(core).describe(Product(WATER.gtin, name="Still water"), by="lead")
    assert core.batch(WATER).description == "Still water"
    (row,) = Lists(core).batches("", skip=0, most=9).rows
    assert row.description == "Still water"
