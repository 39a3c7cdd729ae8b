"""The backbone on every engine that its manifest names: the features of the usual one, nearly."""

from __future__ import annotations

import os

import numpy as np
import pytest

from appliance.model_sets import BACKBONE, carried
from tests.vision.defects.conftest import tile
from vision.defects.backbone import Backbone
from vision.engine import CPU, OPENVINO

HERE = "openvino" in os.environ.get("TALLYMAN_READERS", "").split()
LIKE = 0.9999


def test_every_engine_that_the_manifest_names_is_proven() -> None:
    found = carried(BACKBONE)
    assert found.variants == (CPU, OPENVINO)
    assert found.unproven == ()


@pytest.mark.parametrize("variant", [CPU, *([OPENVINO] if HERE else [])])
def test_an_engine_that_the_manifest_names_sees_the_same(variant: str) -> None:
    found = carried(BACKBONE)
    usual, this = (
        Backbone.load(found.folder, threads=1, variant=each).patches(tile(1), (256, 256))
        for each in (CPU, variant)
    )
    assert this.shape == usual.shape
    assert float(np.sum(this * usual, axis=2).min()) > LIKE
    assert this.dtype == np.float32
