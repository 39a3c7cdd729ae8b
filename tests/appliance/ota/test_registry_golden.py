"""A set is held to golden frames before anybody may publish it, and its crash is nobody else's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from appliance.ota.registry.golden import FRAMES, LANES, HubGolden
from appliance.paths import models_root
from contracts.clock import FixedClock
from ota.model_set import ModelSet, open_model_set
from ota.registry.decisions import PublishPolicy
from ota.registry.in_memory import registry_in_memory
from tests.support.model_sets import made_set

_SAYS = """
import os, pathlib, sys
lane, digest = sys.argv[-2:]
held = pathlib.Path(os.environ["TALLYMAN_SITE_DATA"], "edge/sets/held", digest.split(":")[1])
assert sorted(path.name for path in held.iterdir()) == ["charset.txt", "manifest.json", "net.onnx"]
assert lane == "read" and os.environ["TALLYMAN_READER_ENGINE"] == "onnxruntime-cpu"
{then}
"""


def says(clock: FixedClock, then: str) -> HubGolden:
    return HubGolden(clock, command=(sys.executable, "-c", _SAYS.format(then=then)))


@pytest.mark.parametrize(
    ("then", "code"),
    [
        ("print('null')", ""),
        (
            """print('{"code": "ota_golden_unread", "params": {"right": 1, "frames": 6}}')""",
            "unread",
        ),
        ("raise SystemExit('the network has no output')", "crashed"),
        ("os.kill(os.getpid(), 9)", "crashed"),
        ("print('hello')", "crashed"),
    ],
)
def test_what_a_set_does_with_the_frames_stands_in_its_record(
    clock: FixedClock, tmp_path: Path, then: str, code: str
) -> None:
    registry, _ = registry_in_memory(
        clock, policy=PublishPolicy(golden_lanes=LANES), golden=says(clock, then)
    )
    record = registry.propose(made_set(tmp_path / "set").folder, by="anna")
    (result,) = record.golden
    assert (result.engine, result.by) == ("onnxruntime-cpu", "hub")
    codes = [each.code for each in registry.objections(record)]
    assert codes == ([f"ota_golden_{code}"] if code else [])


def test_lanes_without_frames_are_not_asked_for_any(clock: FixedClock, tmp_path: Path) -> None:
    never = HubGolden(clock, command=("false",))
    registry, _ = registry_in_memory(clock, policy=PublishPolicy(golden_lanes=LANES), golden=never)
    rules = made_set(tmp_path / "rules", name="fences", kind="rules", figures="")
    record = registry.propose(rules.folder, by="anna")
    assert record.golden == ()
    assert registry.objections(record) == ()


def carried(name: str) -> ModelSet:
    return open_model_set(
        next(each.parent for each in (models_root() / name).glob("*/manifest.json"))
    )


def test_the_reader_that_came_with_the_installation_passes_and_a_broken_one_does_not(
    clock: FixedClock, tmp_path: Path
) -> None:
    real = HubGolden(clock)
    good = real(carried("label_reader"))
    assert good is not None
    assert good.passed
    bad = real(made_set(tmp_path / "set"))
    assert bad is not None
    assert bad.trouble is not None
    assert bad.trouble.code == "ota_golden_crashed"


def test_the_record_counts_the_frames_that_a_box_draws() -> None:
    from appliance.agent import golden

    assert FRAMES == {
        "read": golden._LABELS,
        "inspect": 2 * golden._GOODS,
        "cracks": 2 * golden._GOODS,
    }
