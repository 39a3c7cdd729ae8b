"""The sample delivery is what it says, on any day and any machine."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from appliance.cartons.replay import ReplayCartons
from appliance.demo.dots import dot_positions
from appliance.demo.goods import goods_frame
from appliance.demo.label import element_string
from appliance.demo.samples import SampleDelivery, write_samples
from appliance.demo.story import PRODUCTS, Damage, Defect, Goods, tell
from contracts.clock import FixedClock
from contracts.gs1 import has_valid_check_digit, is_lot
from erp_link.asn.csv import parse_csv

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> SampleDelivery:
    return write_samples(tmp_path_factory.mktemp("samples"), today=TODAY, enrol_count=3)


@given(st.dates(min_value=date(2020, 1, 1), max_value=date(2090, 1, 1)))
def test_on_any_day_one_carton_is_expired_and_no_other_is_near_it(today: date) -> None:
    story = tell(today)
    expired = [carton.stem for carton in story.cartons if carton.expiry < today]
    assert expired == ["carton-07"]
    others = [carton for carton in story.cartons if carton.stem not in expired]
    assert all(carton.expiry > today + timedelta(days=60) for carton in others)


def test_the_notice_announces_what_comes_but_for_the_one_off_the_list() -> None:
    story = tell(TODAY)
    for product in PRODUCTS:
        assert has_valid_check_digit(product.gtin)
    by_number = {line.number: line for line in story.asn.lines}
    for carton in story.cartons:
        assert is_lot(carton.batch)
        if carton.line is not None:
            line = by_number[carton.line]
            assert (line.gtin, line.batch, line.expiry) == (
                carton.product.gtin,
                carton.batch,
                carton.expiry,
            )
    (off,) = [carton for carton in story.cartons if carton.line is None]
    neighbour = by_number[2]
    differing = [a != b for a, b in zip(off.batch, neighbour.batch, strict=True)]
    assert sum(differing) == 1


def test_no_line_is_over_delivered() -> None:
    story = tell(TODAY)
    for line in story.asn.lines:
        coming = sum(carton.line == line.number for carton in story.cartons)
        assert coming <= line.quantity


def test_the_frozen_batch_brings_a_sound_carton_after_the_defective_ones() -> None:
    cartons = tell(TODAY).cartons
    frozen = [carton for carton in cartons if carton.batch == "L5310-C1"]
    assert [carton.freezes for carton in frozen] == [False, True, False]
    assert frozen[-1].defect is Defect.NONE


def test_our_own_importer_takes_the_notice(delivery: SampleDelivery) -> None:
    asn = parse_csv(delivery.asn_csv.read_text(), name=delivery.asn_csv.name)
    assert asn == tell(TODAY).asn


def test_undamaged_symbols_decode_to_the_truth(delivery: SampleDelivery) -> None:
    story = {carton.stem: carton for carton in tell(TODAY).cartons}
    for picture in delivery.label_frames:
        carton = story[picture.name.split(".")[0]]
        if carton.damage is Damage.NONE and carton.printing != "dots":
            image = cv2.imread(str(picture))
            assert image.shape == (960, 1280, 3)
            texts = [code.text for code in zxingcpp.read_barcodes(image)]
            assert texts == [element_string(carton)], carton.stem


def test_damage_takes_its_share_of_the_code_area(delivery: SampleDelivery) -> None:
    for truth in delivery.truth:
        if truth.damage == "none":
            assert truth.damage_share == 0
        else:
            assert 0.18 <= truth.damage_share <= 0.5, truth.stem


def test_a_second_call_leaves_the_pictures_alone(delivery: SampleDelivery) -> None:
    before = {path: path.stat().st_mtime_ns for path in delivery.label_frames}
    again = write_samples(delivery.folder, today=TODAY, enrol_count=3)
    assert again == delivery
    assert {path: path.stat().st_mtime_ns for path in again.label_frames} == before


def test_an_interrupted_run_is_made_whole(tmp_path: Path, delivery: SampleDelivery) -> None:
    folder = shutil.copytree(delivery.folder, tmp_path / "samples")
    picture = folder / delivery.label_frames[3].relative_to(delivery.folder)
    picture.write_bytes(b"half")
    (folder / "cartons" / ".samples.json").unlink()
    write_samples(folder, today=TODAY, enrol_count=3)
    assert picture.read_bytes() == delivery.label_frames[3].read_bytes()


def test_another_day_brings_another_notice_and_the_same_enrolment(
    tmp_path: Path, delivery: SampleDelivery
) -> None:
    folder = shutil.copytree(delivery.folder, tmp_path / "samples")
    enrolled = {path: path.stat().st_mtime_ns for path in folder.glob("enrol/*/*.jpg")}
    later = write_samples(folder, today=TODAY + timedelta(days=1), enrol_count=3)
    assert list(folder.glob("*.csv")) == [later.asn_csv]
    assert later.asn_csv.name != delivery.asn_csv.name
    assert {path: path.stat().st_mtime_ns for of in later.enrol.values() for path in of} == enrolled


@pytest.mark.parametrize(
    ("goods", "defect"),
    [
        (Goods.BISCUITS, Defect.CRACK),
        (Goods.BISCUITS, Defect.BROKEN),
        (Goods.BOTTLES, Defect.MISSING_CAP),
        (Goods.BOTTLES, Defect.DENT),
    ],
)
def test_a_defect_shows_and_stands_in_one_place(goods: Goods, defect: Defect) -> None:
    seeds = range(5)
    sound = [goods_frame(goods, np.random.default_rng(seed)) for seed in seeds]
    middle = np.median(np.stack(sound), axis=0)
    faulty = goods_frame(goods, np.random.default_rng(99), defect)
    assert _worst_block(faulty, middle) > 1.2 * max(_worst_block(each, middle) for each in sound)


def _worst_block(image: np.ndarray, middle: np.ndarray) -> float:
    away = cv2.absdiff(image.astype(np.float64), middle)
    return float(cv2.resize(away, (32, 32), interpolation=cv2.INTER_AREA).max())


def test_dots_know_what_coders_print() -> None:
    assert dot_positions("0").shape == (16, 2)
    assert dot_positions("").shape == (0, 2)
    with pytest.raises(KeyError):
        dot_positions("ß")


async def test_the_delivery_replays_as_twelve_cartons(delivery: SampleDelivery) -> None:
    clock = FixedClock(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))
    replay = ReplayCartons(
        delivery.cartons, station="dock-1", cameras=("label", "inspect"), clock=clock
    )
    cartons = [carton async for carton in replay.cartons()]
    assert [carton.name for carton in cartons] == [truth.stem for truth in delivery.truth]
    assert all(len(carton.frames[camera]) == 1 for carton in cartons for camera in carton.frames)
    assert not any(carton.faults for carton in cartons)
