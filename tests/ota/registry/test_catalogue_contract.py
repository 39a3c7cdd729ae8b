"""The catalogue in memory and in SQLite: records, their changes, and a trail that only grows."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.errors import ConflictError, NotFoundError
from contracts.reason import Reason
from ota.publishing import LicenceDecision
from ota.registry.adapters.sqlite import SqliteCatalogue
from ota.registry.ports import Catalogue
from ota.registry.records import (
    Approval,
    Deed,
    GoldenResult,
    Lineage,
    SetEvent,
    SetFile,
    SetRecord,
    SetState,
)


def record(number: int = 1, *, version: str = "", lane: str = "read") -> SetRecord:
    return SetRecord(
        digest=f"sha256:{number:064x}",
        lane=lane,
        name="label_reader",
        version=version or f"1.{number}.0",
        kind="label-reader",
        licence="AGPL-3.0",
        files=(SetFile("net.onnx", f"{number + 1000:064x}", 7),),
        manifest_bytes=300,
        variants=("onnxruntime-cpu",),
        parity={"openvino-cpu": {"pictures": 600.0, "alike": 600.0}},
        card="# Reader\n读",
        quality="[measured]\n",
        lineage=Lineage(base="sha256:00", data="50 lines", made_by="learn"),
        golden=(GoldenResult("onnxruntime-cpu", 60, 60, 5, "hub"),),
        findings=(Reason("set_figure_limit", {"figure": "x", "now": 1.5, "limit": 2}),),
        licence_decision=LicenceDecision("sha256:01", "AGPL-3.0", "q.lead", "ours too", "2026"),
        proposed_by="anna",
        proposed_at_us=number,
        approvals=(Approval("bert", 9, "looked at it"),),
    )


def event(number: int = 1, deed: Deed = Deed.PROPOSED) -> SetEvent:
    return SetEvent(deed, f"sha256:{number:064x}", "anna", 10 + number, "why")


def test_a_record_comes_back_as_it_went_in(catalogue: Catalogue) -> None:
    assert catalogue.add(record(), event()) == record()
    assert catalogue.find(record().digest) == record()
    assert catalogue.find("sha256:ff") is None


def test_the_same_set_is_entered_once(catalogue: Catalogue) -> None:
    catalogue.add(record(), event())
    catalogue.change(record().digest, lambda known: replace(known, card="better"), event())
    assert catalogue.add(record(), event()).card == "better"
    assert len(catalogue.events()) == 2


def test_a_version_is_one_set_for_ever(catalogue: Catalogue) -> None:
    catalogue.add(record(1, version="1.0.0"), event())
    with pytest.raises(ConflictError, match="another set already"):
        catalogue.add(record(2, version="1.0.0"), event(2))
    assert [each.digest for each in catalogue.all()] == [record(1).digest]
    assert len(catalogue.events()) == 1


def test_sets_are_listed_newest_first_by_lane_and_state(catalogue: Catalogue) -> None:
    for number, lane in enumerate(["read", "cracks", "read"], start=1):
        catalogue.add(record(number, lane=lane), event(number))
    catalogue.change(
        record(3).digest,
        lambda known: replace(known, state=SetState.PUBLISHED),
        event(3, Deed.PUBLISHED),
    )
    numbers = [each.proposed_at_us for each in catalogue.all()]
    assert numbers == [3, 2, 1]
    assert [each.proposed_at_us for each in catalogue.all(lane="read")] == [3, 1]
    assert [each.proposed_at_us for each in catalogue.all(state=SetState.PUBLISHED)] == [3]
    assert catalogue.all(lane="read", state=SetState.WITHDRAWN) == []


def test_a_change_that_is_refused_leaves_record_and_trail(catalogue: Catalogue) -> None:
    catalogue.add(record(), event())

    def refuse(_: SetRecord) -> SetRecord:
        raise ConflictError("no")

    with pytest.raises(ConflictError):
        catalogue.change(record().digest, refuse, event())
    with pytest.raises(NotFoundError):
        catalogue.change("sha256:ff", lambda known: known, event())
    assert catalogue.find(record().digest) == record()
    assert len(catalogue.events()) == 1


def test_the_trail_tells_who_did_what_newest_first(catalogue: Catalogue) -> None:
    for number in (1, 2):
        catalogue.add(record(number), event(number))
    catalogue.note(SetEvent(Deed.KEYS, "", "anna", 50, "read"))
    assert [each.serial for each in catalogue.events()] == [3, 2, 1]
    assert catalogue.events(most=1)[0].deed is Deed.KEYS
    assert catalogue.events(digest=record(1).digest) == [replace(event(1), serial=1)]


def test_the_trail_cannot_be_rewritten(tmp_path: Path) -> None:
    catalogue = SqliteCatalogue(tmp_path / "registry.db")
    catalogue.add(record(), event())
    catalogue.close()
    db = sqlite3.connect(tmp_path / "registry.db")
    for statement in ("DELETE FROM events", "UPDATE events SET by = 'nobody'"):
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            db.execute(statement)
    db.close()
    assert (tmp_path / "registry.db").stat().st_mode & 0o077 == 0


_APPROVER = """
import sys
from dataclasses import replace
from pathlib import Path
from ota.registry.adapters.sqlite import SqliteCatalogue
from ota.registry.records import Approval, Deed, SetEvent

catalogue = SqliteCatalogue(Path(sys.argv[1]))
digest, me = sys.argv[2], sys.argv[3]
for turn in range(20):
    catalogue.change(
        digest,
        lambda known: replace(known, approvals=(*known.approvals, Approval(me, turn))),
        SetEvent(Deed.APPROVED, digest, me, turn),
    )
catalogue.close()
"""


def test_processes_that_change_one_record_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    catalogue = SqliteCatalogue(path)
    catalogue.add(replace(record(), approvals=()), event())
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _APPROVER, str(path), record().digest, name],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        for name in ("anna", "bert")
    ]
    assert [each.wait(timeout=60) for each in running] == [0, 0]
    found = catalogue.find(record().digest)
    assert found is not None
    assert len(found.approvals) == 40
    assert len(catalogue.events()) == 41
    catalogue.close()
