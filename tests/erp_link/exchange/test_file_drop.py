"""Old systems read files: whole ones, each event in one file, none twice to who knows the names."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import update

from contracts.errors import UnavailableError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind
from erp_link.adapters import exchange_tables as x
from erp_link.filedrop.lines import DropLine, written
from erp_link.service.core import Core
from erp_link.service.exchange.drop import FileDrop
from tests.erp_link.story import WATER


def rows(folder: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for file in sorted(folder.glob("*.csv")):
        with file.open(newline="", encoding="utf-8") as text:
            found += csv.DictReader(text)
    return found


def test_what_moved_stands_in_files_once(core: Core, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    drop = FileDrop(core, folder)
    core.receive(WATER, 5, location="A-01-1", by="op")
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("dent"), by="qa")
    while drop.drop(limit=2):
        pass
    core.receive(WATER, 2, location="A-01-1", by="op")
    while drop.drop(limit=2):
        pass
    found = rows(folder)
    on_hand = sum(int(r["quantity"]) for r in found if r["location"] == "A-01-1" and r["quantity"])
    assert on_hand == 7
    assert {"outside/supplier", "A-01-1"} <= {r["location"] for r in found}
    assert len({(r["event"], r["line"]) for r in found}) == len(found)
    assert {"received", "held", "blocked"} <= {r["what"] for r in found}
    assert not list(folder.glob(".*"))
    assert drop.drop() == 0


def test_a_folder_that_is_away_delays_and_loses_nothing(core: Core, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    drop = FileDrop(core, folder)
    core.receive(WATER, 5, location="A-01-1", by="op")
    with pytest.raises(UnavailableError, match="file_drop"):
        drop.drop()
    folder.mkdir()
    core.receive(WATER, 3, location="A-01-1", by="op")
    assert drop.drop() > 0
    while drop.drop():
        pass
    assert sum(int(r["quantity"]) for r in rows(folder) if r["location"] == "A-01-1") == 8


def test_a_hub_killed_after_it_wrote_writes_the_same_file_again(core: Core, tmp_path: Path) -> None:
    core.receive(WATER, 5, location="A-01-1", by="op")
    assert FileDrop(core, tmp_path).drop() > 0
    (file,) = tmp_path.glob("*.csv")
    before = file.read_bytes()
    # Killed between the file and the note that it is written.
    core.write(lambda w: w.connection.execute(update(x.file_drop).values(written_at=None)), by="-")
    core.receive(WATER, 1, location="A-01-1", by="op")
    assert FileDrop(core, tmp_path).drop() > 0
    assert file.read_bytes() == before
    assert len(list(tmp_path.glob("*.csv"))) == 1


def test_a_text_is_no_formula() -> None:
    key = BatchKey("=cmd|' /C calc'!A0", "1", "L")
    line = DropLine(1, 1, "t", "moved", "op", key.supplier, "1", "L", "A-01-1", "", -5, "", "")
    text = written([line]).decode()
    assert "'=cmd" in text
    assert ",-5," in text
