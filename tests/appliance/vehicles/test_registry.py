"""Who is enrolled: names, topics that are apart, passwords that are shown once, revocations."""

import json
import stat
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.services.bus import check_topic, matches
from appliance.vehicles import names
from appliance.vehicles.fleet import introduce_fleet, seats_in, station_url
from appliance.vehicles.registry import VehicleRegistry
from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError, NotFoundError

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
PART = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,8}", fullmatch=True)


@pytest.fixture
def registry(tmp_path: Path) -> VehicleRegistry:
    return VehicleRegistry(tmp_path / "vehicles.json", clock=FixedClock(NOW))


def test_a_password_is_shown_once_and_kept_as_hashes_only(
    registry: VehicleRegistry, tmp_path: Path
):
    password = registry.enrol_vehicle("maker/A", by="ida", note="from  the\nyard")
    assert registry.knows("maker/A", password)
    assert not registry.knows("maker/A", password + "x")
    file = tmp_path / "vehicles.json"
    assert password not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (one,) = registry.all()
    assert (one.enrolled_at, one.enrolled_by, one.note) == (NOW, "ida", "from the yard")
    assert password not in repr(one)
    assert one.bcrypt not in repr(one)


def test_another_password_keeps_what_people_should_know_of_a_vehicle(registry: VehicleRegistry):
    registry.enrol_vehicle("maker/A", by="ida", note="hall 7")
    registry.enrol_vehicle("maker/A", by="ida")
    assert [one.note for one in registry.all()] == ["hall 7"]
    registry.enrol_vehicle("maker/A", by="ida", note="hall 8")
    assert [one.note for one in registry.all()] == ["hall 8"]


def test_a_vehicle_says_and_hears_below_its_own_name_in_both_versions(registry: VehicleRegistry):
    registry.enrol_vehicle("maker/A", by="ida")
    (member,) = registry.members()
    assert member.user == "maker/A"
    assert "uagv/v2/maker/A/state" in member.rule.publish
    assert "vda5050/v3/maker/A/factsheet" in member.rule.publish
    assert "vda5050/v3/maker/A/responses" in member.rule.subscribe
    assert "uagv/v2/maker/A/order" in member.rule.subscribe
    assert "uagv/v2/maker/A/zoneSet" not in member.rule.subscribe
    assert not set(member.rule.publish) & set(member.rule.subscribe)


def test_a_fleet_with_an_interface_name_of_its_own_has_that_one_alone(registry: VehicleRegistry):
    registry.enrol_vehicle("maker/A", by="ida", interfaces=("hall7",))
    (member,) = registry.members()
    assert {topic.partition("/")[0] for topic in member.rule.publish} == {"hall7"}


@pytest.mark.parametrize(
    "name",
    ["", "A", "maker/", "/A", "maker/A/B", "my maker/A", "maker/+", "#/A", "maker/ä", "ma\nker/A",
     'maker/A"', "x" * 60 + "/A", "-maker/A"],
)  # fmt: skip
def test_a_name_that_makes_no_topic_is_refused(registry: VehicleRegistry, name: str):
    with pytest.raises(BadInputError, match="no vehicle's name"):
        registry.enrol_vehicle(name, by="ida")
    assert registry.all() == ()


@pytest.mark.parametrize("interface", ["a/b", "+", "", "tallyman", "sensors", "a b"])
def test_an_interface_that_is_no_level_or_ours_is_refused(
    registry: VehicleRegistry, interface: str
):
    with pytest.raises(BadInputError, match="first level"):
        registry.enrol_vehicle("maker/A", by="ida", interfaces=(interface,))


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("module", "no prefix"),
        ("module/#", "no prefix"),
        ("module//QC", "no prefix"),
        ("a/b/c/d/e/f/g/h/i", "no prefix"),
        ("tallyman/QC", "own parts"),
        ("sensors/QC", "own parts"),
        ("uagv/v2/maker/A", "where vehicles speak"),
        ("plant/v3", "where vehicles speak"),
    ],
)
def test_a_prefix_in_which_others_speak_is_refused(
    registry: VehicleRegistry, prefix: str, said: str
):
    with pytest.raises(BadInputError, match=said):
        registry.enrol_station(prefix, by="ida")


def test_no_station_stands_in_anothers_topics(registry: VehicleRegistry):
    registry.enrol_station("module/v1/ff", by="ida")
    for inside in ("module/v1/ff/QC", "module/v1"):
        with pytest.raises(ConflictError, match="not apart"):
            registry.enrol_station(inside, by="ida")
    registry.enrol_station("module/v1/ff2", by="ida")
    # One that was revoked takes no room.
    registry.revoke("module/v1/ff", by="ida", why="scrapped")
    registry.enrol_station("module/v1/ff/QC", by="ida")


def test_names_that_differ_by_capitals_only_are_taken_for_one(registry: VehicleRegistry):
    registry.enrol_vehicle("maker/A", by="ida")
    with pytest.raises(ConflictError, match="capital"):
        registry.enrol_vehicle("Maker/A", by="ida")


