"""What a fence would have told: over a file, and over a gateway's history."""

from unittest.mock import patch
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest

from contracts.errors import BadInputError
from contracts.telemetry import AlarmEffect
from telemetry.watching.conditions.condition import Condition
from telemetry.watching.fences import Scope, ScopeKind
from telemetry.watching.trials.api import TRY_PATH, Trial, watching_router
from telemetry.watching.trials.trying import Tried, try_file
from tests.support.charts import fill, gateway_app
from tests.telemetry.watching.stream import SECOND, warm

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_file_is_gone_through_in_the_order_of_time():
    text = "when,value\n2026-11-20T08:20,9\n2026-11-20T08:00,5\n\n2026-11-20T08:10:00Z,4\n2026-11-20T08:30,9\n"
    tried = try_file(warm(scope=Scope(ScopeKind.ZONE, "COLD")), text, BERLIN)
    (alarm,) = tried.alarms
    # 08:20 in Berlin is 07:20 UTC, and 08:10Z is the last.
    assert (alarm.cleared_us or 0) - alarm.since_us == 50 * 60 * SECOND
    assert (tried.readings, alarm.kind, alarm.worst) == (4, "above", 9.0)
    assert tried.curves[0].most == (5.0, 9.0, 9.0, 4.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no readings"),
        ("time,value\n", "no readings"),
        ("time,value\n2026-11-20T08:00,5\n2026-11-20,warm", "Line 3"),
        ("2026-11-20T08:00,5\n2026-11-20T09:00,nan", "Line 2"),
        ("2026-11-20T08:00,5\nyesterday,5", "Line 2"),
        ("2026-11-20T08:00,5\n2026-11-20T08:00", "Line 2"),
        ("2026-11-20T08:00,9\n2206-11-20T08:00,9", "2026-11-20 to 2206-11-20"),
        ("2026-11-20T08:00,9\n0001-01-01T00:00,9", "Line 2"),
        ("2026-11-20T08:00,9\n9999-12-31T23:59,9", "Line 2"),
    ],
)
def test_a_file_that_cannot_be_read_names_the_line(text, told):
    with pytest.raises(BadInputError, match=told):
        try_file(warm(), text, BERLIN)


def test_a_trial_of_a_year_keeps_no_word_of_every_minute():
    text = "2025-11-20T08:00,9\n2026-11-20T08:00,9\n"
    fence = warm(tell_s=60, effect=AlarmEffect.EXCURSION)
    with patch.object(Condition, "_tell", autospec=True, side_effect=Condition._tell) as told:
        assert len(try_file(fence, text, BERLIN).alarms) == 1
    assert told.call_count == 1


@pytest.fixture
async def asking(tmp_path):
    fill(tmp_path / "history")
    app, history = gateway_app(tmp_path / "history")
    app.include_router(watching_router(history))
    newest = max(each.last.at_us for each in history.known() if each.last)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://gateway"
    ) as client:

        async def ask(fence, hours=3):
            asked = Trial(fence.text(), newest - hours * 3600 * SECOND, newest + 1)
            return await client.post(TRY_PATH, content=msgspec.json.encode(asked))

        yield ask
    history.close()


async def test_the_door_that_stood_open_an_hour_ago_would_have_been_told(asking):
    answer = await asking(warm(above=7.0, for_s=60, tell_s=60, effect=AlarmEffect.EXCURSION))
    tried = msgspec.json.decode(answer.content, type=Tried)
    (alarm,) = tried.alarms
    assert alarm.cleared_us is not None
    assert 240 * SECOND <= alarm.cleared_us - alarm.since_us <= 310 * SECOND
    assert (len(tried.curves), tried.readings, tried.step_us) == (1, 720, 1)
    answer = await asking(warm(above=7.0, for_s=600))
    assert msgspec.json.decode(answer.content, type=Tried).alarms == ()


async def test_an_expression_is_tried_with_what_stands_beside(asking):
    answer = await asking(warm(above=None, expression="temperature > 7 && humidity > 10"))
    assert len(msgspec.json.decode(answer.content, type=Tried).alarms) >= 1


async def test_where_no_sensor_stands_it_says_so(asking):
    answer = await asking(warm(scope=Scope(ScopeKind.PLACE, "NOWHERE")))
    assert answer.status_code == 404
    assert "within this fence" in answer.json()["detail"]


async def test_what_is_no_trial_is_refused(asking):
    for hours in (-1, 24 * 100):
        answer = await asking(warm(), hours=hours)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
