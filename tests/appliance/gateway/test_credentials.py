"""Who may publish, and below which topics."""

from __future__ import annotations

import pytest

from appliance.gateway.credentials import SensorCredentials
from contracts.errors import BadInputError, ForbiddenError, NotSignedInError
from telemetry.ports import Admission, Caller


def caller(name="", password="", *, certificate=b"", common_name="", uris=()):
    return Caller("c", name, password.encode(), "127.0.0.1:1", certificate, common_name, uris)


@pytest.fixture
def credentials(tmp_path):
    return SensorCredentials(tmp_path / "sensors.json")


async def test_a_sensor_comes_in_with_the_password_that_was_made_for_it(credentials):
    password = credentials.add("probe-1")
    assert await credentials.admit(caller("probe-1", password)) == Admission(
        "probe-1", ("sensors/probe-1/#",)
    )
    other = SensorCredentials(credentials._path)
    assert (await other.admit(caller("probe-1", password))).device == "probe-1"


async def test_a_second_password_takes_the_place_of_the_first_at_once(credentials):
    first = credentials.add("probe-1")
    second = credentials.add("probe-1", ("plant/+/probe-1",))
    with pytest.raises(NotSignedInError):
        await credentials.admit(caller("probe-1", first))
    assert (await credentials.admit(caller("probe-1", second))).topics == ("plant/+/probe-1",)


async def test_nobody_gets_the_name_of_another_in_other_letters(credentials):
    credentials.add("cold-1")
    with pytest.raises(BadInputError, match="capital letters"):
        credentials.add("COLD-1")
    credentials.add("cold-1")


@pytest.mark.parametrize(
    "who", [caller(), caller("probe-1"), caller("probe-1", "guess"), caller("nobody", "guess")]
)
async def test_nobody_comes_in_without(credentials, who):
    credentials.add("probe-1")
    with pytest.raises(NotSignedInError, match="no sensor of this site"):
        await credentials.admit(who)


async def test_a_certificate_names_its_sensor(credentials):
    own = caller(certificate=b"der", uris=("urn:tallyman:device:probe-7",), common_name="x")
    assert (await credentials.admit(own)).device == "probe-7"
    makers = caller(certificate=b"der", common_name="0004A30B00")
    assert (await credentials.admit(makers)).topics == ("sensors/0004A30B00/#",)
    with pytest.raises(NotSignedInError):
        await credentials.admit(caller(certificate=b"der", common_name="a/#"))
    with pytest.raises(ForbiddenError):
        await credentials.admit(caller("probe-8", certificate=b"der", common_name="probe-7"))


async def test_a_revoked_certificate_lets_nobody_in(tmp_path):
    credentials = SensorCredentials(tmp_path / "s.json", revoked=lambda: ("probe-7",))
    with pytest.raises(ForbiddenError, match="revoked"):
        await credentials.admit(caller(certificate=b"der", common_name="probe-7"))
    assert (await credentials.admit(caller(certificate=b"d", common_name="probe-8"))).device


async def test_a_sensor_with_a_certificate_only_has_no_empty_password(credentials):
    credentials._path.write_text('{"sensors":{"probe-1":{"topics":["a/#"]}}}')
    with pytest.raises(NotSignedInError):
        await credentials.admit(caller("probe-1", ""))
    assert (await credentials.admit(caller(certificate=b"d", common_name="probe-1"))).topics == (
        "a/#",
    )


@pytest.mark.parametrize("name", ["", "a/b", "a+b", "#", "x" * 65, "-a"])
def test_a_name_that_would_be_a_topic_of_others_is_refused(credentials, name):
    with pytest.raises(BadInputError, match="sensor's name"):
        credentials.add(name)


def test_the_file_is_for_its_owner_alone(credentials):
    password = credentials.add("probe-1")
    assert credentials._path.stat().st_mode & 0o077 == 0
    assert password not in credentials._path.read_text()


async def test_a_file_that_is_not_ours_is_said_so(credentials):
    credentials._path.write_text("[]")
    with pytest.raises(BadInputError, match="cannot be read"):
        await credentials.admit(caller("a", "b"))
