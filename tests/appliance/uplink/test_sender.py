"""A device's uplink through outages, restarts and refusals, over real TLS (I2, I6)."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.accounts.session import AccountFacts
from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity, SiteTrust
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.journal.journal import Journal
from appliance.journal.verify import verify_journal
from appliance.uplink.backoff import Backoff
from appliance.uplink.client import HubClient
from appliance.uplink.sender import Uplink
from contracts.asn import Expectations
from contracts.clock import SystemClock
from contracts.errors import NotSignedInError
from contracts.stock import BatchKey
from erp_link.service.core import Core
from tests.appliance.journal.bodies import camera, carton, started
from tests.appliance.uplink.hub import MemoryCore, build, serving

ROOT = Path(__file__).resolve().parents[3]
# A link that is ended in the middle of connecting leaves its socket to the garbage collector: the
# client library hands out a connection only when it stands.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


# What these tell is the sender's; intake tests and the others run over the real core as well.
memory_only = pytest.mark.parametrize("core", ["memory"], indirect=True)


class OffClock:
    """A device's clock that is wrong by `off`."""

    def __init__(self, off: timedelta) -> None:
        self.off = off

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off


@pytest.fixture
def uplink(journal, pictures, identity, tmp_path):
    def make(url: str, **options: object) -> Uplink:
        options = {"clock": SystemClock(), "poll_s": 0.02, "most_backoff_s": 0.2, **options}
        return Uplink(journal, pictures, url, identity, folder=tmp_path / "uplink", **options)

    return make


@asynccontextmanager
async def running(uplink: Uplink) -> AsyncIterator[Uplink]:
    job = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        if job.done():
            job.result()
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def test_what_is_recorded_arrives_with_its_pictures_and_is_countersigned(
    hub, journal, pictures, uplink, until
):
    sha256 = pictures.put(b"a carton")
    await journal.append(started())
    with serving(hub) as url:
        async with running(uplink(url)) as link:
            await until(lambda: link.lag == 0 and link.online, "the backlog is sent")
            await journal.append(carton("c-1", sha256))
            await until(lambda: link.lag == 0, "an append wakes the sender")
    assert hub.core.device_head("dock-1") == (2, journal.head().hash)
    assert hub.evidence.get(sha256) == b"a carton"
    assert list(pictures.not_uploaded()) == []
    report = verify_journal(journal.path, site_ca_pem=hub.ca.device_ca_pem)
    assert (report.holds, report.head_seq, report.trust) == (True, 2, "site ca")


@memory_only
async def test_a_head_whose_storing_is_cut_off_by_the_end_of_the_run_is_stored(
    hub, journal, uplink, monkeypatch
):
    loop, begun, over = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    store = journal.keep_head

    def cut_off_once(head, certificate_pem):
        if begun.is_set():
            store(head, certificate_pem)
        else:
            loop.call_soon_threadsafe(begun.set)
            over.wait(60)

    monkeypatch.setattr(journal, "keep_head", cut_off_once)
    await journal.append(started())
    with serving(hub) as url:
        async with running(uplink(url)):
            await begun.wait()
    over.set()
    assert journal.last_countersigned().seq == 1


async def test_a_request_that_is_cancelled_in_the_handshake_leaves_no_connection(identity):
    greeted, gone = asyncio.Event(), asyncio.Event()

    async def mute(reader, writer):
        await reader.read(1)
        greeted.set()
        while await reader.read(65536):
            pass
        gone.set()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with HubClient(url, identity, SystemClock()) as hub:
            asking = asyncio.create_task(hub.ask("GET", "/"))
            await greeted.wait()
            asking.cancel()
            await asyncio.wait([asking])
            await asyncio.wait_for(gone.wait(), 30)


@memory_only
async def test_a_picture_is_at_the_hub_before_its_carton_is_judged_and_once(
    hub, journal, pictures, uplink, until
):
    """The engines take their time; the entry then finds its pictures there."""
    sent: list[str] = []
    hub.evidence.listen(sent.append)
    with serving(hub) as url:
        async with running(uplink(url)) as link:
            await until(lambda: link.online, "connected")
            names = [pictures.put(b"picture %d" % number * 50_000) for number in range(3)]
            await until(lambda: not set(pictures.not_uploaded()), "all three, with no entry yet")
            late = pictures.put(b"a heat map")
            await journal.append(carton("c-1", late))
            await until(lambda: link.lag == 0, "the carton")
    assert sorted(sent) == sorted([*names, late])
    assert hub.evidence.get(late) == b"a heat map"


