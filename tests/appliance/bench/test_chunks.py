"""A campaign in chunks: what was run is not run again, and the account tells of all of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.bench.chunks import Told, account, run_missing


def test_a_campaign_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[int, int]] = []

    async def chunk(folder: Path, seed: int, kills: int) -> Told:
        assert folder.name.startswith("tallyman-kills-")
        ran.append((seed, kills))
        return {"seed": seed, "holds": seed != 8, "harm": {"hub": kills}, "cartons": 4, "log": "-"}

    run_missing(tmp_path, 20, seed=7, size=20, run_chunk=chunk)
    run_missing(tmp_path, 50, seed=7, size=20, run_chunk=chunk, quiet=("log",))
    assert ran == [(7, 20), (8, 20), (9, 10)]
    assert '"log"' not in capsys.readouterr().out.splitlines()[-1]

    assert account(tmp_path, ("cartons",)) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["cartons"], told["harm"]) == (12, {"hub": 50})
    assert told["chunks_that_fail"] == [8]
    (tmp_path / "chunk-00008.json").unlink()
    assert account(tmp_path, ("cartons",)) == 0
