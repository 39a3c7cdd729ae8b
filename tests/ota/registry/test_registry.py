"""From a recipe's folder to a set that boxes may be told to run, and out again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from contracts.clock import FixedClock
from contracts.errors import (
    ArtefactRefusedError,
    BadInputError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
)
from ota.model_set import ModelSet
from ota.publishing import LicenceDecision
from ota.registry.decisions import PublishPolicy
from ota.registry.in_memory import Keys, registry_in_memory
from ota.registry.ports import Blobs, Catalogue, Delta, MetadataStore
from ota.registry.records import Deed, GoldenResult, SetState
from ota.registry.registry import Registry, Told
from ota.registry.verifying import verify
from tests.support.model_sets import made_set, quality


@pytest.fixture
def site(clock: FixedClock) -> tuple[Registry, Keys]:
    return registry_in_memory(clock)


def publish(registry: Registry, keys: Keys, folder: Path, **parts) -> str:
    """Proposed and published; its digest."""
    record = registry.propose(made_set(folder, **parts).folder, by="anna")
    return registry.publish(record.digest, by="anna", signer=keys.lanes[record.lane]).digest


def decision(digest: str, licence: str = "AGPL-3.0") -> LicenceDecision:
    return LicenceDecision(digest, licence, "q.lead", "our source is open too", "2026-11-22")


def test_a_set_is_taken_in_with_all_that_its_files_say(site, tmp_path: Path) -> None:
    registry, _ = site
    made = made_set(tmp_path / "set", parity={"onnxruntime-cpu": {"pictures": 600, "alike": 599}})
    record = registry.propose(made.folder, by="anna", told=Told(data="50 lines", why="weekly"))
    assert (record.digest, record.lane, record.target) == (
        made.digest,
        "read",
        "read/label_reader/1.0.0/manifest.json",
    )
    assert record.card.startswith("# label_reader")
    assert record.quality == quality()
    assert record.lineage.recipe == "models/recipes/label_reader"
    assert record.lineage.data == "50 lines"
    assert record.parity == {"onnxruntime-cpu": {"pictures": 600.0, "alike": 599.0}}
    assert registry.objections(record) == ()
    for file in record.files:
        assert registry.artefacts.get(file.sha256) == (made.folder / file.path).read_bytes()
    assert hashlib.sha256(registry.artefacts.get(record.hex)).hexdigest() == record.hex
    assert record.total_bytes == sum(
        (made.folder / each).stat().st_size for each in (*made.files, "manifest.json")
    )
    assert [(each.deed, each.by, each.why) for each in registry.events()] == [
        (Deed.PROPOSED, "anna", "weekly")
    ]


def test_a_published_set_is_what_boxes_may_be_told_to_run(
    catalogue: Catalogue, metadata: MetadataStore, blobs: Blobs, clock: FixedClock, tmp_path: Path
) -> None:
    registry, keys = registry_in_memory(clock, catalogue=catalogue, metadata=metadata, blobs=blobs)
    record = registry.propose(made_set(tmp_path / "set").folder, by="anna")
    with pytest.raises(ArtefactRefusedError, match="proposed"):
        registry.assignable(record.digest, "read")
    done = registry.publish(record.digest, by="anna", signer=keys.lanes["read"], why="better")
    assert (done.state, done.published_by) == (SetState.PUBLISHED, "anna")
    assert registry.assignable(record.digest, "read") == done
    with pytest.raises(ArtefactRefusedError, match="for the lane read, not inspect"):
        registry.assignable(record.digest, "inspect")
    (target,) = registry.plane.targets().values()
    assert (target.digest, target.path) == (record.digest, record.target)
    assert target.custom == {
        "kind": "label-reader",
        "licence": "Apache-2.0",
        "bytes": record.total_bytes,
        "base": "",
    }
    assert verify(registry, now=clock.at) == []
    with pytest.raises(ConflictError, match="published already"):
        registry.publish(record.digest, by="anna", signer=keys.lanes["read"])


def test_proposing_the_same_set_again_changes_nothing(site, tmp_path: Path) -> None:
    registry, keys = site
    digest = publish(registry, keys, tmp_path / "set")
    assert registry.propose(tmp_path / "set", by="bert").state is SetState.PUBLISHED
    assert registry.get(digest).proposed_by == "anna"
    assert len(registry.events()) == 2


def test_a_version_is_never_two_sets(site, tmp_path: Path) -> None:
    registry, _ = site
    registry.propose(made_set(tmp_path / "a").folder, by="anna")
    with pytest.raises(ConflictError, match="its own version"):
        registry.propose(made_set(tmp_path / "b", weights=b"other").folder, by="anna")


def test_a_folder_that_is_no_whole_set_leaves_nothing_behind(site, tmp_path: Path) -> None:
    registry, _ = site
    folder = made_set(tmp_path / "set").folder
    (folder / "net.onnx").write_bytes(b"changed")
    with pytest.raises(ArtefactRefusedError, match=r"net\.onnx"):
        registry.propose(folder, by="anna")
    with pytest.raises(BadInputError, match="cannot stand in a path"):
        registry.propose(made_set(tmp_path / "b", version="../1").folder, by="anna")
    with pytest.raises(BadInputError, match="No station uses"):
        registry.propose(made_set(tmp_path / "c", kind="poem").folder, by="anna")
    assert registry.sets() == []
    assert registry.artefacts.names() == []


def test_the_newest_published_set_of_its_name_is_the_one_to_be_measured_against(
    site, clock: FixedClock, tmp_path: Path
) -> None:
    registry, keys = site
    first = publish(registry, keys, tmp_path / "1")
    clock.at = clock.at.replace(hour=9)
    worse = registry.propose(
        made_set(tmp_path / "2", version="1.1.0", figures=quality(85.0)).folder, by="anna"
    )
    assert worse.lineage.base == first
    (objection,) = registry.objections(worse)
    assert objection.code == "set_figure_worse"
    with pytest.raises(ArtefactRefusedError, match="set_figure_worse") as refused:
        registry.publish(worse.digest, by="anna", signer=keys.lanes["read"])
    assert refused.value.data["objections"] == (objection,)
    assert registry.plane.targets().keys() == {registry.get(first).target}
    # Against another base, named by whoever knows, it may stand.
    other = registry.propose(
        made_set(tmp_path / "3", version="2.0.0", figures=quality(85.0)).folder,
        by="anna",
        told=Told(base=worse.digest),
    )
    assert registry.objections(other) == ()


def test_a_recipe_that_keeps_its_figures_elsewhere_hands_them_in(site, tmp_path: Path) -> None:
    registry, _ = site
    folder = made_set(tmp_path / "set", figures="").folder
    record = registry.propose(folder, by="learn", told=Told(quality=quality()))
    assert registry.objections(record) == ()


def test_where_a_second_person_is_wanted_one_looks_before_it_is_published(
    clock: FixedClock, tmp_path: Path
) -> None:
    registry, keys = registry_in_memory(clock, policy=PublishPolicy(second_person=True))
    digest = registry.propose(made_set(tmp_path / "set").folder, by="anna").digest
    with pytest.raises(ForbiddenError, match="Nobody but anna"):
        registry.publish(digest, by="anna", signer=keys.lanes["read"])
    with pytest.raises(ForbiddenError, match="anna proposed"):
        registry.approve(digest, by="anna", reason="fine")
    with pytest.raises(BadInputError, match="reason"):
        registry.approve(digest, by="bert", reason="  ")
    assert registry.plane.targets() == {}
    registry.approve(digest, by="bert", reason="looked at 40 frames")
    with pytest.raises(ConflictError, match="approved"):
        registry.approve(digest, by="bert", reason="again")
    assert registry.publish(digest, by="anna", signer=keys.lanes["read"]).approvals[0].by == "bert"
    with pytest.raises(ConflictError):
        registry.approve(digest, by="carl", reason="too late")


def test_a_licence_that_obliges_others_wants_a_decision_about_this_very_set(
    site, tmp_path: Path
) -> None:
    registry, keys = site
    folder = made_set(tmp_path / "set", licence="AGPL-3.0").folder
    digest = registry.propose(folder, by="anna").digest
    with pytest.raises(ArtefactRefusedError, match="set_licence_undecided"):
        registry.publish(digest, by="anna", signer=keys.lanes["read"])
    with pytest.raises(ConflictError, match="The decision is about"):
        registry.decide_licence(digest, decision("sha256:other"))
    registry.decide_licence(digest, decision(digest))
    registry.publish(digest, by="anna", signer=keys.lanes["read"])
    assert Deed.LICENCE_DECIDED in {each.deed for each in registry.events(digest=digest)}
    # Handed in with the set and about another one: that is said, too.
    other = made_set(tmp_path / "other", version="1.1.0", licence="AGPL-3.0").folder
    record = registry.propose(other, by="anna", told=Told(decision=decision(digest)))
    assert [each.code for each in registry.objections(record)] == ["set_licence_other"]


@pytest.mark.parametrize(
    ("result", "codes"),
    [
        (GoldenResult("onnxruntime-cpu", 60, 60), []),
        (GoldenResult("onnxruntime-cpu", 60, 59), ["set_golden_differs"]),
        (GoldenResult("onnxruntime-cpu", 0, 0), ["set_golden_differs"]),
        (None, ["set_golden_missing"]),
    ],
)
def test_golden_frames_are_judged_before_anybody_may_publish(
    clock: FixedClock, tmp_path: Path, result: GoldenResult | None, codes: list[str]
) -> None:
    seen: list[str] = []

    def judge(model_set: ModelSet) -> GoldenResult | None:
        seen.append(model_set.digest)
        return result

    registry, _ = registry_in_memory(
        clock, policy=PublishPolicy(golden_lanes=frozenset({"read"})), golden=judge
    )
    record = registry.propose(made_set(tmp_path / "set").folder, by="anna")
    assert seen == [record.digest]
    assert [each.code for each in registry.objections(record)] == codes
    mended = registry.note_golden(record.digest, GoldenResult("onnxruntime-cpu", 60, 60, 1, "hub"))
    assert registry.objections(mended) == ()


def test_a_withdrawn_set_is_never_assigned_again_key_at_hand_or_not(
    site, clock: FixedClock, tmp_path: Path
) -> None:
    registry, keys = site
    digest = publish(registry, keys, tmp_path / "set")
    gone = registry.withdraw(digest, by="bert", reason="misreads 0 as 8")
    assert (gone.state, gone.withdrawn_by, gone.signed_out) == (SetState.WITHDRAWN, "bert", False)
    with pytest.raises(ArtefactRefusedError, match="withdrawn"):
        registry.assignable(digest, "read")
    (left,) = verify(registry, now=clock.at)
    assert (left.reason.code, left.serious) == ("ota_set_still_named", False)
    signed_out = registry.withdraw(
        digest, by="bert", reason="with the key", signer=keys.lanes["read"]
    )
    assert signed_out.signed_out
    assert registry.plane.targets() == {}
    assert verify(registry, now=clock.at) == []
    with pytest.raises(ConflictError, match="withdrawn already by bert"):
        registry.withdraw(digest, by="anna", reason="again")
    with pytest.raises(ConflictError):
        registry.publish(digest, by="anna", signer=keys.lanes["read"])
    assert registry.propose(tmp_path / "set", by="anna").state is SetState.WITHDRAWN


def test_a_proposal_is_turned_down_without_any_key(site, tmp_path: Path) -> None:
    registry, _ = site
    digest = registry.propose(made_set(tmp_path / "set").folder, by="anna").digest
    assert registry.withdraw(digest, by="bert", reason="no").signed_out
    with pytest.raises(BadInputError):
        registry.withdraw(digest, by="bert", reason="")


def test_publishing_that_was_cut_off_is_ended_by_publishing_again(
    site, clock: FixedClock, tmp_path: Path
) -> None:
    registry, keys = site
    record = registry.propose(made_set(tmp_path / "set").folder, by="anna")
    manifest = registry.artefacts.get(record.hex)
    registry.plane.add("read", record.target, manifest, {}, keys.lanes["read"])
    (found,) = verify(registry, now=clock.at)
    assert found.reason.code == "ota_set_half_published"
    registry.publish(record.digest, by="anna", signer=keys.lanes["read"])
    assert verify(registry, now=clock.at) == []


def test_a_wrong_key_publishes_nothing(site, tmp_path: Path) -> None:
    registry, keys = site
    digest = registry.propose(made_set(tmp_path / "set").folder, by="anna").digest
    with pytest.raises(ArtefactRefusedError, match="may not sign"):
        registry.publish(digest, by="anna", signer=keys.lanes["cracks"])
    assert registry.get(digest).state is SetState.PROPOSED


def test_boxes_that_hold_the_set_before_get_a_shorter_way(
    clock: FixedClock, tmp_path: Path
) -> None:
    def make(old: bytes, new: bytes) -> Delta | None:
        return Delta("patch", b"short") if len(new) > 5 else None

    registry, keys = registry_in_memory(clock, delta=make)
    old = registry.get(publish(registry, keys, tmp_path / "1"))
    clock.at = clock.at.replace(hour=10)
    new = registry.get(publish(registry, keys, tmp_path / "2", version="1.1.0", weights=b"newer!"))
    ways = registry.make_deltas(new.digest)
    before = {each.path: each.sha256 for each in old.files}
    after = {each.path: each.sha256 for each in new.files}
    # Weights and manifest changed, the characters did not.
    assert {(way.old, way.new) for way in ways} == {
        (before["net.onnx"], after["net.onnx"]),
        (old.hex, new.hex),
    }
    assert registry.artefacts.deltas(after["net.onnx"])[0].size_bytes == 5
    assert registry_in_memory(clock)[0].make_deltas("any") == ()


def test_sets_are_found_by_what_people_call_them(site, tmp_path: Path) -> None:
    registry, keys = site
    first = publish(registry, keys, tmp_path / "1")
    publish(registry, keys, tmp_path / "2", version="1.1.0")
    assert registry.find("label_reader@1.0.0").digest == first
    assert registry.find(first).digest == first
    assert registry.find(first.removeprefix("sha256:")[:8]).digest == first
    for unknown in ("label_reader", "", "label_reader@9", first[:10]):
        with pytest.raises(NotFoundError):
            registry.find(unknown)
    with pytest.raises(NotFoundError):
        registry.get("sha256:ff")
    assert {each.version for each in registry.published("read")} == {"1.0.0", "1.1.0"}
    assert registry.published("cracks") == []
