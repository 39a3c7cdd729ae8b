"""The campaign's short form: rendered, read, stopped, continued, summed up."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec

from appliance.bench.reading.campaign import kept

RENDERER = Path(__file__).with_name("render_delivery.py")


def campaign(out: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "appliance.bench.reading.campaign", str(out),
            "--renderer", str(RENDERER), "--chunk", "3", "--workers", "1", *map(str, words),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )  # fmt: skip


def test_a_stopped_campaign_goes_on_where_it_was_and_ends_in_the_misread_curve(tmp_path: Path):
    out = tmp_path / "campaign"
    first = campaign(out, "--count", 3)
    assert first.returncode == 0, first.stderr
    log = out / "frames-00000.jsonl"
    before = kept(log)
    assert [each.grade for each in before] == [0, 0, 30]
    # Killed in the middle of the last frame's line.
    log.write_bytes(log.read_bytes()[:-40])
    assert kept(log) == before[:2]
    known = log.read_bytes().splitlines()[:2]

    again = campaign(out, "--count", 2)
    assert again.returncode == 0, again.stderr
    assert log.read_bytes().splitlines()[:2] == known
    assert len(kept(log)) == 3
    assert [each.name for each in out.glob("frames-*")] == [log.name]
    assert not list(out.glob("rendering-*"))
    result = json.loads((out / "result.json").read_text())
    assert json.loads(again.stdout.splitlines()[-1]) == result
    rows = {(row["kind"], row["damage"]): row for row in result["with_list"]["misreads"]}
    assert rows["label", "0"]["frames"] == 2
    assert rows["label", "0"]["accepted"] == 2
    assert rows["all", "all"]["wrong"] == 0
    assert "Misreads by damage, with the list" in again.stdout


def test_another_model_set_or_seed_does_not_mix_into_a_campaign(tmp_path: Path):
    out = tmp_path / "campaign"
    out.mkdir()
    other = {"seed": 1, "chunk": 3, "profile": "second", "model_set": "sha256:other"}
    (out / "campaign.json").write_bytes(msgspec.json.encode(other))
    done = campaign(out, "--count", 3)
    assert done.returncode == 2
    assert "holds another campaign" in done.stderr
    assert not list(out.glob("frames-*"))


def test_a_renderer_that_fails_is_named_with_its_last_words(tmp_path: Path):
    done = campaign(tmp_path / "campaign", "--count", 3, "--fonts", tmp_path)
    assert done.returncode == 2
    assert "--fonts" in done.stderr