async def test_work_goes_on_through_an_outage_and_is_sent_after_it(
    hub, journal, uplink, until, free_port
):
    link = uplink(f"https://127.0.0.1:{free_port}")
    async with running(link):
        for number in range(250):
            await journal.append(camera(number))
        assert (link.online, link.lag) == (False, 250)
        with serving(hub, free_port):
            await until(lambda: link.lag == 0, "all of it is sent")
        await until(lambda: not link.online, "the next outage is noticed")
        await journal.append(camera(0))
        with serving(hub, free_port):
            await until(lambda: link.lag == 0 and link.online, "and that is sent too")
    assert hub.core.device_head("dock-1") == (251, journal.head().hash)


@memory_only
async def test_expectations_arrive_change_and_outlive_a_restart_without_the_hub(
    tmp_path, journal, pictures, identity, uplink, until, free_port
):
    core = MemoryCore()
    hub = build(tmp_path / "hub", core)
    core.known = Expectations(version=3, session="s-1", held=(BatchKey("A", "0" * 14, "L1"),))
    with serving(hub, free_port) as url:
        first = uplink(url)
        async with running(first):
            await until(lambda: first.expectations.version == 3, "the first")
            core.known = dataclasses.replace(core.known, version=4)
            await until(lambda: first.expectations.version == 4, "the change")
            await until((tmp_path / "uplink" / "site.json").exists, "site facts")
    again = uplink(url)
    assert again.expectations == core.known
    core.known = dataclasses.replace(core.known, version=5, session="s-2")
    with serving(hub, free_port):
        async with running(again):
            await until(lambda: again.online, "the hub is back")
            assert again.expectations.session == "s-2", "whoever is online knows the new session"
    assert again.account_facts == AccountFacts()
    (tmp_path / "uplink" / "expectations.json").write_text("{")
    assert uplink(url).expectations == Expectations()
    hub.registry.close()


@memory_only
async def test_what_a_carton_changed_is_known_at_once_and_not_at_the_next_round(
    hub, journal, uplink, until
):
    """A batch that one carton froze: the next carton is on the belt already."""
    with serving(hub) as url:
        async with running(uplink(url, poll_s=3600.0)) as link:
            await until(lambda: link.online, "asked once")
            hub.core.known = Expectations(version=1, held=(BatchKey("A", "0" * 14, "L1"),))
            await journal.append(carton("c-1"))
            await until(lambda: link.expectations.version == 1, "asked again")


@memory_only
@pytest.mark.parametrize("off", [timedelta(days=-300), timedelta(hours=5)])
async def test_a_device_with_a_wrong_clock_is_heard(
    hub, identity, pictures, tmp_path, uplink, until, off
):
    clock = OffClock(off)
    with (
        Journal.open(tmp_path / "wrong.db", identity=identity, clock=clock) as journal,
        serving(hub) as url,
    ):
        await journal.append(started())
        link = Uplink(journal, pictures, url, identity, folder=tmp_path / "u", clock=clock)
        async with running(link):
            await until(lambda: link.lag == 0, "the hub took it")
    assert hub.core.device_head("dock-1")[0] == 1


@memory_only
async def test_a_hub_restored_from_an_old_backup_gets_the_rest_again(
    tmp_path, journal, pictures, identity, uplink, until
):
    hub = build(tmp_path / "hub", MemoryCore())
    sha256 = pictures.put(b"a carton")
    await journal.append(started())
    await journal.append(carton("c-1", sha256))
    with serving(hub) as url:
        async with running(uplink(url)) as link:
            await until(lambda: link.lag == 0, "sent")
    hub.evidence.path(sha256).unlink()
    restored = build(tmp_path / "hub", MemoryCore())
    with serving(restored) as url:
        async with running(uplink(url)) as link:
            await until(lambda: restored.core.device_head("dock-1")[0] == 2, "sent again")
            await until(lambda: link.lag == 0, "and acknowledged")
    assert restored.evidence.get(sha256) == b"a carton"
    hub.registry.close()
    restored.registry.close()


@memory_only
async def test_a_picture_lost_on_the_device_does_not_hold_up_the_record(
    hub, journal, uplink, until
):
    await journal.append(carton("c-1", "b" * 64))
    with serving(hub) as url:
        async with running(uplink(url)) as link:
            await until(lambda: link.lag == 0, "sent without it")


@memory_only
async def test_a_journal_that_was_cut_is_found_when_it_meets_the_hub(
    hub, identity, pictures, journal, uplink, until, tmp_path
):
    for number in range(3):
        await journal.append(camera(number))
    with serving(hub) as url:
        async with running(uplink(url)) as link:
            await until(lambda: link.lag == 0, "sent")
        with Journal.open(tmp_path / "cut.db", identity=identity, clock=SystemClock()) as cut:
            await cut.append(started())
            options = {"folder": tmp_path / "u", "clock": SystemClock()}
            async with running(Uplink(cut, pictures, url, identity, **options)) as other:
                await until(lambda: "not in this journal" in other.trouble, "it says so")


