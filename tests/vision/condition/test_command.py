"""`tallyman condition` from pictures on disk."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from appliance.cli.condition import condition
from tests.vision.condition.conftest import PRINTED, seen

run = CliRunner()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"c{number}_top.png"), seen(PRINTED, number))
    return tmp_path


def test_enrolled_from_a_folder_and_judged_as_json(pictures: Path) -> None:
    file = pictures / "acme.condition"

    made = run.invoke(
        condition, ["enrol", "--profile", str(file), "--side-pattern", r"_(\w+)\.", str(pictures)]
    )
    judged = run.invoke(condition, ["check", "--profile", str(file), "--json", str(pictures)])

    assert made.exit_code == 0, made.output
    assert "top: 2 good cartons, too few for a limit" in made.output
    lines = [json.loads(line) for line in judged.output.splitlines()]
    assert [line["decision"] for line in lines] == ["review", "review"]
    assert set(lines[0]) == {
        "image",
        "decision",
        "compared",
        "findings",
        "reasons",
        "bound_percent",
        "profile",
        "elapsed_ms",
    }
    assert "Only 2 good cartons" in lines[0]["reasons"][0]["text"]


def test_corners_that_are_none_are_told(pictures: Path) -> None:
    made = run.invoke(
        condition,
        ["enrol", "--profile", str(pictures / "a"), "--corners", "1,2 3", str(pictures)],
    )

    assert made.exit_code != 0
    assert "four corners" in str(made.exception)
    assert not (pictures / "a").exists()
