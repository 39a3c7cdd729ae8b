"""A bundle takes effect whole or not at all, and a gateway works by the last one without its hub."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import msgspec
import pytest

from appliance.bench.ingest.kills.papers import GATEWAY, cold_room, sign_fences, write_papers
from appliance.fences.guard import FenceGuard
from appliance.gateway import knowledge
from appliance.gateway.bundle import SensorBundle, sign_bundle
from appliance.gateway.knowledge import KeptCatalogues, Knowledge, bundle_file, kept_bundle
from appliance.identity.device import DeviceIdentity, SiteTrust
from appliance.identity.site_ca import SiteCa
from appliance.layout import Layout
from appliance.teaching.trust import TrustedKeys
from appliance.uplink.client import Answer
from contracts.errors import ArtefactRefusedError, BadInputError
from contracts.telemetry import AlarmChange, AlarmChanged
from telemetry.describing.book import Device, Family, SensorBook
from telemetry.ingest.intake import Intake

TEMPLATE = "json-temperature-humidity"
NOW_US = 1_795_000_000_000_000


class Ears:
    """Who is told of alarms."""

    def __init__(self) -> None:
        self.heard: list[AlarmChanged] = []

    async def tell(self, changes: Sequence[AlarmChanged]) -> None:
        self.heard += changes


class Site:
    """A gateway's folder, its hub's keys, and an intake that works by what it knows."""

    def __init__(self, folder) -> None:
        self.layout = Layout(folder)
        write_papers(self.layout, ("probe-1",), fences=())
        self.ca = SiteCa.open_or_create(folder / "ca")
        self.identity = DeviceIdentity.open_or_create(self.layout.gateway / "identity", GATEWAY)
        self.ears = Ears()
        self.fences = sign_fences((cold_room(),))
        self.knowledge = self._know()
        self.intake = self._intake()

    def _know(self) -> Knowledge:
        folder = self.layout.gateway
        guard = FenceGuard(folder / "fences", TrustedKeys(folder / "trust"))
        return Knowledge(self.layout, self.identity, guard)

    def _intake(self) -> Intake:
        return Intake(
            self.layout.ingest,
            catalogue=self.knowledge.catalogue,
            engine=self.knowledge.begin(NOW_US),
            sink=self.ears,
            now_us=lambda: NOW_US,
        )

    async def start(self) -> None:
        await self.intake.start()
        self.knowledge.watch_over(self.intake)

    async def restart(self) -> None:
        await self.intake.stop()
        self.knowledge = self._know()
        self.intake = self._intake()
        await self.start()

    def bundle(self, *devices: str, **more) -> bytes:
        book = SensorBook(tuple(Device(name, TEMPLATE, place="A-01") for name in devices))
        return sign_bundle(
            SensorBundle(book=book.encode().decode(), fences=self.fences, **more),
            self.ca.head_signer,
        )

    async def says(self, device: str, number: int, celsius: float) -> None:
        done = asyncio.Event()
        body = msgspec.json.encode(
            {"seq": number, "ts": NOW_US // 1000 + number, "t": celsius, "h": 50}
        )
        self.intake.take([(f"sensors/{device}/climate", body)], NOW_US + number, done.set)
        await done.wait()


@pytest.fixture
async def site(tmp_path):
    site = Site(tmp_path)
    await site.start()
    yield site
    await site.intake.stop()


async def test_a_sensor_is_known_and_watched_from_the_bundle_on_that_names_it(site):
    await site.says("probe-2", 1, 4.0)
    assert site.intake.counts.quarantined["unknown_address"] == 1
    await site.knowledge.take(site.bundle("probe-1", "probe-2"))
    await site.says("probe-2", 2, 11.0)
    await site.says("probe-2", 3, 4.0)
    assert site.intake.counts.accepted == 2
    # At its end a gateway tells what it has not told yet.
    await site.restart()
    told = [each.change for each in site.ears.heard if each.fence == "cold-room"]
    assert told == [AlarmChange.RAISED, AlarmChange.CLEARED]


async def test_without_its_hub_a_gateway_goes_on_by_the_last_bundle(site):
    await site.knowledge.take(site.bundle("probe-1", "probe-2"))
    await site.says("probe-2", 1, 11.0)
    await site.restart()
    assert [each.fence for each in site.knowledge.fences.fences()] == ["cold-room"]
    await site.says("probe-2", 2, 12.0)
    assert site.intake.counts.accepted == 1
    assert len(site.knowledge.engine.open_alarms()) == 1


@pytest.mark.parametrize("wrong", ["signature", "book", "template"])
async def test_what_cannot_be_used_changes_nothing(site, wrong, tmp_path):
    await site.knowledge.take(site.bundle("probe-1"))
    before = site.knowledge.catalogue.version, bundle_file(site.layout).read_bytes()
    match wrong:
        case "signature":
            other = SiteCa.open_or_create(tmp_path / "other")
            raw = sign_bundle(SensorBundle(), other.head_signer)
        case "book":
            raw = sign_bundle(SensorBundle(book='{"device":[{"id":"a"}]}'), site.ca.head_signer)
        case _:
            raw = site.bundle("probe-1", templates=("name =",))
    with pytest.raises((ArtefactRefusedError, BadInputError)):
        await site.knowledge.take(raw)
    assert (site.knowledge.catalogue.version, bundle_file(site.layout).read_bytes()) == before
    await site.says("probe-1", 1, 4.0)
    assert site.intake.counts.accepted == 1


class Hub:
    """Implements what a HubClient is asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def ask(self, method: str, path: str, *, body: bytes = b"", etag: str = "") -> Answer:
        self.asked.append(etag)
        return self.answers.pop(0)


