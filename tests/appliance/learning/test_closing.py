"""The loop's end: what may be published is proposed once, and by policy a rollout waits for a yes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from appliance.learning.candidate import Figures, Measured, Paired
from appliance.learning.closing import BY, Closing
from appliance.learning.record import quality_record, read_verdict
from contracts.clock import FixedClock
from contracts.errors import BadInputError, ForbiddenError
from ota.registry import decisions, gate
from ota.registry.adapters.memory import MemoryBlobs, MemoryCatalogue, MemoryMetadata
from ota.registry.artefacts import Artefacts
from ota.registry.decisions import PublishPolicy
from ota.registry.plane.image_plane import ImagePlane
from ota.registry.records import Approval, Deed, SetEvent, SetState
from ota.registry.registry import Registry
from ota.rollout.plan import Plan, check_plan
from ota.rollout.state import Phase, Rollout
from tests.support.model_sets import made_set
from tests.support.rollouts import OLD, Dock

CURRENT = "sha256:" + "c" * 64
TRIALS = Measured(
    Paired(400, gains=20, losses=1),
    current=Figures(400, 340, 300, 0, 0.02),
    candidate=Figures(400, 359, 320, 0, 0.02),
)


class Drafting:
    """A desk of rollouts that only drafts."""

    def __init__(self) -> None:
        self.plans: list[Rollout] = []

    def draft(self, plan: Plan, *, by: str) -> Rollout:
        self.plans.append(Rollout(f"r-{len(self.plans)}", check_plan(plan), drafted_by=by))
        return self.plans[-1]

    def rollouts(self) -> list[Rollout]:
        return self.plans


@pytest.fixture
def registry(clock: FixedClock) -> Registry:
    plane = ImagePlane(MemoryMetadata(), online={}, clock=clock)
    return Registry(
        MemoryCatalogue(),
        Artefacts(MemoryBlobs()),
        plane,
        clock=clock,
        policy=PublishPolicy(second_person=True),
    )


@pytest.fixture
def candidates(tmp_path: Path) -> Path:
    return tmp_path / "candidates"


def leave(
    candidates: Path, run: str, version: str, *, publishable: bool = True, weights: bytes = b"w"
) -> str:
    """A run of the recipe leaves its candidate; its digest."""
    place = candidates / f"{version}-{run}"
    made = made_set(place / "set", version=version, figures="", weights=weights)
    verdict = {
        "candidate": made.digest,
        "current": CURRENT,
        "version": version,
        "lines_taught": 812,
        "hold_out": {"digest": "ab" * 32, "examples": 130, "lines": 400},
        "measured": {"hold_out": asdict(TRIALS), "rendered": None},
        "publishable": publishable,
        "reasons": [],
    }
    (place / "verdict.json").write_text(json.dumps(verdict))
    return made.digest


@pytest.fixture
def closing(registry: Registry, candidates: Path) -> Callable[..., Closing]:
    def make(rollouts: Drafting | None = None, then: str = "propose") -> Closing:
        return Closing(candidates, registry.catalogue, registry, rollouts or Drafting(), then=then)

    return make


def publish(registry: Registry, digest: str) -> None:
    """As a person does with the lane's key."""
    registry.approve(digest, by="mara", reason="read the verdict")
    record = registry.get(digest)
    assert decisions.objections(record, registry.policy) == ()
    registry.catalogue.change(
        digest,
        lambda now: decisions.published(now, registry.policy, by="jo", at_us=1),
        SetEvent(Deed.PUBLISHED, digest, "jo", 1, ""),
    )


def test_a_publishable_candidate_is_proposed_with_its_figures_and_lineage(
    closing, registry, candidates
):
    digest = leave(candidates, "20261122T020000-ab12", "1.0.1")
    refused = leave(candidates, "20261115T020000-cd34", "1.0.2", publishable=False, weights=b"x")
    (closed,) = closing().look()
    assert (closed.candidate, closed.state) == (digest, SetState.PROPOSED)
    record = registry.get(digest)
    assert record.proposed_by == BY
    assert "812 settled lines" in record.lineage.data
    assert record.findings == (), "its own gate holds"
    assert gate.figure_of(gate.quality_of(record.quality), "measured.hold_out.trials") == 400
    assert registry.catalogue.find(refused) is None
    assert [each.code for each in registry.objections(record)] == ["set_second_person"]


def test_it_is_proposed_once_and_again_by_nobody_after_a_restart(closing, registry, candidates):
    leave(candidates, "20261122T020000-ab12", "1.0.1")
    closing().look()
    closing().look()
    assert len(registry.events()) == 1


def test_a_site_may_keep_its_candidates_to_itself(closing, registry, candidates):
    leave(candidates, "20261122T020000-ab12", "1.0.1")
    assert closing(then="nothing").look() == ()
    assert registry.sets() == []


def test_a_rollout_is_drafted_once_a_person_published_it_and_is_approved_by_nobody(
    closing, registry, candidates
):
    digest = leave(candidates, "20261122T020000-ab12", "1.0.1")
    rollouts = Drafting()
    loop = closing(rollouts, then="shadow")
    assert [each.rollout for each in loop.look()] == [""]
    assert rollouts.plans == []
    publish(registry, digest)
    assert [each.rollout for each in loop.look()] == ["r-0"]
    closing(rollouts, then="shadow").look()
    (drafted,) = rollouts.plans
    assert drafted.phase is Phase.DRAFT
    assert drafted.plan.shadow
    assert drafted.plan.candidate == digest
    assert (drafted.drafted_by, drafted.approved_by) == (BY, "")


