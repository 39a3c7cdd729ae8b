"""From an operator's two clicks over the hub to the next batch, with real parts on both sides."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.identity.device import DeviceIdentity
from appliance.profiles import ProfileFolder
from appliance.teaching import port
from appliance.teaching.console import Console
from appliance.teaching.inbox import ProfileInbox
from appliance.teaching.office import QualityOffice
from appliance.teaching.pinned import PinnedProfiles
from appliance.teaching.trust import TrustedKeys
from appliance.uplink.client import HubClient
from appliance.uplink.sender import Uplink
from contracts.clock import SystemClock
from contracts.errors import BadInputError, ConflictError, JournalFullError, NotFoundError
from contracts.events import ProfileActivated, ProfileEnrolled
from contracts.stock import Evidence
from erp_link.service.core import Core
from tests.appliance.teaching.conftest import CRACK, GTIN, TaughtStation, tile
from tests.appliance.uplink.hub import Hub, build, serving
from vision.defects.profile import Profile

WORDS = "harbour lamp seventeen"
Until = Callable[[Callable[[], bool], str], Awaitable[None]]


async def until(condition: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(120):
        while not condition():  # noqa: ASYNC110 -- other threads make it true
            await asyncio.sleep(0.02)
    assert condition(), what


@dataclass
class Lead:
    """The hub with its quality lead."""

    hub: Hub
    core: Core
    office: QualityOffice
    console: Console
    url: str

    def sign(self, digest: str) -> None:
        self.console.sign(
            "dock-1", GTIN, digest, by="mara", reason="looked at it", passphrase=WORDS
        )


@pytest.fixture
def lead(tmp_path: Path) -> Iterator[Lead]:
    clock = SystemClock()
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    hub = build(tmp_path / "hub", core)
    office = QualityOffice(tmp_path / "quality.db", clock=clock)
    hub.app.include_router(
        port.router(office, registry=hub.registry, evidence=hub.evidence, clock=clock)
    )
    console = Console(core.profile_events, office, hub.evidence)
    with serving(hub) as url:
        yield Lead(hub, core, office, console, url)
    office.close()
    hub.registry.close()
    core.close()


@dataclass
class Joined:
    station: TaughtStation
    uplink: Uplink
    inbox: ProfileInbox


@pytest.fixture
def joined(station: TaughtStation, lead: Lead) -> Joined:
    """A station enrolled at the hub, with nothing signed and no key trusted."""
    station.trust.forget()
    identity = DeviceIdentity.open_or_create(station.folder / "id", "edge-01")
    lead.hub.enrol(identity)
    uplink = Uplink(
        station.journal,
        station.evidence,
        lead.url,
        identity,
        folder=station.folder / "uplink",
        clock=SystemClock(),
    )
    inbox = ProfileInbox(
        station.folder / "uplink",
        teacher=station.teacher,
        trust=station.trust,
        profiles=station.profiles.folder,
    )
    return Joined(station, uplink, inbox)


@contextlib.asynccontextmanager
async def connected(joined: Joined, lead: Lead) -> AsyncIterator[HubClient]:
    identity = DeviceIdentity.open_or_create(joined.station.folder / "id", "edge-01")
    task = asyncio.create_task(joined.uplink.run())
    async with HubClient(lead.url, identity, SystemClock()) as client:
        try:
            yield client
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def enrol(station: TaughtStation, profile: Profile) -> None:
    data = profile.to_bytes()
    sha256 = station.evidence.put(data)
    await station.teacher.take_enrolled(
        ProfileEnrolled(
            "dock-1",
            GTIN,
            "tile",
            profile.digest,
            sha256,
            3,
            "jo",
            (Evidence("profile", sha256, "application/octet-stream"),),
        ),
        data,
    )


async def test_from_two_clicks_to_the_next_batch_and_back(
    joined: Joined, lead: Lead, enrolled: Profile
) -> None:
    station = joined.station
    await enrol(station, enrolled)
    assert station.profiles.get(GTIN) is None, "nobody has signed it"
    key = lead.office.make_key(WORDS, holder="mara")
    async with connected(joined, lead) as client:
        await until(lambda: len(lead.core.profile_events()) == 1, "the enrolment arrives")
        (row,) = lead.console.rows()
        assert row.waits
        lead.sign(enrolled.digest)
        await joined.inbox.ask(client)
        assert station.trust.pinned == key
        assert station.profiles.get(GTIN) == enrolled
        assert station.profiles.candidate(GTIN) is None

        taught = await station.teacher.teach(
            station.carton("C1", tile(7, cracked=True)), CRACK, operator="jo"
        )
        await until(lambda: joined.uplink.lag == 0, "the lesson arrives")
        (row,) = lead.console.rows()
        (offer,) = [each for each in row.offers if not each.back]
        assert (offer.digest, offer.arrived) == (taught.step.after, True)
        assert [step.defect for step in offer.steps] == ["crack"]
        assert lead.hub.evidence.has(taught.step.picture)
        assert [ticket.carton_id for ticket in lead.core.tickets()] == ["C1"]
        lead.sign(offer.digest)
        assert lead.console.rows()[0].on_its_way
        await joined.inbox.ask(client)
        active = station.profiles.get(GTIN)
        assert active is not None
        assert active.digest == taught.step.after
        await until(lambda: joined.uplink.lag == 0, "the activation arrives")
        (row,) = lead.console.rows()
        assert not row.waits
        assert not row.on_its_way

        (back,) = [each for each in row.offers if each.back]
        assert back.digest == enrolled.digest
        lead.sign(back.digest)
        await joined.inbox.ask(client)
        assert station.profiles.get(GTIN) == enrolled
        await joined.inbox.ask(client)
    told = [body for body in station.bodies() if isinstance(body, ProfileActivated)]
    assert [body.serial for body in told] == [1, 2, 3]
    with pytest.raises(ConflictError, match="not offered"):
        lead.sign("sha256:" + "f" * 64)


async def test_a_batch_that_another_box_began_gets_its_profile_here_also_when_a_later_one_counts(
    joined: Joined, lead: Lead, enrolled: Profile, tmp_path: Path
) -> None:
    station = joined.station
    await enrol(station, enrolled)
    lead.office.make_key(WORDS, holder="mara")
    here = ProfileFolder(tmp_path / "of another box")
    unknown = "sha256:" + "f" * 64
    pinned = PinnedProfiles(
        station="dock-1",
        trust=station.trust,
        wanted=lambda: [(GTIN, enrolled.digest), (GTIN, unknown)],
        keep=here.keep,
    )
    async with connected(joined, lead) as client:
        await until(lambda: len(lead.core.profile_events()) == 1, "the enrolment arrives")
        lead.sign(enrolled.digest)
        await joined.inbox.ask(client)
        taught = await station.teacher.teach(
            station.carton("C1", tile(7, cracked=True)), CRACK, operator="jo"
        )
        await until(lambda: joined.uplink.lag == 0, "the lesson arrives")
        lead.sign(taught.step.after)
        await pinned.ask(client)
        assert here.has(GTIN, enrolled.digest)
        assert here.pinned(enrolled.digest) == enrolled
        assert not here.has(GTIN, unknown), "nobody ever signed it"
        assert here.get(GTIN) is None, "it judges what is pinned to it and nothing else"
        station.trust.forget()
        elsewhere = ProfileFolder(tmp_path / "of a box that trusts nobody")
        await PinnedProfiles(
            station="dock-1",
            trust=station.trust,
            wanted=lambda: [(GTIN, enrolled.digest)],
            keep=elsewhere.keep,
        ).ask(client)
        assert not elsewhere.has(GTIN, enrolled.digest)


async def test_a_hub_that_was_taken_over_signs_nothing(
    joined: Joined, lead: Lead, enrolled: Profile
) -> None:
    station = joined.station
    await enrol(station, enrolled)
    lead.office.make_key(WORDS, holder="mara")
    async with connected(joined, lead) as client:
        await until(lambda: len(lead.core.profile_events()) == 1, "the enrolment arrives")
        lead.sign(enrolled.digest)
        await joined.inbox.ask(client)
        taught = await station.teacher.teach(
            station.carton("C1", tile(7, cracked=True)), CRACK, operator="jo"
        )
        await until(lambda: joined.uplink.lag == 0, "the lesson arrives")
        lead.office.lost_key("somebody else's words", holder="eve")
        lead.console.sign(
            "dock-1",
            GTIN,
            taught.step.after,
            by="eve",
            reason="r",
            passphrase="somebody else's words",  # noqa: S106 -- made up
        )
        await joined.inbox.ask(client)
        assert station.profiles.get(GTIN) == enrolled
        assert "nobody vouched for" in station.teacher.trouble
        # A person at the station has compared the digits and says that it is the lead's.
        station.trust.forget()
        await joined.inbox.ask(client)
        active = station.profiles.get(GTIN)
        assert active is not None
        assert active.digest == taught.step.after
        assert station.teacher.trouble == ""


async def test_without_its_hub_a_station_mends_what_a_power_cut_tore(
    joined: Joined, lead: Lead, enrolled: Profile
) -> None:
    station = joined.station
    await enrol(station, enrolled)
    lead.office.make_key(WORDS, holder="mara")
    async with connected(joined, lead) as client:
        await until(lambda: len(lead.core.profile_events()) == 1, "the enrolment arrives")
        lead.sign(enrolled.digest)
        await joined.inbox.ask(client)
    station.profiles.path(GTIN).write_bytes(b"torn")
    fresh = TrustedKeys(station.folder / "trust")
    profiles = ProfileFolder(station.profiles.folder)
    inbox = ProfileInbox(
        station.folder / "uplink", teacher=station.teacher, trust=fresh, profiles=profiles.folder
    )
    await inbox.begin()
    assert profiles.get(GTIN) == enrolled
    activated = [each for each in station.bodies() if isinstance(each, ProfileActivated)]
    assert len(activated) == 1, "it was in force already; only its file was mended"


async def test_a_full_disk_keeps_no_station_from_starting(
    joined: Joined, lead: Lead, enrolled: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = joined.station
    await enrol(station, enrolled)
    lead.office.make_key(WORDS, holder="mara")

    async def full(_body: object) -> None:
        raise JournalFullError("the disk takes no more", mend="Free space")

    async with connected(joined, lead) as client:
        await until(lambda: len(lead.core.profile_events()) == 1, "the enrolment arrives")
        lead.sign(enrolled.digest)
        with monkeypatch.context() as patched:
            patched.setattr(station.journal, "append", full)
            await joined.inbox.ask(client)
            await joined.inbox.begin()
        assert "takes no more" in station.teacher.trouble
        assert station.profiles.get(GTIN) is None, "nothing judges that is not on record"
        await joined.inbox.ask(client)
    assert station.profiles.get(GTIN) == enrolled


async def test_what_has_not_arrived_or_is_not_what_it_says_is_not_signed(
    joined: Joined, lead: Lead, enrolled: Profile
) -> None:
    station = joined.station
    await enrol(station, enrolled)
    lead.office.make_key(WORDS, holder="mara")
    async with connected(joined, lead):
        await until(lambda: len(lead.core.profile_events()) == 1, "the enrolment arrives")
    with pytest.raises(NotFoundError, match="told nothing"):
        lead.console.sign("dock-9", GTIN, "x", by="mara", reason="r", passphrase=WORDS)
    path = lead.hub.evidence.path(station.teacher.history(GTIN).steps[0].file)
    whole = path.read_bytes()
    path.unlink()
    with pytest.raises(NotFoundError, match="not arrived"):
        lead.sign(enrolled.digest)
    path.write_bytes(whole)
    lead.sign(enrolled.digest)
    with pytest.raises(BadInputError):
        lead.console.sign("dock-1", GTIN, enrolled.digest, by="mara", reason="", passphrase=WORDS)