async def test_a_refused_bundle_is_told_and_the_next_good_one_ends_that(site):
    hub = Hub(Answer(200, b"{}", '"1"'), Answer(304, b"", '"1"'), Answer(200, site.bundle(), '"2"'))
    await site.knowledge.ask(hub)
    assert "cannot be read" in site.knowledge.trouble
    await site.knowledge.ask(hub)
    await site.knowledge.ask(hub)
    assert site.knowledge.trouble == ""
    assert hub.asked == ["", '"1"', '"1"']


async def test_a_bundle_that_a_full_disk_did_not_take_is_asked_for_again(site, monkeypatch):
    raw = site.bundle("probe-1", "probe-2")
    hub = Hub(Answer(200, raw, '"1"'), Answer(200, raw, '"1"'), Answer(304, b"", '"1"'))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("appliance.fences.guard.write_atomic", full)
        await site.knowledge.ask(hub)
    assert "No space" in site.knowledge.trouble
    assert site.knowledge.fences.fences() == ()
    await site.knowledge.ask(hub)
    assert site.knowledge.trouble == ""
    await site.says("probe-2", 1, 11.0)
    assert [each.fence for each in site.knowledge.engine.open_alarms()] == ["cold-room"]
    await site.knowledge.ask(hub)
    assert hub.asked == ["", "", '"1"']


async def test_an_alarm_that_somebody_looks_after_escalates_no_further(site):
    await site.knowledge.take(site.bundle("probe-1"))
    await site.says("probe-1", 1, 11.0)
    (alarm,) = site.knowledge.engine.open_alarms()
    await site.knowledge.take(site.bundle("probe-1", acknowledged=(alarm.alarm_id,)))
    memories = [each.memory for each in site.knowledge.engine._conditions.values()]
    assert [each.silenced for each in memories if each.last is not None] == [True]


async def test_the_tailer_has_the_catalogue_of_the_kept_bundle(site):
    catalogues = KeptCatalogues(site.layout, site.identity)
    first = catalogues.current()
    assert first.version == site.knowledge.catalogue.version
    assert catalogues.current() is first
    await site.knowledge.take(site.bundle("probe-1", "probe-2"))
    assert catalogues.current().version == site.knowledge.catalogue.version != first.version


async def test_the_tailer_goes_on_by_the_last_bundle_that_held(site):
    catalogues = KeptCatalogues(site.layout, site.identity)
    first = catalogues.current()
    text = bundle_file(site.layout).read_bytes()
    bundle_file(site.layout).write_bytes(text.replace(b"probe-1", b"probe-9"))
    assert catalogues.current() is first


