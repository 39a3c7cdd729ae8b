"""Real photos: cookies learned from good ones only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contracts.inspection import InspectDecision
from vision.defects.inspector import DefectInspector
from vision.frames import decode_frame

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def cookies(data_dir: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    folder = data_dir / "defects/cookies/cookie-dataset/dataset-files/training-images"

    def photos(kind: str) -> list[np.ndarray]:
        return [
            decode_frame(path.read_bytes(), name=path.name)
            for path in sorted(folder.glob(f"{kind}-*.jpg"))
        ]

    return photos("normal"), photos("anomaly")


def test_broken_cookies_rank_above_whole_ones(inspector: DefectInspector, cookies):
    whole, broken = cookies
    learned, held_out = whole[::3], [one for n, one in enumerate(whole) if n % 3]
    profile = inspector.enrol(learned, product="cookie")
    good, bad = (
        np.array([inspector.inspect(one, profile, name="").inspection.score for one in photos])
        for photos in (held_out, broken)
    )
    assert float((good[:, None] < bad[None]).mean()) > 0.9


def test_a_broken_cookie_is_told_with_its_limit_and_a_workpiece_is_no_cookie(
    inspector: DefectInspector, cookies, data_dir: Path
):
    whole, broken = cookies
    profile = inspector.enrol(whole[:24], product="cookie")
    found = [inspector.inspect(one, profile, name="").inspection for one in broken]
    assert all(one.threshold is not None for one in found)
    assert sum(one.decision is InspectDecision.DEFECT for one in found) >= 10
    metal = min((data_dir / "defects/workpiece_crack").glob("*/images/*.jpg"))
    stranger = decode_frame(metal.read_bytes(), name=metal.name)
    seen = inspector.inspect(stranger, profile, name="").inspection
    assert seen.decision is InspectDecision.REVIEW
