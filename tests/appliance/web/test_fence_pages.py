"""The pages of fences and alarms without a browser: who may what, and what a form becomes."""

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import markupsafe
import pytest

from appliance.web.alarms import alarms_router
from appliance.web.app import create_app
from appliance.web.fences import fences_router
from appliance.web.fences.chart import charts
from appliance.web.fences.form import differences, fence_of, form_of, id_from, new_form
from appliance.web.ports import Viewer
from appliance.words import words
from contracts.errors import BadInputError, NotFoundError
from contracts.reason import Reason
from contracts.telemetry import AlarmChange, AlarmEffect, Calibration, SeriesKey, TracePoint
from erp_link.service.excursions.alarms import AlarmRow, ChangeRow
from telemetry.watching.fences import Severity, Step
from telemetry.watching.hours import Hours, Span
from telemetry.watching.trials.trying import Curve, Tried, TriedAlarm
from tests.support.fences import Hub, cold_room
from tests.support.pages import CSRF, FakeGate

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
US = int(AT.timestamp()) * 1_000_000
MINUTE = 60_000_000


class Trials:
    async def try_out(self, fence, *, from_us, to_us):
        times = tuple(from_us + each * MINUTE for each in range(30))
        values = tuple(5.0 + each * 0.2 for each in range(30))
        key = SeriesKey("probe-1", fence.quantity)
        alarm = TriedAlarm(key, "above", times[16], times[16], None, 10.8, "critical")
        return Tried(from_us, to_us, (alarm,), (Curve(key, "Cel", times, values, values),), 30)


class Names:
    def names(self):
        return {"zone": ["COLD"], "place": ["COLD-1", "A-01-1"], "device": ["probe-1"]}


class Desk:
    """Alarms: one goes on, one is over."""

    def __init__(self):
        self.seen = []
        self.rows = [row("al-1", open=True), row("al-2", open=False)]

    def open(self):
        return [each for each in self.rows if each.open]

    def history(self, *, before=None, limit=100):
        return [each for each in self.rows if not each.open and before is None][:limit]

    def alarm(self, alarm_id):
        for each in self.rows:
            if each.alarm_id == alarm_id:
                return each
        raise NotFoundError(f"There is no alarm {alarm_id}", mend="Look in the list")

    def changes(self, alarm_id):
        trace = tuple(TracePoint(US + n * MINUTE, 8.0, 9.0 + n, 8.5 + n / 2, 60) for n in range(5))
        return [ChangeRow(0, AlarmChange.RAISED, AT, 9.0, 9.0, trace, "gateway-01", 17, AT)]

    def acknowledge(self, alarm_id, *, note, by):
        self.seen.append((alarm_id, note, by))

    close = acknowledge


def row(name, *, open):  # noqa: A002 -- the field's own name
    return AlarmRow(
        alarm_id=name, open=open, severity="critical", kind="above", effect=AlarmEffect.EXCURSION,
        fence="cold-room", fence_version=1, fence_sha256="0" * 64, gateway="gateway-01",
        series=SeriesKey("probe-1", "temperature"), unit="Cel", site="s1", place="COLD-1",
        since=AT, at=AT, since_us=US, value=9.2, limit=8.0, worst=9.6, escalated=1, batch="",
        product="", calibration=Calibration("K-1", "2026-01-01", "2027-01-01", 0.3),
        ticket_id="QC-1", excursion_id="EX-1", heard_at=AT, acknowledged_at=None,
        acknowledged_by="", note="",
    )  # fmt: skip


@pytest.fixture
def site(tmp_path):
    hub = Hub(tmp_path)
    desk = Desk()

    def asking(*roles, name="mei", silent=lambda _: None):
        app = create_app("Dock")
        gate = FakeGate(Viewer(name, frozenset(roles), CSRF))
        app.include_router(fences_router(hub.office, Trials(), gate, Names()))
        app.include_router(alarms_router(desk, gate, silent))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub")

    yield hub, desk, asking
    hub.close()