async def test_the_tailer_believes_the_certificate_that_the_gateway_got_meanwhile(site, tmp_path):
    catalogues = KeptCatalogues(site.layout, site.identity)
    catalogues.current()
    moved = SiteCa.open_or_create(tmp_path / "moved")
    site.identity.keep(
        SiteTrust(site.identity.certificate_pem, moved.device_ca_pem, moved.head_certificate_pem)
    )
    site.ca = moved
    await site.knowledge.take(site.bundle("probe-1", "probe-2"))
    assert catalogues.current().version == site.knowledge.catalogue.version


async def test_a_bundle_that_fails_as_nobody_thought_of_ends_no_gateway(site, monkeypatch):
    before = site.knowledge.catalogue
    monkeypatch.setattr(site.knowledge.engine, "swap", lambda *_, **__: 1 / 0)
    hub = Hub(Answer(200, site.bundle("probe-1", "probe-2"), '"1"'))
    await site.knowledge.ask(hub)
    assert "ZeroDivisionError" in site.knowledge.trouble
    assert site.knowledge.catalogue is before
    await site.says("probe-1", 1, 4.0)
    assert site.intake.counts.accepted == 1


def test_a_kept_bundle_that_no_longer_holds_is_none(site):
    text = bundle_file(site.layout).read_bytes()
    bundle_file(site.layout).write_bytes(text.replace(b"probe-1", b"probe-9"))
    assert kept_bundle(site.layout, site.identity) == SensorBundle()


async def test_readings_go_on_while_the_next_catalogue_is_made(site, monkeypatch):
    making, threads = knowledge._catalogue, []

    def slowly(bundle, after):
        threads.append(threading.current_thread())
        # Meanwhile the loop takes readings of a sensor that had no numbers yet.
        if threads[-1] is not threading.main_thread():
            spoken = asyncio.run_coroutine_threadsafe(
                site.says(f"walker-{min(len(threads), 2)}", len(threads), 4.0), loop
            )
            spoken.result(20)
        return making(bundle, after)

    families = (Family("sensors/{device}/climate", TEMPLATE, most=10),)
    for note in ("first", "second"):
        more = SensorBook((Device("probe-1", TEMPLATE, note=note),), families)
        raw = sign_bundle(
            SensorBundle(book=more.encode().decode(), fences=site.fences), site.ca.head_signer
        )
        await site.knowledge.take(raw)
        if note == "first":
            loop = asyncio.get_running_loop()
            monkeypatch.setattr(knowledge, "_catalogue", slowly)
    assert all(each is not threading.main_thread() for each in threads)
    assert len(threads) == 3, "twice a new sensor spoke meanwhile"
    names = [each.key.device for each in site.knowledge.catalogue.series]
    assert {"walker-1", "walker-2", "probe-1"} <= set(names)
    engine = site.knowledge.engine
    for number, each in enumerate(site.knowledge.catalogue.series):
        assert engine._book[number].key == each.key
    await site.says("walker-1", 99, 11.0)
    assert [each.series.device for each in engine.open_alarms()] == ["walker-1"]


async def test_where_new_sensors_speak_all_the_time_the_catalogue_is_made_between_groups(
    site, monkeypatch
):
    making, threads = knowledge._catalogue, []
    loop = asyncio.get_running_loop()

    def slowly(bundle, after):
        threads.append(threading.current_thread())
        if threads[-1] is not threading.main_thread():
            spoken = site.says(f"walker-{len(threads)}", len(threads), 4.0)
            asyncio.run_coroutine_threadsafe(spoken, loop).result(20)
        return making(bundle, after)

    families = (Family("sensors/{device}/climate", TEMPLATE, most=10),)

    def bundle(note: str) -> bytes:
        book = SensorBook((Device("probe-1", TEMPLATE, note=note),), families)
        return sign_bundle(
            SensorBundle(book=book.encode().decode(), fences=site.fences), site.ca.head_signer
        )

    await site.knowledge.take(bundle("first"))
    monkeypatch.setattr(knowledge, "_catalogue", slowly)
    await site.knowledge.take(bundle("second"))
    assert [each is threading.main_thread() for each in threads] == [False, False, False, True]
    names = [each.key.device for each in site.knowledge.catalogue.series]
    assert {"walker-1", "walker-2", "walker-3"} <= set(names)
