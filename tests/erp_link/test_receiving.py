"""A delivery at the dock: counted against announced, on both databases."""

from __future__ import annotations

import pytest

from contracts.errors import ConflictError, JournalBrokenError, JournalError, NotFoundError
from contracts.events import CameraChanged, DeviceStarted
from contracts.geometry import Region
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, StockStatus, TicketState, UsageDecision
from contracts.verdict import Decision
from erp_link.service.core import Core
from tests.erp_link.story import JUICE, WATER, Station, delivery
from tests.support.deciding import decided


def summary(core: Core, key: BatchKey = WATER):
    return next(b for b in core.batches() if b.key == key)


def test_a_sound_carton_is_received_and_gets_a_slot(core: Core, station: Station) -> None:
    session = station.receives()
    applied = station.accepts("C1")
    assert [e.kind for e in applied.effects] == ["received", "transport"]
    water = summary(core)
    assert (water.on_hand, water.unrestricted, water.may_leave) == (1, 1, True)
    (order,) = core.pending_transport()
    assert (order.load_id, order.source, order.target) == ("C1", "DOCK/dock-1", "A-01-1")
    report = core.session_report(session)
    assert [(x.announced, x.counted, x.short, x.over) for x in report.lines] == [
        (5, 1, 4, 0),
        (3, 0, 3, 0),
    ]


def test_a_defect_holds_the_batch_and_opens_a_ticket(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    applied = station.finds_defect("C2")
    assert {"received", "held", "ticket", "transport"} <= {e.kind for e in applied.effects}
    water = summary(core)
    assert (water.on_hand, water.unrestricted, water.blocked) == (2, 0, 2)
    assert not water.may_leave
    assert water.reasons[0].code == "stock_held"
    (hold,) = core.holds()
    assert hold.batch == WATER
    (ticket,) = core.tickets()
    assert hold.ticket_id == ticket.ticket_id
    assert (ticket.state, ticket.score, ticket.threshold) == (TicketState.OPEN, 0.91, 0.5)
    assert ticket.evidence[0].sha256 == "cd" * 32
    assert ticket.regions == (Region(10, 20, 30, 40, 0.91),)
    assert (ticket.device, ticket.station, ticket.carton_id) == ("edge-1", "dock-1", "C2")
    assert {o.target for o in core.pending_transport()} == {"QUARANTINE"}
    assert core.expectations().held == (WATER,)


def test_a_second_defect_adds_evidence_and_no_second_hold(core: Core, station: Station) -> None:
    station.receives()
    station.finds_defect("C1")
    station.finds_defect("C2")
    (hold,) = core.holds()
    assert [t.hold_ids for t in core.tickets()] == [(hold.hold_id,), (hold.hold_id,)]


def test_a_carton_of_a_held_batch_comes_in_blocked(core: Core, station: Station) -> None:
    station.receives()
    station.finds_defect("C1")
    station.accepts("C2")
    station.judges("C3", Decision.HOLD, reason="batch_held")
    assert summary(core).blocked == 3
    assert len(core.tickets()) == 1
    assert summary(core, JUICE).on_hand == 0


def test_a_dent_of_its_own_under_a_hold_has_its_own_ticket(core: Core, station: Station) -> None:
    station.receives()
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("smell"), by="q")
    station.judges("C1", Decision.HOLD)
    own, by_hand = core.tickets()
    assert (own.carton_id, own.reason.code) == ("C1", "defect_seen")
    decided(core, by_hand.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="aired")
    assert (summary(core).unrestricted, summary(core).blocked) == (0, 1)


def test_an_expired_carton_is_blocked_with_a_ticket_and_no_hold(
    core: Core, station: Station
) -> None:
    session = station.receives()
    station.judges("C1", Decision.HOLD, expiry="2026-11-20", reason="expired")
    assert summary(core).blocked == 1
    assert core.holds() == []
    assert core.tickets()[0].reason.code == "expired"
    assert core.session_report(session).lines[0].damaged == 0


