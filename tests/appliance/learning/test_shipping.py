"""From the station to the hub: last in the queue, once, and erased on both sides (I2, I6)."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.identity.device import DeviceIdentity, SiteTrust
from appliance.learning.budget import Budget
from appliance.learning.dataset import Dataset
from appliance.learning.erasure import Erasure, Erasures
from appliance.learning.example import carton_key, decode_example, encode_example, us_of
from appliance.uplink.client import HubClient, HubRefusedError
from contracts.clock import SystemClock
from tests.appliance.journal.bodies import camera, carton
from tests.appliance.learning.cartons import NOW, example, later
from tests.appliance.uplink.hub import serving


def cartons(dataset: Dataset) -> list[str]:
    return sorted(decode_example(dataset.read(name)).carton_id for name in dataset.names())


async def test_a_settled_review_arrives_at_the_hub_and_leaves_the_station(
    site, station, running, until
):
    with serving(site.hub) as url:
        async with running(station.keeper().run, station.uplink(url).run):
            await station.review("c-1")
            await until(lambda: cartons(site.dataset) == ["c-1"], "at the hub")
            await until(lambda: station.dataset.held().examples == 0, "one copy is enough")


async def test_an_outage_of_days_delays_examples_and_they_arrive_once(
    site, station, running, until, free_port
):
    uplink = station.uplink(f"https://127.0.0.1:{free_port}")
    async with running(station.keeper().run, uplink.run):
        for number in range(6):
            await station.review(f"c-{number:02d}")
        await until(lambda: station.dataset.held().examples == 6, "kept meanwhile")
        for _ in range(2):
            with serving(site.hub, free_port):
                await until(lambda: site.dataset.held().examples > 0, "on their way")
        with serving(site.hub, free_port):
            await until(lambda: station.dataset.held().examples == 0, "all are sent")
    assert cartons(site.dataset) == [f"c-{number:02d}" for number in range(6)]


async def test_an_acknowledgement_that_was_lost_makes_no_second_example(
    site, station, running, until
):
    """The hub has it, the station does not know: it sends it again."""
    made = example("c-1", at=later(days=0))
    data = encode_example(made)
    station.dataset.add_bytes(data, now_us=us_of(NOW))
    site.dataset.add_bytes(data, now_us=us_of(NOW))
    with serving(site.hub) as url:
        async with running(station.uplink(url).run):
            await until(lambda: station.dataset.held().examples == 0, "acknowledged")
    assert cartons(site.dataset) == ["c-1"]


async def test_entries_and_pictures_go_first(site, station, running, until):
    """Nothing of an example moves while the hub has not got the whole record."""
    order: list[str] = []
    site.dataset.listen(lambda name: order.append("example"))
    site.hub.evidence.listen(lambda name: order.append("picture"))
    station.dataset.add(example("c-0"), now_us=us_of(NOW))
    for number in range(8):
        name = station.evidence.put(b"picture %d" % number)
        await station.journal.append(carton(f"c-{number}", name))
    with serving(site.hub) as url:
        async with running(station.uplink(url).run):
            await until(lambda: station.dataset.held().examples == 0, "the example")
    assert order == ["picture"] * 8 + ["example"]


async def test_a_slow_line_does_not_hold_up_the_record(site, station, running, until):
    for number in range(3):
        station.dataset.add(example(f"c-{number}", size=50_000), now_us=us_of(NOW))
    with serving(site.hub) as url:
        uplink = station.uplink(url, kb_s=1)
        async with running(uplink.run):
            await until(lambda: station.dataset.held().examples == 2, "the first goes at once")
            for number in range(50):
                await station.journal.append(camera(number))
            await until(lambda: uplink.lag == 0, "the record is sent")
            assert site.dataset.held().examples == 1, "the next waits most of a minute"


async def test_no_bandwidth_means_nothing_is_sent(site, station, running, until):
    station.dataset.add(example("c-0"), now_us=us_of(NOW))
    with serving(site.hub) as url:
        uplink = station.uplink(url, kb_s=0)
        async with running(uplink.run):
            await station.journal.append(camera(0))
            await until(lambda: uplink.lag == 0 and uplink.online, "the record is sent")
    assert site.dataset.held().examples == 0
    assert station.dataset.held().examples == 1


async def test_what_is_erased_goes_also_at_a_station_that_sends_nothing(
    site, station, running, until
):
    for name in ("keep", "erase"):
        station.dataset.add(example(name), now_us=us_of(NOW))
    site.dataset.erase(Erasure(carton=carton_key("edge-01", "erase")))
    with serving(site.hub) as url:
        async with running(station.uplink(url, kb_s=0).run):
            await until(lambda: cartons(station.dataset) == ["keep"], "erased at the station")
    assert site.dataset.held().examples == 0


@settings(deadline=None)
@given(st.integers(1, 10**6), st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 100))))
def test_the_budget_is_kept_over_any_time(rate, spendings):
    """Whoever waits as told never sends more than the rate allows, and one example."""
    now, sent, largest = 0.0, 0, 0
    budget = Budget(rate, now=now)
    for size, pause in spendings:
        now += budget.wait_s(now) + 1e-6 + pause
        assert sent <= rate * now + largest
        budget.spend(size, now)
        sent, largest = sent + size, max(largest, size)


def path(data: bytes) -> str:
    return f"/device/v1/examples/{hashlib.sha256(data).hexdigest()}"


async def refused(identity: DeviceIdentity, url: str, where: str, body: bytes) -> str:
    """The code of the hub's refusal; empty where it took it."""
    async with HubClient(url, identity, SystemClock()) as hub:
        try:
            await hub.ask("PUT", where, body=body)
        except HubRefusedError as error:
            return error.problem
    return ""


