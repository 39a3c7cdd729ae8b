"""The real readers on the sample delivery: the demo shows what it says it shows."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from appliance.demo.goods import goods_frame
from appliance.demo.samples import asn_csv
from appliance.demo.scene import label_frame, scenery
from appliance.demo.story import Defect, Goods, Story, tell
from appliance.demo.texture import jpeg
from contracts.asn import ExpectedLine
from contracts.inspection import InspectDecision
from contracts.reading import ReadDecision
from erp_link.asn.csv import parse_csv
from ota.model_set import open_model_set
from vision.defects.inspector import DefectInspector
from vision.frames import decode_frame
from vision.reading.reader import LabelReader

MODELS = Path(__file__).resolve().parents[3] / "models"


def newest(name: str) -> Path:
    return max(each for each in (MODELS / name).iterdir() if each.is_dir())


@pytest.fixture(scope="module")
def story() -> Story:
    return tell(date(2026, 11, 21))


@pytest.fixture(scope="module")
def reader() -> LabelReader:
    folder = newest("label_reader")
    return LabelReader.load(folder, model_set=open_model_set(folder).digest)


@pytest.mark.parametrize("stem", ["carton-01", "carton-03", "carton-04", "carton-05", "carton-07"])
def test_the_label_reader_reads_what_is_printed(reader, story: Story, stem: str) -> None:
    index, carton = next((i, c) for i, c in enumerate(story.cartons) if c.stem == stem)
    lines = parse_csv(asn_csv(story.asn), name="notice.csv").lines
    rng = np.random.default_rng((7, 1, index))
    image, _ = label_frame(carton, rng, scenery(np.random.default_rng((7, 0))))
    frame = decode_frame(jpeg(image), name=stem)
    reading = reader.read([frame], [ExpectedLine(line) for line in lines], name=stem)
    assert reading.asn_line == carton.line
    if carton.line is None:
        assert reading.decision is ReadDecision.REVIEW
    elif carton.damage_share == 0 and carton.printing != "dots":
        assert reading.decision is ReadDecision.ACCEPT
        assert reading.fields.batch is not None
        assert reading.fields.batch.value == carton.batch


def test_the_inspector_learns_from_the_good_pictures_and_sees_the_bad_ones() -> None:
    folder = newest("defect_backbone")
    inspector = DefectInspector.load(folder, model_set=open_model_set(folder).digest)
    good = [goods_frame(Goods.BISCUITS, np.random.default_rng((7, 3, i))) for i in range(24)]
    profile = inspector.enrol(good, product="09520001100413")
    verdicts = {
        defect: inspector.inspect(
            goods_frame(Goods.BISCUITS, np.random.default_rng(41), defect),
            profile,
            name=defect,
        ).inspection.decision
        for defect in (Defect.NONE, Defect.CRACK, Defect.BROKEN)
    }
    assert verdicts[Defect.NONE] is not InspectDecision.DEFECT
    assert verdicts[Defect.CRACK] is not InspectDecision.PASS
    assert verdicts[Defect.BROKEN] is not InspectDecision.PASS
