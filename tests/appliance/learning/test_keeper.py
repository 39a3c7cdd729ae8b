"""A station follows its own journal: what was settled becomes an example, once (I2)."""

from __future__ import annotations

import asyncio
import threading

import cv2
import numpy as np

from appliance.learning.dataset import Dataset
from appliance.learning.example import decode_example
from appliance.learning.keeper import Keeper
from appliance.learning.keeping import Privacy
from appliance.learning.making import sees
from appliance.learning.retention import Limits
from appliance.model_sets import READER, carried
from tests.appliance.journal.bodies import camera
from tests.appliance.learning.cartons import TRUTH
from vision.reading.reader import LabelReader


def cartons(dataset: Dataset) -> list[str]:
    return [decode_example(dataset.read(name)).carton_id for name in dataset.names()]


async def test_a_settled_review_is_on_disk_and_an_open_or_refused_one_is_not(
    station, running, until
):
    async with running(station.keeper().run):
        await station.judge("open")
        await station.review("refused", how="refused")
        await station.review("settled")
        await until(lambda: station.dataset.held().examples == 1, "an example")
    (name,) = station.dataset.names()
    example = decode_example(station.dataset.read(name))
    assert (example.carton_id, example.truth, example.how) == ("settled", TRUTH, "keyed")
    assert (example.device, example.station) == ("edge-01", "dock-1")
    assert {field for line in example.lines for field in line.fields} == {"batch", "expiry"}


async def test_what_was_settled_while_the_job_was_down_is_kept_after_it(station, running, until):
    async with running(station.keeper().run):
        await station.review("first")
        await until(lambda: cartons(station.dataset) == ["first"], "the first")
    await station.review("second")
    for number in range(300):
        await station.journal.append(camera(number))
    await station.judge("third")
    async with running(station.keeper().run):
        await station.settle("third")
        await until(lambda: station.dataset.held().examples == 3, "all of them")
    assert sorted(cartons(station.dataset)) == ["first", "second", "third"]


async def test_a_place_that_was_lost_in_a_crash_costs_nothing_twice(station, running, until):
    async with running(station.keeper().run):
        await station.review("c-1")
        await until(lambda: station.dataset.held().examples == 1, "an example")
    before = station.dataset.names()
    (station.folder / "learning" / "followed.json").write_text("0")
    async with running(station.keeper().run):
        await station.review("c-2")
        await until(lambda: station.dataset.held().examples == 2, "the next one")
    assert before[0] in station.dataset.names()


async def test_what_is_settled_while_the_job_starts_slowly_is_kept(
    station, running, until, monkeypatch
):
    settled, begin = threading.Event(), Keeper._begin

    def late(keeper: Keeper, head: int) -> None:
        settled.wait(60)
        begin(keeper, head)

    monkeypatch.setattr(Keeper, "_begin", late)
    async with running(station.keeper().run):
        await station.review("at the start")
        settled.set()
        await until(lambda: cartons(station.dataset) == ["at the start"], "an example")


async def test_what_was_settled_while_it_was_off_is_never_gathered(station, running, until):
    station.privacy = Privacy.OFF
    followed = station.folder / "learning" / "followed.json"
    async with running(station.keeper().run):
        await station.review("private")
        await until(lambda: followed.exists() and followed.read_text() == "2", "followed")
    station.privacy = Privacy.CROPS
    async with running(station.keeper().run):
        await station.review("allowed")
        await until(lambda: station.dataset.held().examples == 1, "an example")
    assert cartons(station.dataset) == ["allowed"]


async def test_it_works_while_no_carton_waits_to_be_judged(station, running, until):
    free, asked = asyncio.Event(), asyncio.Event()

    async def idle() -> None:
        asked.set()
        await free.wait()

    async with running(station.keeper(idle=idle).run):
        await station.review("c-1")
        await asked.wait()
        assert station.looks == []
        free.set()
        await until(lambda: station.dataset.held().examples == 1, "an example")


async def test_a_lost_picture_or_a_folder_that_refuses_costs_an_example_and_nothing_else(
    station, running, until
):
    followed = station.folder / "learning" / "followed.json"
    in_the_way = station.dataset.folder / "examples"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("no folder")
    async with running(station.keeper().run):
        await station.review("refused by the disk")
        await until(lambda: followed.exists() and followed.read_text() == "2", "passed over")
        in_the_way.unlink()
        await station.judge("picture lost")
        for path in station.evidence._pictures.glob("??/*"):
            path.unlink()
        await station.settle("picture lost")
        await station.review("whole")
        await until(lambda: cartons(station.dataset) == ["whole"], "the next one")


async def test_a_station_without_a_hub_for_weeks_stays_within_its_quota(station, running, until):
    station.dataset = Dataset(station.dataset.folder, Limits(20_000, 90))
    async with running(station.keeper().run):
        for number in range(12):
            await station.review(f"c-{number}")
        await until(lambda: "c-11" in cartons(station.dataset), "the newest")
        assert station.dataset.held().bytes <= 20_000
    assert cartons(station.dataset)[-1] == "c-11"
    assert station.journal.head().seq == 24, "the record is whole"


def test_the_readers_own_eyes_see_lines_with_their_doubts():
    label = np.full((480, 640, 3), 235, np.uint8)
    for number, text in enumerate(["LOT A18B07", "EXP 2027-12-03", "QTY 48"]):
        where = (60, 120 + 110 * number)
        cv2.putText(label, text, where, cv2.FONT_HERSHEY_SIMPLEX, 1.6, (20, 20, 20), 3)
    chosen = carried(READER)
    reader = LabelReader.load(chosen.folder, model_set=chosen.digest)
    lines = sees(reader)(label, 0)
    assert any("A18B07" in line.text for line in lines)
    for line in lines:
        shown = [glyph for glyph in line.glyphs if glyph.letters[0][0]]
        assert "".join(glyph.letters[0][0] for glyph in shown) == line.text
        assert all(0 < p <= 1 for glyph in line.glyphs for _, p in glyph.letters)
