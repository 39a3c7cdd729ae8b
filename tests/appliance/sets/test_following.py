"""The edge follows the agent: loaded beside, switched between two cartons, told as it is (I3, I5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from appliance.config import ReaderConfig
from appliance.engines import EngineRoom, Engines
from appliance.model_sets import CRACKS, READER, carried
from appliance.sets.follow import SetFollower, first_word, open_at_start, stopped_before
from appliance.sets.running import RunningSets
from appliance.sets.telling import Teller, Word
from contracts.errors import ArtefactRefusedError
from contracts.events import CartonJudged, ModelSetsActivated
from contracts.reason import Reason
from ota.agent.files import RealFiles
from ota.agent.handover import (
    ACTIVE,
    Active,
    LaneActive,
    Running,
    held_folder,
    read_running,
    write_active,
)
from ota.model_set import ModelSet
from tests.support.docks import DELIVERY, Dock, carton

Hold = Callable[..., ModelSet]


@pytest.fixture(scope="module")
def shipped() -> Engines:
    return EngineRoom(1, ReaderConfig()).open({})


@dataclass
class Box:
    files: RealFiles
    sets: RunningSets
    dock: Dock
    follower: SetFollower
    stopped: Path

    async def assign(self, change: int, code: str = "ota_assigned", **lanes: str) -> Running:
        named = {lane: LaneActive(digest, change=change) for lane, digest in lanes.items()}
        why = Reason(code, {"rollout": "R1"})
        active = Active(change, sequence=change, why=why, lanes=named)
        await asyncio.to_thread(write_active, self.files, active)
        await self.follower.look()
        return await self.told()

    async def told(self) -> Running:
        told = await asyncio.to_thread(read_running, self.files)
        assert told is not None
        return told

    def activated(self) -> list[ModelSetsActivated]:
        return [body for body in self.dock.bodies() if isinstance(body, ModelSetsActivated)]


@pytest.fixture
def box(dock, agent: Path, shipped: Engines, tmp_path: Path) -> Box:
    files = RealFiles(agent)
    room = EngineRoom(1, ReaderConfig(), agent=agent)
    sets = RunningSets(shipped, room.reader_of, now_us=1)
    d = dock(sets=sets)
    teller = Teller(
        files,
        sets,
        d.journal,
        station="dock-1",
        word=Word("boot-1"),
        now_us=lambda: 7,
        open_sets=tuple,
        shadow=tuple,
        shadow_refused=dict,
    )
    stopped = tmp_path / "stopped.json"
    follower = SetFollower(
        files,
        room,
        sets,
        d.station,
        teller,
        active=first_word(files),
        now_us=lambda: 7,
        stopped=stopped,
    )
    return Box(files, sets, d, follower, stopped)


async def test_at_the_start_it_is_on_record_what_really_judges(box: Box, shipped: Engines) -> None:
    await box.follower.begin()
    (said,) = box.activated()
    assert (said.why, said.before, said.after) == ("start", {}, shipped.digests)
    told = await box.told()
    assert {lane: each.model_set for lane, each in told.lanes.items()} == shipped.digests
    assert (told.boot, told.change, told.loading) == ("boot-1", 0, 0)


async def test_an_assignment_is_followed_and_told_with_what_was_loaded(
    box: Box, shipped: Engines, hold: Hold
) -> None:
    later = hold(READER, "2.0.0")
    told = await box.assign(1, read=later.digest)
    assert (told.change, told.loading, told.refused) == (1, 0, {})
    assert told.lanes["read"].model_set == box.sets.reader.model_set == later.digest
    assert told.lanes["read"].since_us == 7
    assert told.lanes["inspect"].since_us == 1, "what stays goes on being counted"
    (said,) = box.activated()
    assert (said.why, said.sequence, said.rollout) == ("assignment", 1, "R1")
    assert said.before == shipped.digests
    assert said.after == {**shipped.digests, "read": later.digest}
    assert box.sets.reader_of(shipped.reader.model_set) is shipped.reader, "open sessions keep it"


async def test_what_is_loaded_is_told_before_so_that_a_set_that_kills_is_found_out(
    box: Box, shipped: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Running | None] = []

    def deadly(_room: EngineRoom, _wanted: object, running: Engines) -> Engines:
        told.append(read_running(box.files))
        return running

    monkeypatch.setattr(EngineRoom, "open", deadly)
    await box.assign(4, read="sha256:" + "1" * 64)
    assert told[0] is not None
    assert (told[0].loading, told[0].change) == (4, 0)
    assert (await box.told()).loading == 0
    assert box.sets.engines is shipped


async def test_a_set_that_cannot_be_loaded_changes_nothing_and_says_why(
    box: Box, shipped: Engines, hold: Hold
) -> None:
    broken, sound = hold(READER, "2.0.0"), hold(CRACKS, "2.0.0")
    (broken.folder / "charset.txt").write_text("half a file", encoding="utf-8")
    told = await box.assign(1, read=broken.digest, cracks=sound.digest)
    assert told.refused[broken.digest].code == "set_not_loaded"
    assert told.lanes["read"].model_set == shipped.reader.model_set
    assert told.lanes["cracks"].model_set == sound.digest, "the other lane is switched"
    assert told.change == 1


async def test_no_carton_is_judged_by_halves_of_two_sets(
    box: Box, shipped: Engines, hold: Hold
) -> None:
    later = hold(READER, "2.0.0")
    judging = [
        asyncio.ensure_future(box.dock.station.judge_carton(carton(f"C{n}"))) for n in range(4)
    ]
    await box.assign(1, read=later.digest)
    await asyncio.gather(*judging)
    await box.dock.station.judge_carton(carton("C8"))
    box.dock.delivery = replace(DELIVERY, session="RS-2")
    await box.dock.station.judge_carton(carton("C9"))
    bodies = [body for body in box.dock.bodies() if isinstance(body, CartonJudged)]
    assert [body.carton_id for body in bodies] == ["C0", "C1", "C2", "C3", "C8", "C9"]
    assert bodies[-2].model_sets["read"] == shipped.reader.model_set, "a session is read to its end"
    assert bodies[-1].model_sets["read"] == later.digest
    assert all(body.reading.model_set == body.model_sets["read"] for body in bodies)


async def test_after_an_emergency_stop_the_bad_set_judges_nothing_here(
    box: Box, shipped: Engines, hold: Hold
) -> None:
    bad = hold(CRACKS, "2.0.0")
    await box.assign(1, cracks=bad.digest)
    assert box.sets.has(bad.digest)
    told = await box.assign(2, "ota_stopped")
    assert told.lanes["cracks"].model_set == shipped.digests["cracks"]
    assert [each.why for each in box.activated()] == ["assignment", "stopped"]
    assert not box.sets.has(bad.digest)
    assert stopped_before(box.stopped) == {bad.digest}, "not after a restart either"
    await box.assign(3, cracks=bad.digest)
    assert box.sets.has(bad.digest), "it was assigned again"


async def test_a_stopped_reader_reads_no_session_to_its_end(box: Box, hold: Hold) -> None:
    bad = hold(READER, "2.0.0")
    await box.assign(1, read=bad.digest)
    await box.assign(2, "ota_returned")
    with pytest.raises(ArtefactRefusedError, match="stopped"):
        box.sets.reader_of(bad.digest)


async def test_what_says_nothing_is_not_followed(box: Box, shipped: Engines) -> None:
    await asyncio.to_thread(Path(box.files.where(ACTIVE)).write_bytes, b'{"change": "half')
    await box.follower.look()
    assert box.sets.engines is shipped


async def test_cartons_count_for_the_sets_that_judged_them(box: Box) -> None:
    digests = box.sets.engines.digests
    box.sets.counted({"read": digests["read"]}, failed=(), late=False)
    box.sets.counted({"read": digests["read"]}, failed=("read",), late=True)
    box.sets.counted({"read": "sha256:pinned"}, failed=(), late=False)
    lane = box.sets.lanes()["read"]
    assert (lane.cartons, lane.errors, lane.late) == (2, 1, 1)


async def test_a_machine_that_is_as_slow_with_every_set_sends_none_of_them_back(
    box: Box, hold: Hold
) -> None:
    def judged(digest: str, cpu_ms: float) -> None:
        box.sets.counted({"read": digest}, failed=(), late=True, cpu_ms={"read": cpu_ms})

    for _ in range(5):
        judged(box.sets.reader.model_set, 400.0)
    later = hold(READER, "2.0.0")
    await box.assign(1, read=later.digest)
    judged(later.digest, 420.0)
    judged(later.digest, 900.0)
    lane = box.sets.lanes()["read"]
    assert (lane.cartons, lane.late) == (2, 1), "late because of the set: more work than before"


def test_an_edge_whose_assigned_set_is_gone_starts_with_the_one_before(
    agent: Path, shipped: Engines, hold: Hold
) -> None:
    before, gone = hold(CRACKS, "2.0.0"), "sha256:" + "0" * 64
    lanes = {"cracks": LaneActive(gone, previous=before.digest), "read": LaneActive(gone)}
    room = EngineRoom(1, ReaderConfig(), agent=agent)
    engines, refused = open_at_start(room, Active(1, lanes=lanes))
    assert engines.digests["cracks"] == before.digest
    assert engines.digests["read"] == shipped.digests["read"]
    assert set(refused) == {gone}


def test_sets_of_the_installation_are_assigned_by_their_digest_too(agent: Path) -> None:
    room = EngineRoom(1, ReaderConfig(), agent=agent)
    own = carried(CRACKS).digest
    engines, refused = open_at_start(room, Active(1, lanes={"cracks": LaneActive(own)}))
    assert (engines.digests["cracks"], refused) == (own, {})
    assert not (agent / held_folder(own)).exists()
    assert replace(engines).wanted == {"cracks": own}