def test_review_waits_and_is_settled(core: Core, station: Station) -> None:
    session = station.receives()
    station.judges("C1", Decision.REVIEW)
    station.judges("C2", Decision.REVIEW, None, line=None)
    station.judges("C3", Decision.REVIEW, None, line=None)
    assert core.pending_transport() == []
    report = core.session_report(session)
    assert (report.lines[0].in_review, report.counted, report.in_review) == (1, 0, 3)
    assert summary(core).inspection == 1
    station.settles("C1", "candidate")
    station.settles("C2", "keyed", JUICE, line=None)
    station.settles("C3", "refused", None, line=None)
    report = core.session_report(session)
    assert [(x.counted, x.in_review) for x in report.lines] == [(1, 0), (1, 0)]
    assert [c.state for c in report.off_list] == ["refused"]
    assert (summary(core).unrestricted, summary(core, JUICE).unrestricted) == (1, 1)
    assert [o.target for o in core.pending_transport()] == ["A-01-1", "A-01-2", "QUARANTINE"]
    station.settles("C1", "refused")
    assert summary(core).unrestricted == 1


def test_a_refused_carton_stays_on_its_line_and_counts_as_damaged(
    core: Core, station: Station
) -> None:
    """The desk names nothing when it refuses: no GTIN, no lot, no date, no line."""
    session = station.receives()
    station.judges("C1", Decision.REVIEW)
    station.settles("C1", "refused", None, line=None)
    report = core.session_report(session)
    assert [(x.counted, x.damaged, x.in_review) for x in report.lines] == [(1, 1, 0), (0, 0, 0)]
    assert report.off_list == ()
    water = summary(core)
    assert (water.on_hand, water.inspection, water.blocked) == (1, 0, 1)
    assert "settled" in {e.what for e in core.batch_story(WATER)}
    assert [o.target for o in core.pending_transport()] == ["QUARANTINE"]


def test_a_refused_carton_that_nobody_announced_is_still_listed(
    core: Core, station: Station
) -> None:
    session = station.receives()
    other = BatchKey("", WATER.gtin, "OTHER")
    station.judges("C9", Decision.REVIEW, other, line=None, off_list=True)
    station.settles("C9", "refused", None, line=None)
    (carton,) = core.session_report(session).off_list
    assert (carton.batch, carton.state, carton.off_list) == (other, "refused", True)


def test_what_nobody_announced_is_listed_apart(core: Core, station: Station) -> None:
    session = station.receives()
    other = BatchKey("", WATER.gtin, "OTHER")
    station.judges("C9", Decision.REVIEW, other, line=None, off_list=True)
    report = core.session_report(session)
    assert [(c.carton_id, c.batch, c.off_list) for c in report.off_list] == [("C9", other, True)]


def test_over_and_short(core: Core, station: Station) -> None:
    session = station.receives(water=2, juice=3)
    for carton in ("C1", "C2", "C3"):
        station.accepts(carton)
    report = core.close_session(session, by="op")
    assert [(x.over, x.short) for x in report.lines] == [(1, 0), (0, 3)]
    assert not report.is_open
    with pytest.raises(ConflictError):
        core.close_session(session, by="op")
    station.accepts("C4", JUICE)
    assert core.session_report(session).lines[1].counted == 1


def test_a_carton_judged_twice_counts_once(core: Core, station: Station) -> None:
    session = station.receives()
    station.accepts("C1")
    station.accepts("C1")
    assert core.session_report(session).counted == 1
    station.finds_defect("C1")
    report = core.session_report(session)
    assert (report.counted, report.damaged) == (1, 1)
    assert (summary(core).on_hand, summary(core).blocked) == (1, 1)
    assert len(core.holds()) == 1
    assert [o.target for o in core.pending_transport()][-1] == "QUARANTINE"


