"""The law over several docks: whatever is signed where, whoever is cut off, one judge counts (I3)."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.pinning.desk import PinDesk
from appliance.pinning.kept import KeptPins
from contracts.clock import FixedClock
from contracts.events import CartonJudged
from contracts.judging import judge_digest, parts_of
from ota.judging.memory import MemoryPins
from tests.appliance.pinning.paper import PaperHub
from tests.support.docks import AT, LINE, Dock, carton, paper_profile

DOCKS = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("carton"), DOCKS),
    st.tuples(st.just("carton"), DOCKS),
    st.tuples(st.just("signed"), DOCKS),
    st.tuples(st.just("cut off"), DOCKS),
    st.tuples(st.just("back"), DOCKS),
    st.tuples(st.just("fetched"), DOCKS),
    st.tuples(st.just("generation"), DOCKS),
)


class Docks:
    """Three docks of one site under one core."""

    def __init__(self, folder: Path) -> None:
        self.pins = MemoryPins()
        self.hubs = [PaperHub(self.pins) for _ in range(3)]
        self.docks = [self._dock(folder / str(n), hub) for n, hub in enumerate(self.hubs)]
        self.signed = 0
        self.seen = 0

    def _dock(self, folder: Path, hub: PaperHub) -> Dock:
        folder.mkdir()
        desk = PinDesk(KeptPins(folder / "pins.json"), hub)
        return Dock(folder, FixedClock(AT), pins=desk, needed=100)

    async def do(self, step: str, number: int) -> None:
        dock, hub = self.docks[number], self.hubs[number]
        match step:
            case "carton":
                self.seen += 1
                await dock.station.judge_carton(carton(f"C{self.seen}"))
            case "signed":
                self.signed += 1
                dock.profiles.signed = paper_profile(f"signed {self.signed}")
            case "cut off" | "back":
                hub.online = step == "back"
            case "fetched":
                for gtin, digest in dock.station.here.pins.profiles_asked(lambda *_: False):
                    assert gtin == LINE.gtin
                    dock.profiles.keep(paper_profile(digest))
            case "generation":
                newest = self.pins.find(LINE.key)
                if newest is not None and hub.online:
                    parts = {**newest.parts, "profile": f"again {newest.generation}"}
                    pin = self.pins.next_generation(
                        LINE.key, parts, after=newest.generation, by="core", why="a test"
                    )
                    dock.station.here.pins.book.learn((pin,))

    def judged(self) -> list[CartonJudged]:
        return [body for dock in self.docks for body in dock.bodies()]

    def close(self) -> None:
        for dock in self.docks:
            dock.journal.close()


@settings(max_examples=20, deadline=None)
@given(st.lists(STEPS, min_size=3, max_size=25))
def test_of_each_generation_only_one_judges_results_count(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        docks = Docks(Path(folder))

        async def story() -> None:
            for step, number in steps:
                await docks.do(step, number)

        asyncio.run(story())
        judges: dict[int, set[str]] = defaultdict(set)
        for body in docks.judged():
            mark, seen = body.under, body.inspection
            assert (mark is None) == (seen is None)
            if mark is None or seen is None:
                continue
            named = judge_digest(parts_of(body.model_sets, seen.profile))
            assert named == mark.judge, "a watermark tells who really looked"
            if not mark.provisional:
                judges[mark.generation].add(mark.judge)
        pinned = {pin.generation: pin.judge for pin in docks.pins.history(LINE.key)}
        assert all(found == {pinned[generation]} for generation, found in judges.items())
        docks.close()
