"""A suspension for drift outlives a restart of the station."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from appliance.demo.goods import goods_frame
from appliance.demo.story import Goods
from appliance.edge.watches import Watches
from contracts.inspection import InspectDecision, Inspection
from vision.defects.drift import Measures, learn_drift
from vision.defects.looks import look_at

PATCHES = np.ones((8, 8, 152), np.float32)


@pytest.fixture(scope="module")
def profile() -> SimpleNamespace:
    frames = [goods_frame(Goods.BISCUITS, np.random.default_rng(number)) for number in range(6)]
    facts = learn_drift(
        [look_at(frame, PATCHES) for frame in frames],
        [1.0 + 0.01 * number for number in range(6)],
        items=[str(number) for number in range(6)],
    )
    return SimpleNamespace(digest="sha256:1", facts=SimpleNamespace(drift=facts))


@pytest.fixture
def passed() -> Inspection:
    return Inspection("goods", 1.0, 2.0, InspectDecision.PASS, (), (), "sha256:0", 30)


def darker(profile) -> SimpleNamespace:
    """What a picture in 30 % less light is measured as."""
    facts = profile.facts.drift
    usual = Measures(
        **{
            name: sorted(getattr(facts, name))[3]
            for name in ("light", "highlight", "sharpness", "fineness", "x", "y", "typical")
        }
    )
    dim = Measures(
        usual.light - 0.35,
        usual.highlight - 0.35,
        usual.sharpness,
        usual.fineness,
        usual.x,
        usual.y,
        usual.typical,
    )
    return SimpleNamespace(measures=dim, width_px=512, height_px=512)


def suspend(watches: Watches, profile, inspection) -> None:
    watch = watches.of("inspect", profile)
    for _ in range(10):
        watch.settle(inspection, darker(profile))
    assert watch.suspended


def test_a_suspension_outlives_a_restart(tmp_path, profile, passed) -> None:
    path = tmp_path / "watches.json"
    before = Watches(path)
    suspend(before, profile, passed)
    before.note()
    again = Watches(path)
    assert again.reasons("sha256:1"), "known before the first picture"
    watch = again.of("inspect", profile)
    assert watch.suspended
    assert not watch.steady
    assert watch.state == before.of("inspect", profile).state


def test_nothing_is_written_while_nothing_changes(tmp_path, profile, passed) -> None:
    path = tmp_path / "watches.json"
    watches = Watches(path)
    watches.of("inspect", profile).settle(passed, SimpleNamespace(measures=None))
    watches.note()
    assert not path.exists()
    watches.save()
    assert path.exists()


def test_another_camera_and_another_profile_have_watches_of_their_own(
    tmp_path, profile, passed
) -> None:
    watches = Watches(tmp_path / "watches.json")
    suspend(watches, profile, passed)
    assert not watches.of("inspect-2", profile).suspended
    other = SimpleNamespace(digest="sha256:2", facts=profile.facts)
    assert not watches.of("inspect", other).suspended
    assert watches.of("inspect", profile).suspended


def test_a_profile_without_drift_facts_is_not_watched(tmp_path) -> None:
    bare = SimpleNamespace(digest="sha256:3", facts=SimpleNamespace(drift=None))
    assert Watches(tmp_path / "watches.json").of("inspect", bare) is None


@pytest.mark.parametrize("spoilt", [b"", b"[{}]", b"\xff"])
def test_a_spoilt_file_begins_the_watches_anew(tmp_path, profile, spoilt) -> None:
    path = tmp_path / "watches.json"
    path.write_bytes(spoilt)
    assert not Watches(path).of("inspect", profile).suspended