def test_an_entry_takes_effect_once(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    before = core.expectations()
    again = core.apply(*station.log[0])
    assert again.duplicate
    assert core.expectations() == before
    assert core.device_head("edge-1") == (1, station.log[0][0].hash)
    assert core.device_head("other") == (0, "")


def test_a_gap_and_a_fork_are_refused(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    station.accepts("C2")
    entry, body = station.log[1]
    station.log.append(station.log[1])
    gap = station.entry(body)
    with pytest.raises(JournalError, match="3 is the next one") as caught:
        core.apply(gap, body)
    assert caught.value.data["expected"] == 3
    station.log.pop()
    station.log[1] = station.log[0]
    with pytest.raises(JournalBrokenError, match="does not follow"):
        core.apply(station.entry(body), body)
    station.log.pop()
    station.device = "edge-1"
    forked = station.entry(CameraChanged("dock-1", "label", "stalled"))
    with pytest.raises(JournalBrokenError, match="differs"):
        core.apply(forked, body)
    assert core.device_head("edge-1") == (2, entry.hash)


def test_the_version_grows_with_every_change(core: Core, station: Station) -> None:
    versions = [core.expectations().version]
    session = station.receives()
    versions.append(core.expectations().version)
    station.accepts("C1")
    versions.append(core.expectations().version)
    station.finds_defect("C2")
    versions.append(core.expectations().version)
    core.close_session(session, by="op")
    versions.append(core.expectations().version)
    assert versions == sorted(set(versions))
    assert core.expectations().session is None
    assert core.expectations().held == (WATER,)


def test_each_dock_has_its_own_delivery(core: Core, database_url: str, clock) -> None:
    first, second = Station(core, clock), Station(core, clock, device="edge-2", name="dock-2")
    one = first.receives("DESP-1")
    assert core.expectations("dock-1").session == core.expectations("dock-2").session == one
    two = second.receives("DESP-2")
    assert core.expectations("dock-1").session == one
    assert core.expectations("dock-2").session == core.expectations().session == two
    assert core.expectations("dock-3").session is None
    other_process = Core(database_url, clock=clock)
    other_process.close_session(one, by="op")
    other_process.close()
    assert core.expectations("dock-1").session == two
    second.accepts("C1")
    assert core.expectations("dock-2").lines[0].counted == 1


def test_a_new_lot_of_a_held_supplier_is_told(core: Core) -> None:
    core.add_hold(HoldKind.SUPPLIER, supplier="ACME", reason=Reason("smell"), by="q")
    before = core.expectations()
    core.import_asn(delivery(), by="ops")
    after = core.expectations()
    assert (before.held, after.held) == ((), (WATER, JUICE))
    assert after.version > before.version


def test_devices_and_cameras_for_the_health_page(core: Core, station: Station) -> None:
    station.sends(DeviceStarted("dock-1", "0.1.0", {"read": "r1"}))
    station.sends(CameraChanged("dock-1", "label", "stalled", "no frame for 2 s"))
    (device,) = core.devices()
    assert (device.version, device.model_sets) == ("0.1.0", {"read": "r1"})
    assert [(c.camera, c.state) for c in device.cameras] == [("label", "stalled")]


def test_what_a_box_says_of_its_engines_at_start_is_told_on(core: Core, station: Station) -> None:
    why = {"set": "label_reader", "refused": "1.1.0", "why": "a bit is wrong", "running": "1.0.0"}
    note = Reason("model_set_refused", dict(why))
    applied = station.sends(DeviceStarted("dock-1", "0.1.0", {"read": "r1"}, (note,)))
    started, told = [each.text for each in applied.effects if each.kind == "device"]
    assert started.code == "story_device_started"
    assert told == note


def test_a_list_is_known_once(core: Core) -> None:
    core.import_asn(delivery(), by="ops")
    core.import_asn(delivery(), by="ops")
    with pytest.raises(ConflictError):
        core.import_asn(delivery(water=9), by="ops")
    with pytest.raises(NotFoundError):
        core.open_session("unknown", dock="d", by="op")
    core.open_session("DESP-1", dock="d", by="op")
    with pytest.raises(ConflictError):
        core.open_session("DESP-1", dock="d", by="op")


def test_a_batch_tells_its_story(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    station.finds_defect("C2")
    story = [e.what for e in core.batch_story(WATER)]
    assert story[:3] == ["announced", "judged", "received"]
    assert {"held", "blocked", "ticket", "transport"} <= set(story)
    with pytest.raises(NotFoundError):
        core.batch_story(BatchKey("", "0", "0"))


def test_the_books_stay_when_the_core_is_opened_again(
    core: Core, station: Station, database_url: str
) -> None:
    station.receives()
    station.accepts("C1")
    again = Core(database_url, clock=station.clock)
    assert again.batches() == core.batches()
    assert again.stock_by_location()[0].status is StockStatus.UNRESTRICTED
    again.close()