async def test_the_hub_takes_only_whole_examples_of_the_station_itself(site, station):
    mine = encode_example(example("c-1", at=later(seconds=1)))
    theirs = encode_example(example("c-1", device="edge-02"))
    with serving(site.hub) as url:
        assert await refused(station.identity, url, path(theirs), theirs) == "bad_input"
        assert await refused(station.identity, url, path(theirs), mine) == "bad_input"
        assert await refused(station.identity, url, path(b"x"), b"x") == "bad_input"
        assert site.dataset.held().examples == 0
        assert await refused(station.identity, url, path(mine), mine) == ""
        assert await refused(station.identity, url, path(mine), mine) == ""
        assert site.dataset.held().examples == 1
        site.hub.registry.quarantine("edge-01", "two histories")
        assert await refused(station.identity, url, path(mine), mine) == "quarantined"


async def test_a_stranger_brings_nothing_in(site, station, tmp_path):
    stranger = DeviceIdentity.open_or_create(tmp_path / "stranger", "edge-01")
    paper = site.hub.ca.issue_device("edge-01", stranger.public_key)
    stranger.keep(SiteTrust(paper, site.hub.ca.device_ca_pem, site.hub.ca.head_certificate_pem))
    data = encode_example(example("c-1"))
    with serving(site.hub) as url:
        assert await refused(stranger, url, path(data), data) == "bad_signature"
    assert site.dataset.held().examples == 0


async def test_what_the_hub_erases_goes_at_the_station_too_and_does_not_come_back(
    site, station, running, until
):
    for name in ("keep", "erase"):
        station.dataset.add(example(name), now_us=us_of(NOW))
    site.dataset.erase(Erasure(carton=carton_key("edge-01", "erase")))
    with serving(site.hub) as url:
        async with running(station.uplink(url).run):
            await until(lambda: station.dataset.held().examples == 0, "all done")
    assert cartons(site.dataset) == ["keep"]
    assert station.dataset.add(example("erase"), now_us=us_of(NOW)) is None
    assert len(site.dataset.erasures().all) == 1, "it does not come back as another one"


async def test_what_a_station_erases_goes_at_the_hub_but_not_another_stations(
    site, station, running, until
):
    for device in ("edge-01", "edge-02"):
        site.dataset.add(example("c-1", device=device), now_us=us_of(NOW))
    span = Erasure(from_us=us_of(later(hours=-1)), until_us=us_of(later(hours=1)))
    station.dataset.erase(span)
    with serving(site.hub) as url:
        async with running(station.uplink(url).run):
            await until(lambda: site.dataset.held().examples == 1, "erased at the hub")
    (left,) = site.dataset.names()
    assert decode_example(site.dataset.read(left)).device == "edge-02"


async def test_erasures_are_exchanged_once_and_again_after_a_change(site, station, running, until):
    told = station.folder / "learning" / "told.json"

    def erased(dataset: Dataset) -> set[str]:
        return {each.carton for each in dataset.erasures().all}

    with serving(site.hub) as url:
        async with running(station.uplink(url).run):
            station.dataset.erase(Erasure(carton="0" * 16))
            await until(lambda: erased(site.dataset) == {"0" * 16}, "told")
            site.dataset.erase(Erasure(carton="1" * 16))
            await until(lambda: erased(station.dataset) == {"0" * 16, "1" * 16}, "told back")
            await until(told.exists, "remembered")
    assert erased(site.dataset) == {"0" * 16, "1" * 16}


def test_erasures_of_one_device_are_told_to_that_device_only():
    both = Erasures(
        (Erasure(carton="a"), Erasure(carton="b", device="1"), Erasure(carton="c", device="2"))
    )
    assert {each.carton for each in both.of("1").all} == {"a", "b"}
