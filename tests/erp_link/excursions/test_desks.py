"""What the desks tell of alarms and excursions, and goods that were told of late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError, NotFoundError, UnavailableError
from contracts.stock import BatchKey, TicketState
from contracts.telemetry import AlarmChange, AlarmEffect, Calibration
from erp_link.domain.excursions.limits import Limits
from erp_link.domain.products import Product, Temperature
from erp_link.service.core import Core
from erp_link.service.excursions.alarms import Alarms
from erp_link.service.excursions.desk import Excursions
from erp_link.service.excursions.report import CalibrationState, calibration_state
from erp_link.service.excursions.whereabouts import Whereabouts
from erp_link.service.goods.products import Products
from erp_link.service.quality.dossier import dossier
from tests.erp_link.excursions.cold_room import Gateway, sqlite_only
from tests.erp_link.story import JUICE, LATER, WATER, Station


def stands(core: Core, batch: BatchKey, place: str, quantity: int = 10) -> None:
    core.receive(batch, quantity, location=place, by="op", expiry=LATER)


def warm_room(core: Core, gateway: Gateway, clock: FixedClock) -> str:
    """Water is held, juice came late; the excursion's id."""
    stands(core, WATER, "COLD-01")
    stands(core, JUICE, "DOCK-1")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    alarm.says(AlarmChange.RAISED, *[16.0] * 20)
    clock.at = datetime.fromtimestamp(alarm.since_us / 1e6, UTC) + timedelta(minutes=30)
    core.move(JUICE, 4, source="DOCK-1", target="COLD-02", by="op")
    clock.at += timedelta(minutes=30)
    alarm.says(AlarmChange.CLEARED, *[9.0] * 20)
    (line,) = Excursions(core).excursions()
    return line.excursion_id


