"""The frames that readers are fitted and judged on: their truth must be the truth."""

import json
from itertools import combinations

import numpy as np
import pytest
import zxingcpp

from appliance.bench.label_truth import read_truth
from erp_link.asn.files import read_asn
from models.recipes.label_reader.frames.faces import Pool
from models.recipes.label_reader.frames.frame import LEVELS, Plan, render
from models.recipes.label_reader.frames.goods import delivery
from models.recipes.label_reader.frames.heads import STROKES, dots
from models.recipes.label_reader.frames.labels import draw_label, overlaps, write_copy
from models.recipes.label_reader.frames.profiles import CALIBRATION, PROFILES, SECOND
from models.recipes.label_reader.frames.render import render_set
from models.recipes.label_reader.frames.sheet import Size, symbol_ink
from vision.reading.dates import find_dates

POOL = Pool.built_in()
SEED = 5
BOTH = pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))


def frame(index, profile=CALIBRATION):
    return render(Plan.of(index), profile, delivery(profile, SEED), POOL, SEED)


def one_apart(a, b):
    return len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1


def test_a_frame_does_not_depend_on_what_was_rendered_before_it():
    picture, truth = frame(7)
    frame(8)
    again, said_again = frame(7)
    assert np.array_equal(picture, again)
    assert truth == said_again


@BOTH
def test_a_stranger_differs_from_an_announced_carton_by_one_character(profile):
    goods = delivery(profile, SEED)
    announced = {(lot.product.gtin, lot.batch) for lot in goods.announced}
    assert len(announced) == 500
    assert len(goods.beside) > 30
    for lot in goods.beside:
        assert (lot.product.gtin, lot.batch) not in announced
        assert any(g == lot.product.gtin and one_apart(b, lot.batch) for g, b in announced)


def test_strangers_come_at_every_level_of_damage_and_in_both_kinds():
    plans = [Plan.of(index) for index in range(360)]
    strangers = {(plan.kind, plan.level) for plan in plans if not plan.on_asn}
    assert strangers == {(kind, level) for kind in ("label", "inkjet") for level in LEVELS}
    assert sum(not plan.on_asn for plan in plans) == 360 // 8


@BOTH
@pytest.mark.parametrize("kind", ["label", "inkjet"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_level_of_damage_is_the_share_of_the_code_area_that_is_gone(profile, kind, level):
    index = next(i for i in range(200) if (Plan.of(i).kind, Plan.of(i).level) == (kind, level))
    _, truth = frame(index, profile)
    assert truth["coverage"] == pytest.approx(level, abs=0.015)
    gone = [item["destroyed"] for item in truth["items"]]
    assert all(0 <= share <= 1 for share in gone)
    assert any(gone) == bool(level)


@BOTH
@pytest.mark.parametrize("index", [0, 5, 10])
def test_every_line_says_what_the_truth_says_and_stands_in_the_picture(profile, index):
    picture, truth = frame(index, profile)
    height, width = picture.shape[:2]
    texts = {item["name"]: item["text"] for item in truth["items"]}
    assert texts["batch"].endswith(truth["fields"]["batch"])
    if "gtin" in truth["critical"]:
        assert texts["gtin"].endswith(truth["fields"]["gtin"])
    for item in truth["items"]:
        corners = np.array(item["quad"])
        assert (corners >= 0).all()
        assert (corners <= (width, height)).all()


def test_dates_are_written_so_that_they_have_one_meaning():
    for index in range(0, 60, 5):
        _, truth = frame(index)
        text = next(item["text"] for item in truth["items"] if item["name"] == "expiry")
        assert [found.value.isoformat() for found in find_dates(text)] == [
            truth["fields"]["expiry"]
        ]


@pytest.mark.parametrize("symbology", ["GS1-128", "DataMatrix", "QR"])
def test_a_symbol_as_drawn_says_what_stands_below_it(symbology):
    element = "(01)06901234567892(17)281203(10)B24/0716"
    ink = symbol_ink(element, symbology, Size(5, 760, 100, "H"))
    (found,) = zxingcpp.read_barcodes(255 - np.pad(ink, 40))
    assert found.text == element


@BOTH
def test_nothing_on_a_label_stands_over_another_thing(profile):
    goods = delivery(profile, SEED)
    seen = set()
    for turn in range(40):
        rng = np.random.default_rng(turn)
        copy = write_copy(goods.announced[turn], profile, rng, chinese=False)
        sheet, layout = draw_label(copy, profile, POOL, rng)
        seen.add(layout)
        for a, b in combinations(sheet.items, 2):
            assert not overlaps(a.box, b.box), f"{layout}: {a.text} over {b.text}"
    assert seen == set(profile.layouts)


@pytest.mark.parametrize("head", [*CALIBRATION.heads, *SECOND.heads], ids=lambda head: head.name)
def test_a_head_prints_no_two_characters_alike_but_zero_and_o(head):
    drawn = {letter: dots(letter, head, "plain").tobytes() for letter in STROKES}
    alike = {(a, b) for a, b in combinations(sorted(drawn), 2) if drawn[a] == drawn[b]}
    assert alike == {("0", "O")}
    assert dots("0", head, "slashed").tobytes() != drawn["O"]


def test_a_rendered_folder_is_what_the_bench_reads(tmp_path):
    render_set(SECOND, POOL, count=3, seed=SEED, out=tmp_path, start=10)
    truths = read_truth(tmp_path)
    assert [truth.file for truth in truths] == ["sec_00010.jpg", "sec_00011.jpg", "sec_00012.jpg"]
    lines = read_asn(tmp_path / "asn.csv").lines
    assert len(lines) == 500
    listed = {(line.gtin, line.batch, line.expiry.isoformat()) for line in lines}
    for truth in truths:
        fields = (truth.fields["gtin"], truth.fields["batch"], truth.fields["expiry"])
        assert (fields in listed) == truth.on_asn
        assert (tmp_path / truth.file).read_bytes().startswith(b"\xff\xd8")
    whole = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert (whole["profile"], whole["seed"]) == ("second", SEED)