def form(**typed):
    return {**new_form(), "csrf_token": CSRF, "title": "Cold room", "above": "8", **typed}


async def test_a_form_becomes_a_draft_and_a_second_one_its_next_text(site):
    hub, _, asking = site
    async with asking("ops") as client:
        made = await client.post("/fences/new", data=form(span1_days=["1", "5"], span1_begins="18:00", span1_ends="06:00"))  # fmt: skip
        assert made.headers["location"] == "/fences/cold-room"
        again = await client.post("/fences/new", data=form())
        assert again.headers["location"] == "/fences/cold-room-2"
        await client.post("/fences/cold-room", data=form(above="9,5", for_min="10"))
        page = await client.get("/fences/cold-room?lang=zh")
    fence = hub.office.story("cold-room").newest.fence
    assert (fence.version, fence.above, fence.for_s, fence.hours) == (1, 9.5, 600, None)
    assert "第 1 版草稿" in page.text
    assert '<datalist id="names-place"><option value="COLD-1">' in page.text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"above": "warm"}, "no number"),
        ({"above": "", "title": "x"}, "needs a limit"),
        ({"quantity": "magic"}, "nothing that is measured"),
        ({"scope_kind": "zone"}, "scope"),
        ({"effect": "excursion"}, "An excursion is told while it lasts"),
        ({"expression": "temprature > 8"}, "»temprature"),
        ({"span1_begins": "08:00"}, "span needs"),
        ({"for_min": "-1"}, "not possible"),
        ({"severity": "awful"}, "cannot be chosen"),
    ],
)
async def test_what_cannot_be_is_told_and_stays_in_the_form(site, typed, told):
    hub, _, asking = site
    async with asking("quality") as client:
        answer = await client.post("/fences/new", data=form(**typed))
    assert answer.status_code == 422
    assert told in answer.text.replace("&gt;", ">")
    assert 'value="Cold room"' in answer.text or typed.get("title")
    assert hub.office.stories() == []


async def test_only_those_who_may_edit_and_sign(site):
    hub, _, asking = site
    hub.puts_in_force(cold_room())
    async with asking("viewer") as client:
        assert (await client.get("/fences")).status_code == 200
        page = await client.get("/fences/cold-room")
        assert "data-fence-sign" not in page.text
        assert (await client.post("/fences/new", data=form())).status_code == 403
        assert (await client.post("/fences/cold-room/statement", data=form())).status_code == 403
    async with asking("ops") as client:
        assert (await client.post("/fences/signers", data=form())).status_code == 403
    async with asking("quality") as client:
        assert "data-fence-sign" in (await client.get("/fences/cold-room")).text
        assert (await client.get("/fences/nobody")).status_code == 404
        odd = await client.post("/fences/cold-room/statement", data=form(state="odd"))
        assert odd.status_code == 422


async def test_a_fence_that_a_new_gateway_would_refuse_says_so(site):
    hub, _, asking = site
    hub.puts_in_force(cold_room())
    async with asking("viewer") as client:
        assert "sign anew" not in (await client.get("/fences")).text
        hub.office.withdraw(hub.mei.key_id)
        assert "sign anew" in (await client.get("/fences")).text


async def test_a_trial_shows_its_alarm_and_a_limit_to_drag(site):
    _, _, asking = site
    async with asking("quality") as client:
        part = await client.post("/fences/try", data=form(days="7", title=""))
        refused = await client.post("/fences/try", data=form(above="warm"))
        file = {"file": ("l.csv", b"2026-11-20T08:00,5\n2026-11-20T08:10,x", "text/csv")}
        bad = await client.post("/fences/try", data=form(), files=file)
    assert 'data-alarms="1"' in part.text
    assert 'data-limit="above"' in part.text
    assert "no number" in refused.text
    assert "Line 2" in bad.text


