"""Received is not accepted: the gate at the dock, samples, and who may let goods in."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError, ForbiddenError, InsufficientStockError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, StockStatus, UsageDecision
from erp_link.domain.products import Product
from erp_link.domain.sampling import SamplingRule
from erp_link.domain.shelf_life import Arriving, LifeRule, gate, strictest
from erp_link.service.core import Core
from erp_link.service.goods.acceptance import Acceptances
from erp_link.service.goods.products import Products
from erp_link.service.goods.shelf import Shelf
from tests.erp_link.story import LATER, WATER, Station
from tests.support.deciding import decided

QUALITY = ("quality",)
OPERATOR = ("operator",)


def stock(core: Core) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in core.stock_by_location():
        if line.batch == WATER:
            found[line.status.value] = found.get(line.status.value, 0) + line.quantity
    return {status: n for status, n in found.items() if n}


def describe(core: Core, **more: object) -> None:
    Products(core).describe(Product(WATER.gtin, **more), by="mei")


def test_counted_goods_wait_in_inspection_until_they_are_accepted(
    core: Core, station: Station
) -> None:
    describe(core, acceptance=True)
    session = station.receives(water=2, juice=0)
    station.accepts("C-1")
    station.accepts("C-2")
    assert stock(core) == {"inspection": 2}
    assert core.session_report(session).counted == 2
    assert core.pending_transport() == []
    with pytest.raises(InsufficientStockError):
        core.reserve("SO-1", WATER, 1, by="op")
    desk = Acceptances(core)
    (waiting,) = desk.waiting()
    assert (waiting.session, waiting.in_inspection, waiting.needs_override) == (session, 2, False)
    desk.accept(waiting.acceptance_id, by="op", roles=OPERATOR)
    assert stock(core) == {"unrestricted": 2}
    assert len(core.pending_transport()) == 2
    station.accepts("C-3")
    assert stock(core) == {"unrestricted": 3}
    with pytest.raises(ConflictError, match="accepted already"):
        desk.refuse(waiting.acceptance_id, by="op", roles=OPERATOR, reason="late")


def test_goods_that_live_too_short_are_let_in_by_quality_only(core: Core, station: Station) -> None:
    describe(core, life=LifeRule(least_days=3000))
    station.receives(water=1, juice=0)
    station.accepts("C-1")
    desk = Acceptances(core)
    (waiting,) = desk.waiting()
    assert [reason.code for reason in waiting.reasons] == ["life_too_short"]
    with pytest.raises(ForbiddenError):
        desk.accept(waiting.acceptance_id, by="op", roles=OPERATOR, reason="we need it")
    with pytest.raises(BadInputError, match="without a reason"):
        desk.accept(waiting.acceptance_id, by="q", roles=QUALITY)
    desk.accept(waiting.acceptance_id, by="q", roles=QUALITY, reason="promotion starts today")
    assert stock(core) == {"unrestricted": 1}
    story = [(e.by, e.text) for e in core.batch_story(WATER) if e.what == "accepted"]
    assert story == [
        ("q", Reason("story_let_in", {"delivery": "AC-1", "reason": "promotion starts today"}))
    ]


def test_goods_that_wait_are_not_freed_by_lifting_a_hold(core: Core, station: Station) -> None:
    describe(core, acceptance=True)
    station.receives(water=1, juice=0)
    station.accepts("C-1")
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("defect_seen"), by="q")
    assert hold.ticket_id is not None
    decided(core, hold.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="ok")
    assert stock(core) == {"inspection": 1}


def test_what_is_accepted_under_a_hold_is_blocked_until_it_is_lifted(
    core: Core, station: Station
) -> None:
    describe(core, acceptance=True)
    station.receives(water=1, juice=0)
    station.accepts("C-1")
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("defect_seen"), by="q")
    Acceptances(core).accept("AC-1", by="op", roles=OPERATOR)
    assert stock(core) == {"blocked": 1}
    assert hold.ticket_id is not None
    decided(core, hold.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="ok")
    assert stock(core) == {"unrestricted": 1}


def test_a_refused_delivery_is_held_with_a_ticket(core: Core) -> None:
    describe(core, acceptance=True)
    assert core.receive(WATER, 7, location="DOCK/1", by="op") is StockStatus.INSPECTION
    desk = Acceptances(core)
    with pytest.raises(BadInputError, match="its reason"):
        desk.refuse("AC-1", by="op", roles=OPERATOR, reason=" ")
    desk.refuse("AC-1", by="op", roles=OPERATOR, reason="wet pallets")
    assert stock(core) == {"blocked": 7}
    (hold,) = core.holds()
    assert (hold.batch, hold.ticket_id) == (WATER, "QC-AC-1")
    decided(core, "QC-AC-1", UsageDecision.RELEASE, by="q", role="quality", reason="dry")
    assert stock(core) == {"unrestricted": 7}


def test_loose_goods_that_were_brought_to_quarantine_meanwhile_do_not_stay_waiting(
    core: Core,
) -> None:
    describe(core, acceptance=True)
    core.receive(WATER, 7, location="DOCK/1", by="op")
    waits = StockStatus.INSPECTION
    core.move(WATER, 3, source="DOCK/1", target="QUARANTINE", status=waits, by="op")
    Acceptances(core).accept("AC-1", by="op", roles=OPERATOR)
    # What somebody brought there is accepted, and wants to be asked about all the same.
    assert stock(core) == {"unrestricted": 4, "blocked": 3}
    (ticket,) = core.tickets()
    assert ticket.ticket_id == "QC-AC-1-apart"
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="dry")
    assert stock(core) == {"unrestricted": 7}


def test_what_comes_after_a_refusal_is_held_with_it(core: Core, station: Station) -> None:
    describe(core, acceptance=True)
    session = station.receives(water=2, juice=0)
    station.accepts("C-1")
    desk = Acceptances(core)
    desk.refuse("AC-1", by="op", roles=OPERATOR, reason="wet pallets")
    station.accepts("C-2")
    assert stock(core) == {"blocked": 2}
    assert core.session_report(session).counted == 2
    assert desk.waiting() == []


def test_a_hold_that_comes_while_goods_are_accepted_is_never_missed(core: Core) -> None:
    describe(core, acceptance=True)
    desk = Acceptances(core)
    for turn in range(8):
        lot = BatchKey(WATER.supplier, WATER.gtin, f"LOT-{turn}")
        core.receive(lot, 5, location="DOCK/1", by="op", expiry=LATER)
        (waiting,) = desk.waiting()
        start = threading.Barrier(2)

        def accept(name: str = waiting.acceptance_id, start: threading.Barrier = start) -> None:
            start.wait()
            desk.accept(name, by="op", roles=OPERATOR)

        def hold(lot: BatchKey = lot, start: threading.Barrier = start) -> None:
            start.wait()
            core.add_hold(HoldKind.BATCH, batch=lot, reason=Reason("defect_seen"), by="q")

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(accept), pool.submit(hold)]:
                done.result()
        lines = [line for line in core.stock_by_location() if line.batch == lot and line.quantity]
        assert [(line.status.value, line.quantity) for line in lines] == [("blocked", 5)]


def test_goods_older_than_the_stock_wait(core: Core, clock: FixedClock) -> None:
    describe(core, not_older=True)
    newer = clock.now().date() + timedelta(days=300)
    core.receive(WATER, 5, location="A-01-1", by="op", expiry=newer)
    other = BatchKey(WATER.supplier, WATER.gtin, "OLDER")
    day = newer - timedelta(days=1)
    assert core.receive(other, 5, location="D", by="op", expiry=day) is StockStatus.INSPECTION
    (waiting,) = Acceptances(core).waiting()
    assert waiting.reasons[0].code == "life_older_than_stock"
    same = BatchKey(WATER.supplier, WATER.gtin, "SAME")
    assert core.receive(same, 5, location="D", by="op", expiry=newer) is StockStatus.UNRESTRICTED


def test_a_good_sample_lets_the_lot_in_and_a_bad_one_holds_it(core: Core, station: Station) -> None:
    describe(core, sampling=SamplingRule("2.5"))
    desk = Acceptances(core)
    for number, bad, expected in ((1, 0, "unrestricted"), (2, 1, "blocked")):
        lot = BatchKey(WATER.supplier, WATER.gtin, f"LOT-{number}")
        core.receive(lot, 30, location="DOCK/1", by="op", expiry=LATER)
        (waiting,) = desk.waiting()
        assert waiting.sample is not None
        # 30 units, level II: code letter D; AQL 2.5 sends it on to E's neighbour C, 5 units.
        assert (waiting.sample.sample, waiting.sample.accept) == (5, 0)
        with pytest.raises(ForbiddenError):
            desk.accept(waiting.acceptance_id, by="op", roles=OPERATOR)
        desk.inspect(waiting.acceptance_id, inspected=4, bad=0, by="op")
        done = desk.inspect(waiting.acceptance_id, inspected=1, bad=bad, by="op", note="dents")
        assert done.sample is not None
        assert done.sample.outcome == ("rejected" if bad else "accepted")
        lines = [line for line in core.stock_by_location() if line.batch == lot and line.quantity]
        assert [line.status.value for line in lines] == [expected]
    assert [ticket.reason.code for ticket in core.tickets()] == ["sample_rejected"]
    with pytest.raises(ConflictError):
        desk.inspect("AC-1", inspected=1, bad=0, by="op")


def test_two_rejected_lots_tighten_and_five_more_end_sampling(core: Core) -> None:
    describe(core, sampling=SamplingRule("2.5"))
    desk = Acceptances(core)
    seen = []
    for number in range(8):
        lot = BatchKey(WATER.supplier, WATER.gtin, f"LOT-{number}")
        core.receive(lot, 100, location="DOCK/1", by="op", expiry=LATER)
        (waiting,) = desk.waiting()
        assert waiting.sample is not None
        seen.append(waiting.sample.severity)
        desk.inspect(waiting.acceptance_id, inspected=2, bad=2, by="op")
    assert seen == ["normal"] * 2 + ["tightened"] * 5 + ["discontinued"]
    with pytest.raises(ForbiddenError):
        desk.resume_sampling("ACME", WATER.gtin, by="op", roles=OPERATOR, reason="new line")
    desk.resume_sampling("ACME", WATER.gtin, by="q", roles=QUALITY, reason="new line")
    again = BatchKey(WATER.supplier, WATER.gtin, "AGAIN")
    core.receive(again, 100, location="DOCK/1", by="op", expiry=LATER)
    (waiting,) = desk.waiting()
    assert waiting.sample is not None
    assert waiting.sample.severity == "tightened"


def test_an_impossible_sample_is_refused_whole(core: Core) -> None:
    describe(core, sampling=SamplingRule("2.5"))
    core.receive(WATER, 30, location="DOCK/1", by="op", expiry=LATER)
    desk = Acceptances(core)
    for inspected, bad in ((0, 0), (3, 4), (3, -1), (-1, -1), (31, 0)):
        with pytest.raises(BadInputError):
            desk.inspect("AC-1", inspected=inspected, bad=bad, by="op")
    sample = desk.one("AC-1").sample
    assert sample is not None
    assert (sample.inspected, sample.bad) == (0, 0)


def test_with_the_clock_below_its_floor_no_date_is_trusted(core: Core, clock: FixedClock) -> None:

    Shelf(core).sweep(by="hub")
    clock.at -= timedelta(days=400)
    assert core.receive(WATER, 1, location="D", by="op", expiry=LATER) is StockStatus.INSPECTION
    (waiting,) = Acceptances(core).waiting()
    assert [reason.code for reason in waiting.reasons] == ["clock_unsure"]
    assert waiting.needs_override


@pytest.mark.parametrize(
    ("goods", "rule", "codes"),
    [
        (Arriving(date(2026, 3, 1)), LifeRule(), []),
        (Arriving(date(2026, 3, 1)), LifeRule(28), []),
        (Arriving(date(2026, 3, 1)), LifeRule(29), ["life_too_short"]),
        (Arriving(date(2026, 3, 1), total_days=40), LifeRule(least_percent=70), []),
        (
            Arriving(date(2026, 3, 1), total_days=41),
            LifeRule(least_percent=70),
            ["life_share_too_small"],
        ),
        (Arriving(date(2026, 3, 1)), LifeRule(least_percent=70), ["life_total_unknown"]),
        (Arriving(None), LifeRule(10), ["life_date_unknown"]),
        (Arriving(None, dated=False), LifeRule(10), []),
        (Arriving(None), LifeRule(), []),
    ],
)
def test_the_gate(goods: Arriving, rule: LifeRule, codes: list[str]) -> None:

    # In Shanghai it is already 1 February: 28 days to go.
    now = datetime(2026, 1, 31, 16, 0, tzinfo=UTC)
    found = gate(goods, rule, now=now, zone=ZoneInfo("Asia/Shanghai"))
    assert [reason.code for reason in found] == codes


def test_the_strictest_of_no_rules_asks_for_nothing() -> None:
    assert not strictest([]).asks