@memory_only
async def test_a_quarantined_device_keeps_recording_and_says_why_nothing_is_sent(
    hub, journal, uplink, until
):
    hub.registry.quarantine("dock-1", "two histories")
    await journal.append(started())
    with serving(hub) as url:
        async with running(uplink(url)) as link:
            await until(lambda: "two histories" in link.trouble, "it says so")
            assert link.lag == 1
            hub.registry.readmit("dock-1", "looked into")
            await until(lambda: (link.lag, link.trouble) == (0, ""), "sent after all")


@memory_only
async def test_another_sites_hub_is_not_talked_to(journal, uplink, until, tmp_path):
    other = build(tmp_path / "other", MemoryCore())
    await journal.append(started())
    with serving(other) as url:
        async with running(uplink(url)) as link:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await until(lambda: link.online, "never")
    other.registry.close()
    assert link.lag == 1


@memory_only
async def test_a_certificate_that_is_due_is_renewed_on_the_way(
    tmp_path, identity, hub, journal, uplink, until
):
    old = SiteCa.open_or_create(tmp_path / "hub" / "ca", clock=OffClock(timedelta(days=-25)))
    due = old.issue_device("dock-1", identity.public_key)
    identity.keep(SiteTrust(due, hub.ca.device_ca_pem, hub.ca.head_certificate_pem))
    assert identity.renewal_is_due(datetime.now(UTC))
    with serving(hub) as url:
        async with running(uplink(url)):
            await until(lambda: not identity.renewal_is_due(datetime.now(UTC)), "renewed")


async def test_a_device_without_a_certificate_is_told_so(tmp_path, pictures):
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "dock-1")
    with Journal.open(tmp_path / "j.db", identity=identity, clock=SystemClock()) as journal:
        link = Uplink(
            journal,
            pictures,
            "https://127.0.0.1:1",
            identity,
            folder=tmp_path / "u",
            clock=SystemClock(),
        )
        with pytest.raises(NotSignedInError, match="not enrolled"):
            await link.run()


def test_waiting_grows_and_is_never_in_step():
    backoff = Backoff(first_s=1, most_s=8)
    waits = [backoff.next_s() for _ in range(50)]
    for wait, top in zip(waits, [1, 2, 4, *[8] * 47], strict=True):
        assert top / 2 <= wait <= top
    assert len(set(waits[3:])) > 40
    backoff.reset()
    assert backoff.next_s() <= 1


class HubProcess:
    """A hub in a process of its own, over the real core on SQLite, to be killed with -9."""

    def __init__(self, folder: Path, port: int) -> None:
        self._command = [
            sys.executable,
            str(Path(__file__).with_name("hub.py")),
            str(folder),
            str(port),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


async def test_a_hub_killed_in_mid_upload_has_everything_once_after_it_is_back(
    tmp_path: Path, free_port: int, until
):
    folder = tmp_path / "hub"
    folder.mkdir()
    clock = SystemClock()
    ca = SiteCa.open_or_create(folder / "ca")
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "dock-1")
    with closing(DeviceRegistry(folder / "devices.db", ca, clock)) as registry:
        token = registry.new_claim("dock-1")
        identity.keep(registry.claim("dock-1", token, identity.csr_pem()))
    pictures = EvidenceStore(tmp_path / "pictures")
    url = f"https://127.0.0.1:{free_port}"
    hub = HubProcess(folder, free_port)
    with Journal.open(tmp_path / "journal.db", identity=identity, clock=clock) as journal:
        options = {"folder": tmp_path / "uplink", "clock": clock, "most_backoff_s": 0.2}
        async with running(Uplink(journal, pictures, url, identity, **options)) as link:
            try:
                written = 0
                for crash in range(3):
                    hub.start()
                    if crash:
                        await until(lambda: link.online, "the hub is back")
                    for _ in range(40):
                        sha256 = pictures.put(f"carton {written}".encode())
                        await journal.append(carton(f"c-{written}", sha256))
                        written += 1
                    lag = link.lag
                    await until(lambda lag=lag: link.lag < lag, "an upload is on its way")
                    hub.kill()
                    await until(lambda: not link.online, "the outage is noticed")
                hub.start()
                await until(lambda: link.lag == 0 and link.online, "everything is acknowledged")
            finally:
                hub.kill()
        head = journal.head()
        entries = journal.entries(limit=1000)
    core = Core(f"sqlite:///{folder / 'core.db'}", clock=clock)
    assert core.device_head("dock-1") == (written, head.hash)
    assert all(core.apply(entry, camera(0)).duplicate for entry in entries)
    core.close()
    stored = EvidenceStore(folder / "evidence")
    assert all(stored.has(sha256) for sha256 in _hashes(pictures))
    assert list(pictures.not_uploaded()) == []
    assert verify_journal(tmp_path / "journal.db", site_ca_pem=ca.device_ca_pem).head_seq == written


def _hashes(store: EvidenceStore) -> list[str]:
    return [path.name for path in (store._pictures).glob("??/*")]