async def test_alarms_are_listed_told_and_acknowledged(site):
    _, desk, asking = site
    async with asking("operator", name="ben") as client:
        for language in ("en", "zh"):
            page = await client.get(f"/alarms?lang={language}")
            assert "al-1" in page.text
            assert "al-2" in page.text
        one = await client.get("/alarms/al-1")
        assert "alarm-plot" in one.text
        done = await client.post(
            "/alarms/al-1/acknowledge", data={"csrf_token": CSRF, "note": "seen"}
        )
        assert done.headers["location"] == "/alarms"
        assert (await client.get("/alarms/al-9")).status_code == 404
        assert (await client.get("/alarms?before=x.y&q=nothing")).status_code == 200
    assert desk.seen == [("al-1", "seen", "ben")]
    async with asking("viewer") as client:
        answer = await client.post("/alarms/al-1/acknowledge", data={"csrf_token": CSRF})
    assert answer.status_code == 403


@pytest.mark.parametrize(("due", "said"), [("2027-01-01", ""), ("2026-11-21", "overdue")])
async def test_an_alarm_of_a_sensor_that_is_due_for_calibration_says_so(site, due, said):
    _, desk, asking = site
    desk.rows[0] = replace(desk.rows[0], calibration=Calibration("K-1", "2026-01-01", due, 0.3))
    async with asking("operator") as client:
        page = (await client.get("/alarms/al-1")).text
    assert ("overdue" in page) is bool(said)


async def test_a_minute_that_was_told_in_two_parts_is_one_on_the_page(site, monkeypatch):
    _, desk, asking = site
    point = TracePoint(US, 8.0, 9.0, 8.5, 30)
    told = [ChangeRow(n, AlarmChange.RAISED, AT, 9.0, 9.0, (point,), "g", n, AT) for n in (0, 1)]
    monkeypatch.setattr(desk, "changes", lambda _: told)
    async with asking("operator") as client:
        page = await client.get("/alarms/al-1")
    assert page.status_code == 200
    assert "alarm-plot" not in page.text


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("product", " 6933132577789 ", "06933132577789"),
        ("batch", "ACME/6933132577789/L/1", "ACME/06933132577789/L/1"),
        ("batch", "-/06933132577789/L1", "-/06933132577789/L1"),
        ("batch", "/06933132577789/L1", "-/06933132577789/L1"),
        ("product", "6933132577780", None),
        ("batch", "L1", None),
    ],
)
def test_goods_are_named_as_the_core_names_them(kind, typed, kept):
    said = form(scope_kind=kind, scope_name=typed)
    if kept is None:
        with pytest.raises(BadInputError) as caught:
            fence_of(said, name="warm", zone="UTC")
        assert caught.value.data["field"] == "scope"
    else:
        assert fence_of(said, name="warm", zone="UTC").scope.name == kept


def test_a_form_says_what_the_fence_says():
    fence = cold_room(
        version=1, below=2.0, missing_s=900, rearm_s=90, severity=Severity.INFO,
        escalation=(Step(600, Severity.WARNING), Step(1800, Severity.CRITICAL)),
        hours=Hours("Europe/Berlin", (Span("67", "08:00", "12:30"),)),
        expression="temperature > 8", clear_when="door_open < 0.5",
    )  # fmt: skip
    assert fence_of(form_of(fence), name=fence.fence, zone="Europe/Berlin") == fence
    other = cold_room(above=9.0, for_s=300)
    assert differences(cold_room(), other) == [("above", "8", "9"), ("for_min", "10", "5")]


def test_an_id_is_made_of_the_name():
    assert id_from("Cold room, above 8 °C!", []) == "cold-room-above-8-c"
    assert id_from("冷库", ["fence"]) == "fence-2"


def test_a_form_with_seconds_in_its_minutes_is_exact():
    typed = {**new_form(), "title": "x", "above": "8", "for_min": "0.5"}
    assert fence_of(typed, name="x", zone="UTC").for_s == 30
    with pytest.raises(BadInputError):
        fence_of({**typed, "for_min": "1e9"}, name="x", zone="UTC")