def test_proposing_alone_drafts_nothing(closing, registry, candidates):
    digest = leave(candidates, "20261122T020000-ab12", "1.0.1")
    rollouts = Drafting()
    loop = closing(rollouts)
    loop.look()
    publish(registry, digest)
    loop.look()
    assert rollouts.plans == []


def test_a_withdrawn_candidate_stays_withdrawn(closing, registry, candidates):
    digest = leave(candidates, "20261122T020000-ab12", "1.0.1")
    rollouts = Drafting()
    loop = closing(rollouts, then="shadow")
    loop.look()
    registry.withdraw(digest, by="mara", reason="its hold-out is of one supplier")
    (closed,) = loop.look()
    assert closed.state is SetState.WITHDRAWN
    assert rollouts.plans == []


def test_one_bad_folder_keeps_no_other_back_and_is_told(closing, registry, candidates):
    leave(candidates, "20261108T020000-0000", "1.0.1")
    good = leave(candidates, "20261122T020000-ab12", "1.0.2", weights=b"y")
    (candidates / "1.0.1-20261108T020000-0000" / "set" / "net.onnx").write_bytes(b"torn")
    (candidates / "1.0.0-x").mkdir()
    (candidates / "1.0.0-x" / "verdict.json").write_text("{")
    torn, proposed = closing().look()
    assert "net.onnx" in torn.trouble
    assert (proposed.candidate, proposed.state) == (good, SetState.PROPOSED)


def test_a_set_that_the_verdict_did_not_judge_is_not_passed_off_as_it(closing, candidates):
    leave(candidates, "20261122T020000-ab12", "1.0.1")
    place = candidates / "1.0.1-20261122T020000-ab12"
    told = json.loads((place / "verdict.json").read_text()) | {"candidate": "sha256:" + "d" * 64}
    (place / "verdict.json").write_text(json.dumps(told))
    (closed,) = closing().look()
    assert "another set" in closed.trouble


def test_the_record_holds_the_candidate_to_what_was_in_force():
    """A set that reads less than the verdict allowed does not pass its own gate."""
    raw = {
        "candidate": "sha256:" + "a" * 64, "current": CURRENT, "version": "1.0.1",
        "measured": {"hold_out": asdict(TRIALS), "rendered": None},
    }  # fmt: skip
    verdict = read_verdict(json.dumps(raw).encode())
    bounds = {
        each.figure: each for each in gate.bounds_of(gate.quality_of(quality_record(verdict)))
    }
    assert bounds["measured.hold_out.right_percent"].limit == pytest.approx(85.0 - 2.0)
    assert bounds["measured.hold_out.calibration_error_percent"].limit == pytest.approx(3.0)
    worse = replace(TRIALS, candidate=replace(TRIALS.candidate, right=300))
    measured = replace(verdict.measured, hold_out=worse)
    quality = quality_record(replace(verdict, measured=measured))
    assert gate.figure_of(gate.quality_of(quality), "measured.hold_out.right_percent") == 75.0
    with pytest.raises(BadInputError, match="verdict"):
        read_verdict(b"[]")


def test_a_persons_yes_counts_although_a_program_proposed(registry, closing, candidates):
    digest = leave(candidates, "20261122T020000-ab12", "1.0.1")
    closing().look()
    record = registry.approve(digest, by="mara", reason="looked at it")
    assert [type(each) for each in record.approvals] == [Approval]


def test_every_candidate_gets_a_version_of_its_own(candidates):
    """A registry takes each version once; last week's candidate waits there still."""
    from models.recipes.label_reader.learn import next_version

    assert next_version("1.0.0", candidates) == "1.0.1"
    for taken in ("1.0.1-20261115T020000-ab", "1.0.10-20261122T020000-cd", "2.0.40-x", "odd"):
        (candidates / taken).mkdir(parents=True)
    assert next_version("1.0.0", candidates) == "1.0.11"


def test_the_fleet_learns_nothing_until_a_person_approves_and_begins_with_one_wave(
    closing, registry, candidates
):
    """Over the real desk of rollouts: drafted, polled for a day, approved by a person."""
    dock = Dock(["dock-1", "dock-2"], lane="read", second_person=True)
    digest = leave(candidates, "20261122T020000-ab12", "1.0.1")
    loop = closing(dock.desk, then="shadow")
    loop.look()
    publish(registry, digest)
    for _ in range(5):
        loop.look()
        dock.poll()
    (drafted,) = dock.desk.rollouts()
    assert drafted.phase is Phase.DRAFT
    assert all(not box.staged and box.assignment is None for box in dock.boxes.values())
    with pytest.raises(ForbiddenError):
        dock.desk.approve(drafted.rollout, by=BY)
    dock.desk.approve(drafted.rollout, by="mara")
    dock.desk.tick()
    told = [dock.desk.box(name).assignment for name in dock.boxes]
    staging = [each for each in told if each and each.stage.get("read") == digest]
    assert staging, "the cell of the first wave fetches and proves it"
    assert all(each is None or digest not in each.run.values() for each in told)
    assert dock.running() == dict.fromkeys(dock.boxes, OLD)
