"""One batch, one judge, at the station: asked at the first carton, kept, and kept to (I3, I6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.goods import PROFILE
from appliance.pinning.desk import PinDesk
from appliance.pinning.kept import KeptPins
from contracts.asn import Expectations
from contracts.errors import ArtefactRefusedError
from contracts.inspection import InspectDecision
from contracts.judging import Pin, SessionPin, Watermark, judge_digest, parts_of
from contracts.verdict import Decision
from tests.appliance.pinning.paper import PaperHub
from tests.support.docks import (
    DELIVERY,
    DOUBTFUL,
    LINE,
    Dock,
    PaperInspector,
    PaperReader,
    carton,
    paper_profile,
)

PASS, DEFECT = InspectDecision.PASS, InspectDecision.DEFECT
MINE = {"inspect": PaperInspector.model_set, PROFILE: "first"}
THEIRS = {"inspect": PaperInspector.model_set, PROFILE: "theirs"}


@pytest.fixture
def hub() -> PaperHub:
    return PaperHub()


@pytest.fixture
def station(dock, hub: PaperHub, tmp_path: Path) -> Callable[..., Dock]:
    """A dock with a desk of pins over `hub`; made again, it is the same dock after a restart."""

    def make(**parts: object) -> Dock:
        pins = PinDesk(KeptPins(tmp_path / "pins.json"), hub, deadline_s=0.02)
        return dock(**{"pins": pins, **parts})

    return make


async def marks(d: Dock, *cartons: str) -> list[Watermark | None]:
    for each in cartons:
        await d.station.judge_carton(carton(each))
    return [body.under for body in d.bodies()][-len(cartons) :]


async def test_a_batchs_first_carton_asks_and_the_next_ones_do_not(station, hub) -> None:
    d = station()
    mine = Watermark(judge_digest(MINE), 1)
    assert await marks(d, "C1", "C2") == [mine, mine]
    assert len([asked for asked, session in hub.asked if not session]) == 1
    (first, _) = d.bodies()
    assert judge_digest(parts_of(first.model_sets, first.inspection.profile)) == mine.judge


async def test_whoever_asked_first_judges_and_this_station_goes_by_that(station, hub) -> None:
    hub.pins.pin(LINE.key, THEIRS, by="edge-02")
    inspector = PaperInspector(PASS, theirs=DEFECT)
    d = station(inspector=inspector)
    d.profiles.keep(paper_profile("theirs"))
    card = await d.station.judge_carton(carton())
    assert card.verdict.decision is Decision.HOLD
    (body,) = d.bodies()
    assert body.under == Watermark(judge_digest(THEIRS), 1)
    assert body.inspection.profile == "theirs"
    assert d.book.of(LINE.key).profile == "theirs"


async def test_a_pinned_judge_that_is_not_here_leaves_the_carton_to_a_person(station, hub) -> None:
    hub.pins.pin(LINE.key, THEIRS, by="edge-02")
    d = station()
    card = await d.station.judge_carton(carton())
    assert card.verdict.decision is Decision.REVIEW
    told = [each for each in card.verdict.reasons if each.code == "pinned_set_gone"]
    assert [each.params["use"] for each in told] == [PROFILE]
    assert d.bodies()[0].under is None
    assert d.station.here.pins.profiles_asked(lambda _gtin, _digest: False) == [
        (LINE.gtin, "theirs")
    ]


@pytest.mark.parametrize("how", ["slow", "away"])
async def test_without_the_hubs_word_a_batch_is_judged_provisionally(station, hub, how) -> None:
    hub.slow, hub.online = how == "slow", how != "away"
    d = station()
    card = await d.station.judge_carton(carton())
    assert card.verdict.decision is Decision.ACCEPT, "the core keeps it in inspection"
    assert d.bodies()[0].under == Watermark(judge_digest(MINE), 1, provisional=True)
    asked = len(hub.asked)
    await d.station.judge_carton(carton("C2"))
    assert len(hub.asked) == asked, "a hub that did not answer costs one deadline"


async def test_a_batch_begun_without_the_hub_stays_with_its_judge_until_the_hub_says(
    station, hub
) -> None:
    hub.online = False
    d = station(needed=5)
    await d.station.judge_carton(carton("C1"))
    d.profiles.signed = paper_profile("signed later")
    (again,) = await marks(d, "C2")
    assert again == Watermark(judge_digest(MINE), 1, provisional=True)
    d.profiles.keep(paper_profile("theirs"))
    d.delivery = replace(DELIVERY, pins=(Pin(LINE.key, 1, judge_digest(THEIRS), THEIRS),))
    (told,) = await marks(d, "C3")
    assert told == Watermark(judge_digest(THEIRS), 1)
    counted = d.book.of(LINE.key)
    assert (counted.profile, counted.judged) == ("theirs", 1), "another judge counts anew"


async def test_once_the_hub_is_back_it_is_asked_about_what_was_begun(station, hub) -> None:
    hub.online = False
    d = station()
    await marks(d, "C1")
    pins = d.station.here.pins
    hub.online = True
    await pins.ask(LINE.key, pins.book.begun[LINE.key])
    assert pins.book.told[LINE.key].judge == judge_digest(MINE)
    assert await marks(d, "C2") == [Watermark(judge_digest(MINE), 1)]


async def test_a_batch_that_the_hub_refuses_leaves_no_other_without_its_judge(
    hub, tmp_path
) -> None:
    pins = PinDesk(KeptPins(tmp_path / "pins.json"), hub)
    smeared = replace(LINE.key, lot="x" * 300)
    for each in (smeared, LINE.key):
        await pins.begin(each, MINE)
    hub.takes_not.add(smeared.lot)
    await pins.settle_now()
    assert LINE.key in pins.book.told
    asked = len(hub.asked)
    await pins.ask(smeared, MINE)
    await pins.settle_now()
    assert len(hub.asked) == asked, "it is not asked about again with each carton"
    assert smeared in pins.book.begun, "its results stay provisional"


async def test_a_restart_without_the_hub_knows_the_pin(station, hub, tmp_path) -> None:
    hub.pins.pin(LINE.key, THEIRS, by="edge-02")
    d = station()
    await d.station.judge_carton(carton())
    after = PinDesk(KeptPins(tmp_path / "pins.json"))
    assert after.book.told[LINE.key].parts == THEIRS
    assert set(THEIRS.values()) <= set(after.open_sets())


async def test_a_spoilt_file_of_pins_costs_only_asking_again(tmp_path) -> None:
    path = tmp_path / "pins.json"
    path.write_bytes(b'{"half')
    assert PinDesk(KeptPins(path)).book.told == {}


async def test_a_new_generation_judges_what_comes_after_it(station, hub) -> None:
    d = station(needed=5)
    await marks(d, "C1", "C2")
    assert d.book.of(LINE.key).judged == 2
    d.profiles.keep(paper_profile("theirs"))
    d.delivery = replace(DELIVERY, pins=(Pin(LINE.key, 2, judge_digest(THEIRS), THEIRS),))
    assert await marks(d, "C3") == [Watermark(judge_digest(THEIRS), 2)]
    assert (d.book.of(LINE.key).judged, d.book.of(LINE.key).generation) == (1, 2)


async def test_a_profile_signed_meanwhile_judges_no_batch_that_another_box_began(
    station, hub
) -> None:
    """Teaching goes on across boxes: what is signed later judges only batches that begin later."""
    hub.pins.pin(LINE.key, MINE, by="edge-02")
    d = station()
    d.profiles.keep(paper_profile("first"))
    d.profiles.signed = paper_profile("signed meanwhile")
    assert await marks(d, "C1") == [Watermark(judge_digest(MINE), 1)]
    assert d.bodies()[0].inspection.profile == "first"


async def test_a_carton_whose_label_is_in_doubt_asks_nobody(station, hub) -> None:
    d = station(reader=PaperReader(DOUBTFUL))
    card = await d.station.judge_carton(carton())
    assert card.verdict.decision is Decision.REVIEW
    assert d.bodies()[0].under == Watermark(judge_digest(MINE), 1, provisional=True)
    assert [asked for asked, session in hub.asked if not session] == []


class TwoReaders:
    """What runs, and one that a session may be pinned to."""

    def __init__(self, **others: PaperReader) -> None:
        self.reader = PaperReader()
        self.inspector = PaperInspector()
        self._others = others

    def reader_of(self, model_set: str) -> PaperReader:
        if model_set not in self._others:
            raise ArtefactRefusedError(f"{model_set} is not here")
        return self._others[model_set]

    def has(self, digest: str) -> bool:
        return True

    def counted(self, model_sets, *, failed, late, cpu_ms) -> None:
        pass


def older() -> PaperReader:
    reader = PaperReader()
    reader.model_set = "sha256:older"
    return reader


async def test_a_session_is_read_to_its_end_by_what_began_it(station, hub) -> None:
    hub.pins.pin_session("RS-1", "sha256:older", by="edge-02")
    d = station(sets=TwoReaders(**{"sha256:older": older()}))
    await d.station.judge_carton(carton("C1"))
    await d.station.judge_carton(carton("C2"))
    assert [body.model_sets["read"] for body in d.bodies()] == ["sha256:older"] * 2
    assert len([session for _, session in hub.asked if session]) == 1
    assert "sha256:older" in d.station.here.pins.open_sets()


async def test_a_session_whose_reader_is_gone_is_left_to_people(station, hub) -> None:
    d = station(sets=TwoReaders())
    d.delivery = replace(DELIVERY, reads=SessionPin("RS-1", "sha256:gone"))
    card = await d.station.judge_carton(carton())
    assert card.verdict.decision is Decision.REVIEW
    assert "pinned_reader_gone" in [reason.code for reason in card.verdict.reasons]


async def test_a_session_begun_without_the_hub_keeps_its_reader_over_a_switch(station, hub) -> None:
    hub.online = False
    sets = TwoReaders(**{"sha256:read": PaperReader()})
    d = station(sets=sets)
    await d.station.judge_carton(carton("C1"))
    sets.reader = older()
    await d.station.judge_carton(carton("C2"))
    assert [body.model_sets["read"] for body in d.bodies()] == ["sha256:read"] * 2


async def test_what_the_hub_does_not_speak_of_any_more_is_not_kept_open(tmp_path) -> None:
    now = [1_000_000_000_000_000]
    desk = PinDesk(KeptPins(tmp_path / "pins.json"), now_us=lambda: now[0])
    desk.learn(Expectations(pins=(Pin(LINE.key, 1, judge_digest(MINE), MINE),)))
    assert set(desk.open_sets()) == set(MINE.values())
    desk.learn(Expectations(version=2))
    assert desk.open_sets() == ()
    await desk.begin(LINE.key, None)
    assert set(desk.open_sets()) == set(MINE.values()), "a carton of it came by"
    now[0] += 15 * 86_400_000_000
    assert desk.open_sets() == ()


def test_pins_of_batches_that_nobody_speaks_of_any_more_do_not_pile_up(monkeypatch) -> None:
    monkeypatch.setattr("appliance.pinning.kept.MOST_BATCHES", 2)
    desk = PinDesk()
    for lot in "abcde":
        pin = Pin(replace(LINE.key, lot=lot), 1, judge_digest(MINE), MINE)
        desk.learn(Expectations(pins=(pin,)))
    assert [batch.lot for batch in desk.book.told] == ["c", "d", "e"], "e is open, two were"