def test_a_chart_without_readings_is_drawn_too():
    key = SeriesKey("probe-1", "temperature")
    tried = Tried(US, US + MINUTE, (), (Curve(key, "Cel", (), (), ()),), 0)
    (chart,) = charts(cold_room(), tried, UTC)
    assert (chart.band, chart.alarms) == ("", 0)
    assert chart.low < 8 < chart.high


def test_a_chart_begins_where_readings_begin():
    key = SeriesKey("probe-1", "temperature")
    at = (US + 9_000 * MINUTE, US + 9_500 * MINUTE)
    curve = Curve(key, "Cel", at, (5.0, 6.0), (5.0, 6.0))
    (chart,) = charts(cold_room(), Tried(US, US + 10_000 * MINUTE, (), (curve,), 2), UTC)
    assert float(chart.line.partition(",")[0]) < 25


async def test_an_alarm_of_a_lost_gateway_is_unknown_and_a_person_may_say_that_it_is_over(site):
    _, desk, asking = site
    lost = []
    for language, word in (("en", "not been heard since"), ("zh", "已失联")):
        async with asking(
            "quality", name="ada", silent=lambda _: lost[0] if lost else None
        ) as client:
            heard = (await client.get(f"/alarms/al-1?lang={language}")).text
            assert word not in heard
            assert "/alarms/al-1/close" not in heard
            refused = await client.post(
                "/alarms/al-1/close", data={"csrf_token": CSRF, "note": "x"}
            )
            assert refused.status_code == 409
            lost.append(AT)
            for path in ("/alarms", "/alarms/al-1"):
                assert word in (await client.get(f"{path}?lang={language}")).text
            done = await client.post(
                "/alarms/al-1/close", data={"csrf_token": CSRF, "note": "door shut"}
            )
            assert done.status_code == 303
            lost.clear()
    assert desk.seen == [("al-1", "door shut", "ada")] * 2
    lost.append(AT)
    async with asking("operator", silent=lambda _: AT) as client:
        assert "/alarms/al-1/close" not in (await client.get("/alarms/al-1")).text
        answer = await client.post("/alarms/al-1/close", data={"csrf_token": CSRF, "note": "x"})
    assert answer.status_code == 403


async def test_the_page_of_an_alarm_that_a_person_closed_says_who(site):
    _, desk, asking = site
    desk.rows[1] = replace(desk.rows[1], acknowledged_by="ada", acknowledged_at=AT, note="shut")
    async with asking("operator") as client:
        assert "closed by ada" in (await client.get("/alarms/al-2?lang=en")).text


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ({"above": "warm"}, "fence_wrong_typed", "warm"),
        ({"above": "", "below": ""}, "fence_wrong_no_limit", ""),
        ({"above": "2", "below": "8"}, "fence_wrong_order", ""),
        ({"title": " "}, "fence_wrong_title", ""),
        ({"for_min": "99999"}, "fence_wrong_time", ""),
        ({"scope_kind": "product", "scope_name": "123"}, "fence_wrong_goods", "123"),
        ({"scope_kind": "batch", "scope_name": "a/b"}, "fence_wrong_batch", "a/b"),
        ({"scope_kind": "zone", "scope_name": ""}, "fence_wrong_scope", ""),
        ({"severity": "awful"}, "fence_wrong_choice", "awful"),
        ({"span1_begins": "18:00"}, "fence_wrong_span", ""),
        ({"span1_days": ["1"], "span1_begins": "25:00", "span1_ends": "26:00"}, "fence_wrong_hours", ""),
        ({"effect": "excursion", "tell_min": ""}, "fence_wrong_excursion_tell", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_what_is_wrong_with_a_field_is_said_in_the_readers_language(
    site, typed, code, said, language
):
    hub, _, asking = site
    async with asking("ops") as client:
        for path in ("/fences/new", "/fences/try"):
            if path == "/fences/try" and "title" in typed:
                continue
            page = await client.post(f"{path}?lang={language}", data=form(**typed))
            expected = str(markupsafe.escape(words(language).reason(Reason(code, {"typed": said}))))
            assert expected in page.text, path
    assert hub.office.stories() == []