def test_a_report_says_which_batches_how_long_how_far_and_by_which_sensor(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    report = Excursions(core).report(warm_room(core, gateway, clock))
    assert not report.open
    assert (report.alarm.series.device, report.alarm.place) == ("probe-7", "COLD")
    assert report.calibration is CalibrationState.GOOD
    assert report.alarm.calibration.certificate == "CNAS-118"
    water, juice = report.batches
    assert (water.batch, water.beyond, water.quantity) == (WATER, True, 10)
    assert (water.exposure.outside_s, water.exposure.most) == (40 * 60, 16.0)
    assert water.hold_id
    assert (juice.batch, juice.beyond, juice.quantity) == (JUICE, False, 4)
    assert (juice.exposure.outside_s, juice.exposure.most) == (10 * 60, 9.0)
    assert juice.first is not None
    assert juice.first - report.begun == timedelta(minutes=30)
    assert (report.beyond, report.within, len(report.trace)) == (1, 1, 40)
    (line,) = Excursions(core).excursions()
    assert (line.beyond, line.within, line.open) == (1, 1, False)
    assert Excursions(core).excursions(open_only=True) == []


def test_the_dossier_of_a_batch_tells_what_was_measured(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    warm_room(core, gateway, clock)
    found = dossier(core, WATER, Excursions(core))
    assert found.temperatures is not None
    assert [(s.sensor, s.most_celsius, s.left_range) for s in found.temperatures] == [
        ("probe-7", 16.0, True)
    ]


def test_goods_that_a_device_told_of_days_later_are_measured_too(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    """A station was offline: its carton stood in the room while it was warm."""
    since = clock.at
    alarm = gateway.alarm(since, place="DOCK/dock-1")
    alarm.says(AlarmChange.RAISED, *[16.0] * 60)
    clock.at = since + timedelta(hours=2)
    alarm.says(AlarmChange.CLEARED, 5.0)
    desk = Excursions(core)
    assert desk.tidy(by="hub").measured == ()
    station = Station(core, FixedClock(since + timedelta(minutes=5)))
    station.receives()
    station.accepts("C1")
    (measured,) = desk.tidy(by="hub").measured
    report = desk.report(measured)
    assert [(each.batch, each.beyond) for each in report.batches] == [(WATER, True)]
    assert [hold.batch for hold in core.holds()] == [WATER]
    assert desk.tidy(by="hub").measured == ()
    clock.at += timedelta(minutes=11)
    assert desk.tidy(by="hub").measured == (measured,)
    assert desk.tidy(by="hub").measured == ()


def test_goods_that_stood_there_before_it_began_and_were_told_of_after_its_end_are_measured(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    since = clock.at
    alarm = gateway.alarm(since, place="DOCK/dock-1")
    alarm.says(AlarmChange.RAISED, *[16.0] * 60)
    clock.at = since + timedelta(hours=2)
    alarm.says(AlarmChange.CLEARED, 5.0)
    desk = Excursions(core)
    clock.at += timedelta(minutes=11)
    assert len(desk.tidy(by="hub").measured) == 1
    station = Station(core, FixedClock(since - timedelta(hours=1)))
    station.receives()
    station.accepts("C1")
    (measured,) = desk.tidy(by="hub").measured
    assert [each.batch for each in desk.report(measured).batches] == [WATER]
    assert [hold.batch for hold in core.holds()] == [WATER]
    assert desk.tidy(by="hub").measured == ()


@sqlite_only
def test_a_look_that_failed_is_made_again(
    core: Core, gateway: Gateway, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else goods told of meanwhile would be forgotten behind the newest entries."""
    since = clock.at
    alarm = gateway.alarm(since, place="DOCK/dock-1")
    alarm.says(AlarmChange.RAISED, *[16.0] * 60)
    clock.at = since + timedelta(hours=2)
    alarm.says(AlarmChange.CLEARED, 5.0)
    desk = Excursions(core)
    assert desk.tidy(by="hub").measured == ()
    station = Station(core, FixedClock(since - timedelta(hours=1)))
    station.receives()
    station.accepts("C1")
    monkeypatch.setattr("erp_link.service.excursions.desk._ANEW", 0)

    def busy(*_: object, **__: object) -> None:
        raise UnavailableError("The database is busy", mend="Wait")

    with monkeypatch.context() as broken:
        broken.setattr("erp_link.service.excursions.desk.measure", busy)
        assert len(desk.tidy(by="hub").failed) == 1
    assert len(desk.tidy(by="hub").measured) == 1
    assert [hold.batch for hold in core.holds()] == [WATER]


def test_a_room_in_alarm_whose_gateway_is_away_is_not_measured_and_says_so(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    """Chilled goods bear a day out of range; a day and a half that nobody measured is too much."""
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    clock.at += timedelta(minutes=30)
    alarm.says(AlarmChange.RAISED, *[9.0] * 30)
    desk = Excursions(core)
    clock.at += timedelta(minutes=90)
    assert desk.tidy(by="hub").measured == ()
    clock.at += timedelta(minutes=31)
    (measured,) = desk.tidy(by="hub").measured
    (batch,) = desk.report(measured).batches
    assert (batch.beyond, batch.exposure.unmeasured_s // 60) == (False, 121)
    assert desk.tidy(by="hub").measured == ()
    clock.at += timedelta(hours=36)
    desk.tidy(by="hub")
    (hold,) = core.holds()
    assert hold.reason.code == "excursion_unmeasured"
    clock.at += timedelta(days=20)
    desk.tidy(by="hub")
    report = desk.report(measured)
    assert report.ended - report.begun == timedelta(days=2, minutes=30)
    assert desk.tidy(by="hub").measured == ()
    # It was away and kept what it measured: the report says what it was, the hold stays.
    alarm.says(AlarmChange.CLEARED, *[9.0] * 40)
    (batch,) = desk.report(measured).batches
    assert (batch.beyond, batch.exposure.unmeasured_s, batch.exposure.outside_s) == (False, 0, 4200)
    assert core.holds() == [hold]


@sqlite_only
def test_a_product_has_limits_of_its_own(core: Core, gateway: Gateway, clock: FixedClock) -> None:
    desk = Excursions(core)
    desk.set_limits(WATER.gtin, Limits(low=2, high=25, ceiling=30, allowed_minutes=60), by="q")
    stands(core, WATER, "COLD-01")
    stands(core, JUICE, "COLD-02")
    clock.at += timedelta(hours=1)
    gateway.alarm(clock.at).says(AlarmChange.RAISED, *[16.0] * 20)
    (line,) = desk.excursions()
    assert {each.batch: each.beyond for each in desk.report(line.excursion_id).batches} == {
        WATER: False,
        JUICE: True,
    }
    desk.set_limits(WATER.gtin, None, by="q")
    assert WATER.gtin not in desk.limits()


@sqlite_only
def test_a_class_has_limits_of_the_sites(core: Core, gateway: Gateway, clock: FixedClock) -> None:
    desk = Excursions(core)
    desk.set_limits("class:chilled", Limits(low=0, high=18, allowed_minutes=60), by="q")
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    gateway.alarm(clock.at).says(AlarmChange.RAISED, *[16.0] * 20)
    assert core.holds() == []


@sqlite_only
def test_goods_nobody_described_are_of_the_class_that_their_slot_keeps(
    core: Core, clock: FixedClock
) -> None:
    from erp_link.service.goods.places import Places

    Places(core).plan_slot("F-1", capacity=8, temperature=Temperature.FROZEN, position=1, by="ops")
    stands(core, WATER, "F-1")
    clock.at += timedelta(hours=1)
    Gateway(core, clock).alarm(clock.at, place="F-1", limit=-15.0).says(
        AlarmChange.RAISED, *[-12.0] * 31
    )
    (hold,) = core.holds()
    assert hold.reason.code == "excursion_too_long"


@sqlite_only
def test_goods_nobody_described_in_a_zone_are_of_its_coldest_class(
    core: Core, clock: FixedClock
) -> None:
    from erp_link.service.goods.places import Places

    for code, kept in (("C-1", Temperature.AMBIENT), ("C-2", Temperature.CHILLED)):
        Places(core).plan_slot(code, capacity=8, temperature=kept, position=1, by="ops")
    stands(core, WATER, "C-1")
    clock.at += timedelta(hours=1)
    Gateway(core, clock).alarm(clock.at, place="C").says(AlarmChange.RAISED, *[20.0] * 3)
    (hold,) = core.holds()
    assert hold.reason.code == "excursion_too_high"


@sqlite_only
@pytest.mark.parametrize(
    ("subject", "limits", "said"),
    [
        ("class:cool", Limits(high=8), "class"),
        ("123", Limits(high=8), "GTIN"),
        ("class:chilled", Limits(), "no end"),
        ("class:chilled", Limits(low=9, high=8), "above"),
        ("class:chilled", Limits(high=8, ceiling=7), "above"),
        ("class:chilled", Limits(high=float("nan")), "high"),
        ("class:chilled", Limits(high=8, allowed_minutes=-1), "minutes"),
        ("class:chilled", Limits(high=8, kinetic=8), "usual"),
        ("class:chilled", Limits(high=8, activation_kj_mol=1), "activation"),
    ],
)
def test_limits_that_cannot_be_are_refused(
    core: Core, subject: str, limits: Limits, said: str
) -> None:
    with pytest.raises(BadInputError, match=said):
        Excursions(core).set_limits(subject, limits, by="q")


def test_alarms_are_listed_the_worst_first_and_acknowledged(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    desk = Alarms(core)
    door = gateway.alarm(clock.at, alarm_id="door", effect=AlarmEffect.NONE)
    door.says(AlarmChange.RAISED, 12.0)
    freezer = gateway.alarm(clock.at, alarm_id="freezer", effect=AlarmEffect.NONE)
    freezer.says(AlarmChange.RAISED, 12.0)
    freezer.says(AlarmChange.ESCALATED, 14.0, severity="critical")
    assert [each.alarm_id for each in desk.open()] == ["freezer", "door"]
    desk.acknowledge("freezer", note="technician called", by="mara")
    seen = desk.alarm("freezer")
    assert (seen.acknowledged_by, seen.note, seen.escalated) == ("mara", "technician called", 1)
    freezer.says(AlarmChange.CLEARED, 5.0)
    assert [each.alarm_id for each in desk.open()] == ["door"]
    (over,) = desk.history()
    assert (over.alarm_id, over.acknowledged_by) == ("freezer", "mara")
    assert desk.history(before=(over.since_us, over.alarm_id)) == []
    assert [each.change for each in desk.changes("freezer")] == [
        AlarmChange.RAISED,
        AlarmChange.ESCALATED,
        AlarmChange.CLEARED,
    ]
    with pytest.raises(NotFoundError):
        desk.acknowledge("nothing", note="", by="mara")
    with pytest.raises(BadInputError):
        desk.acknowledge("door", note="x" * 501, by="mara")


def test_the_core_says_where_goods_are_and_in_which_zone(core: Core) -> None:
    where = Whereabouts(core)
    stands(core, WATER, "A-01-1")
    stands(core, WATER, "OFFICE")
    stands(core, JUICE, "B-02-1")
    now = where.holding_now(products=[WATER.gtin], batches=[JUICE])
    assert now.products == {WATER.gtin: ("A-01-1", "OFFICE")}
    assert now.batches == {str(JUICE): ("B-02-1",)}
    assert now.zones == {"A-01-1": "A", "OFFICE": "", "B-02-1": "B"}
    where.name_zone("ROOM-7", ["OFFICE", "B-02-1"], by="ops")
    zones = where.zones()
    assert (zones["OFFICE"], zones["B-02-1"], zones["A-01-1"]) == ("ROOM-7", "ROOM-7", "A")
    assert where.zones(["A-DOOR", "OFFICE"]).items() >= {("A-DOOR", "A"), ("OFFICE", "ROOM-7")}
    where.name_zone("ROOM-7", ["OFFICE"], by="ops")
    assert where.zones()["B-02-1"] == "B"
    for zone, places in (("", ["X"]), ("@supplier", []), ("Z", ["Z"])):
        with pytest.raises(BadInputError):
            where.name_zone(zone, places, by="ops")


def test_a_zone_by_name_is_measured_too(core: Core, gateway: Gateway, clock: FixedClock) -> None:
    stands(core, WATER, "A-01-1")
    Whereabouts(core).name_zone("COLD", ["A-01-1"], by="ops")
    stands(core, JUICE, "a-01-1")
    clock.at += timedelta(hours=1)
    gateway.alarm(clock.at).says(AlarmChange.RAISED, *[16.0] * 20)
    assert [hold.batch for hold in core.holds()] == [WATER]


@sqlite_only
def test_a_logger_that_travels_with_a_batch_speaks_for_it_wherever_it_is(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "DRY-01")
    gateway.alarm(clock.at, place="", batch=str(WATER)).says(AlarmChange.RAISED, *[16.0] * 20)
    assert [hold.batch for hold in core.holds()] == [WATER]


@sqlite_only
def test_a_fence_about_a_product_holds_only_that(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    Products(core).describe(Product(JUICE.gtin, temperature=Temperature.CHILLED), by="q")
    stands(core, WATER, "COLD-01")
    stands(core, JUICE, "COLD-02")
    clock.at += timedelta(hours=1)
    gateway.alarm(clock.at, product=JUICE.gtin).says(AlarmChange.RAISED, *[16.0] * 20)
    assert [hold.batch for hold in core.holds()] == [JUICE]


def test_a_calibration_is_overdue_by_the_sites_calendar() -> None:
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    for due, state in (
        ("2026-11-20", CalibrationState.OVERDUE),
        ("2026-11-21", CalibrationState.GOOD),
        ("", CalibrationState.UNTOLD),
        ("soon", CalibrationState.UNTOLD),
    ):
        assert calibration_state(Calibration(due_on=due), at, UTC) is state
    assert date(2026, 11, 21) == at.date()


@sqlite_only
@pytest.mark.parametrize("at_us", [0, 2**60, -5, 4_070_908_800_000_000])
def test_a_sensors_clock_that_cannot_be_stops_nothing(
    core: Core, gateway: Gateway, clock: FixedClock, at_us: int
) -> None:
    alarm = gateway.alarm(clock.at)
    alarm.since_us = at_us
    stands(core, WATER, "COLD-01")
    alarm.says(AlarmChange.RAISED, *[5.0] * 3, at_us=at_us)
    assert len(Alarms(core).open()) == 1
    (line,) = Excursions(core).excursions()
    assert line.ended - line.begun <= timedelta(days=32)
    assert abs(line.begun - clock.at) <= timedelta(days=32)


def test_a_person_closes_what_a_lost_gateway_left_open_and_the_goods_count_until_then(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    alarm.says(AlarmChange.RAISED, *[16.0] * 20)
    door = gateway.alarm(clock.at, alarm_id="door", effect=AlarmEffect.WORK_ORDER)
    door.says(AlarmChange.RAISED, 16.0)
    clock.at += timedelta(hours=3)
    alarms = Alarms(core)
    for wrong in ("", "   ", "x" * 501):
        with pytest.raises(BadInputError):
            alarms.close("alarm-1", note=wrong, by="ada")
    alarms.close("alarm-1", note="the room is cold", by="ada", key="k-1")
    alarms.close("alarm-1", note="the room is cold", by="ada", key="k-1")
    alarms.close("door", note="shut", by="ada")
    assert alarms.open() == []
    with pytest.raises(ConflictError):
        alarms.close("door", note="shut", by="ben")
    (line,) = Excursions(core).excursions()
    assert (line.open, line.beyond) == (False, 1)
    assert alarms.alarm("alarm-1").at == clock.at
    assert [each.batch for each in core.holds()] == [WATER], "the hold stays"
    work = next(each for each in core.tickets() if each.ticket_id == alarms.alarm("door").ticket_id)
    assert work.state is TicketState.CLOSED
    # It was not lost for good: what it tells counts again.
    alarm.says(AlarmChange.CONTINUES, *[16.0] * 20)
    assert [each.alarm_id for each in alarms.open()] == ["alarm-1"]
    alarm.says(AlarmChange.CLEARED, 6.0)
    assert alarms.open() == []


def test_a_zone_names_only_places_that_there_are(core: Core) -> None:
    where = Whereabouts(core)
    stands(core, WATER, "A-01-1")
    for wrong in (["A-01-1", "A-O1-2"], ["a-01-1"], ["DOOR-1"]):
        with pytest.raises(BadInputError) as caught:
            where.name_zone("COLD", wrong, by="ops")
        assert caught.value.data["unknown"] == (wrong[-1],)
        assert where.zones()["A-01-1"] == "A", "nothing half"
    where.name_zone("COLD", ["A-01-1", "DOOR-1"], by="ops", sensors=["DOOR-1"])
    assert where.zones()["DOOR-1"] == "COLD"
    # A place that has a zone by name is known from then on.
    where.name_zone("ROOM", ["DOOR-1"], by="ops")
    assert where.zones()["DOOR-1"] == "ROOM"