def test_a_vehicle_does_not_become_a_station_by_itself(registry: VehicleRegistry):
    password = registry.enrol_vehicle("maker/A", by="ida")
    with pytest.raises(ConflictError, match="enrolled as a vehicle"):
        registry.enrol_station("maker/A", by="ida")
    assert registry.knows("maker/A", password)


def test_a_revocation_says_who_when_and_why_and_stays(registry: VehicleRegistry):
    password = registry.enrol_vehicle("maker/A", by="ida")
    with pytest.raises(BadInputError, match="without a reason"):
        registry.revoke("maker/A", by="joe", why="  ")
    registry.revoke("maker/A", by="joe", why="stolen")
    (one,) = registry.all()
    assert (one.revoked_by, one.revoked_at, one.why) == ("joe", NOW, "stolen")
    assert registry.members() == ()
    assert not registry.knows("maker/A", password)
    with pytest.raises(ConflictError, match="before: stolen"):
        registry.revoke("maker/A", by="joe", why="again")
    with pytest.raises(NotFoundError):
        registry.revoke("maker/B", by="joe", why="stolen")


def test_a_file_that_is_not_ours_is_a_clear_error(tmp_path: Path):
    file = tmp_path / "vehicles.json"
    file.write_text('{"enrolled": []}')
    with pytest.raises(BadInputError, match=r"vehicles\.json cannot be read"):
        VehicleRegistry(file).all()


def _enrol(path: str, number: int) -> None:
    for index in range(10):
        VehicleRegistry(Path(path)).enrol_vehicle(f"maker/{number}-{index}", by="shell")


def test_a_page_and_a_shell_that_enrol_at_once_lose_nobody(
    registry: VehicleRegistry, tmp_path: Path
):
    context = get_context("spawn")
    path = str(tmp_path / "vehicles.json")
    crowd = [context.Process(target=_enrol, args=(path, number)) for number in range(3)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert len(registry.all()) == 30


def test_the_virtual_fleet_keeps_its_passwords_and_is_not_let_in_again_once_revoked(
    registry: VehicleRegistry, tmp_path: Path
):
    file = tmp_path / "demo" / "fleet.json"
    assert introduce_fleet(registry, file) == file
    first = file.read_text()
    assert introduce_fleet(registry, file) == file
    assert file.read_text() == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    registry.revoke("tallyman/agv-1", by="ida", why="a test")
    introduce_fleet(registry, file)
    seats = seats_in(file, "mqtts://dock.example:8883")
    assert [(one.manufacturer, one.serial) for one in seats] == [("tallyman", "agv-2")]
    password = json.loads(file.read_text())["tallyman/agv-2"]
    assert seats[0].url == f"mqtts://tallyman%2Fagv-2:{password}@dock.example:8883"
    registry.revoke("tallyman/agv-2", by="ida", why="a test")
    assert introduce_fleet(registry, file) is None


def test_a_lost_file_of_passwords_is_made_anew(registry: VehicleRegistry, tmp_path: Path):
    file = tmp_path / "fleet.json"
    introduce_fleet(registry, file)
    file.unlink()
    introduce_fleet(registry, file)
    for name, password in json.loads(file.read_text()).items():
        assert registry.knows(name, password)


@given(
    st.lists(st.tuples(PART, PART), min_size=2, max_size=2, unique_by=lambda n: "/".join(n).lower())
)
def test_no_two_vehicles_share_a_topic(pair: list[tuple[str, str]]):
    one, other = (names.vehicle_rule("/".join(name), ()) for name in pair)
    for topic in (*one.publish, *one.subscribe):
        check_topic(topic)
        assert not any(matches(topic, mine) for mine in (*other.publish, *other.subscribe))


@given(st.lists(PART, min_size=1, max_size=5), st.tuples(PART, PART), PART)
def test_no_station_can_speak_as_a_vehicle(
    levels: list[str], vehicle: tuple[str, str], interface: str
):
    try:
        prefix = names.station_prefix("/".join(levels))
    except BadInputError:
        return
    spoken = names.vehicle_rule(
        "/".join(vehicle), (interface,) if interface.lower() not in {"tallyman", "sensors"} else ()
    )
    filters = names.station_rule(prefix).publish
    assert not any(matches(topic, each) for topic in spoken.publish for each in filters)


def test_a_virtual_station_has_a_password_of_its_own_in_the_same_file(tmp_path: Path):
    file = tmp_path / "fleet.json"
    prefix = "factory/v1/hall1/CHECK-1"
    file.write_text(json.dumps({"tallyman/agv-1": "one", prefix: "two"}))
    url = "mqtt://127.0.0.1:1883"
    assert [one.serial for one in seats_in(file, url)] == ["agv-1"]
    signed = station_url(file, url, prefix)
    assert signed == "mqtt://factory%2Fv1%2Fhall1%2FCHECK-1:two@127.0.0.1:1883"
    assert station_url(None, url, prefix) == url
    with pytest.raises(BadInputError, match="has no password for the station"):
        station_url(file, url, "factory/v1/hall1/CHECK-2")
    file.write_text('{"agv-1": "one"}')
    with pytest.raises(BadInputError, match="no vehicle's name"):
        seats_in(file, url)
