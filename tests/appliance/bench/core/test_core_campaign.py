"""The campaign's short form: operations, races, ablations; stopped, continued, summed up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from appliance.bench.core.campaign import run, summed
from contracts.errors import BadInputError


def campaign(out: Path, *, operations: int = 0, races: int = 0, seed: int = 1) -> None:
    run(
        out,
        operations=operations,
        race_count=races,
        database=["sqlite"],
        chunk=4,
        steps=30,
        seed=seed,
        workers=1,
    )


def test_a_stopped_campaign_goes_on_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "campaign"
    out.mkdir()
    campaign(out, operations=300, races=4)
    result = json.loads((out / "result.json").read_bytes())
    assert (result["operations"], result["races"]["sqlite"]["races"]) == (300, 4)
    assert (result["violations"], result["ablations_caught"]) == (0, True)
    assert set(result["ablations"]) == {"sqlite/flag_read_first", "sqlite/unguarded_receipt"}
    kept = {path.name: path.stat().st_mtime_ns for path in out.glob("*-*.json")}
    campaign(out, operations=600, races=6)
    result = json.loads((out / "result.json").read_bytes())
    assert (result["operations"], result["races"]["sqlite"]["races"]) == (600, 6)
    assert kept.items() <= {p.name: p.stat().st_mtime_ns for p in out.glob("*-*.json")}.items()
    with pytest.raises(BadInputError, match="another campaign"):
        campaign(out, operations=300, seed=2)


def test_what_was_lost_fails_the_campaign(tmp_path: Path) -> None:
    campaign(tmp_path, operations=300)
    path = tmp_path / "books-00000.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "broken": ["world 1/0/0: step 3: held, and free"]}))
    assert summed(tmp_path)["violations"] == 1
    with pytest.raises(typer.Exit):
        campaign(tmp_path, operations=300)


def test_an_unknown_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no database"):
        run(tmp_path, database=["oracle"])
