"""What a box does next, as laws over all it may be told: no step leads to what may not run."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.ota import Assignment, BoxStep, Shadow
from contracts.reason import Reason
from ota.agent.handover import INSTALLATION, Active, LaneActive
from ota.agent.steps.deciding import Fetch, Follow, Prove, Refresh, Rest, Switch, View, decide
from ota.agent.steps.state import Refusal

SETS = [f"sha256:{number:064x}" for number in range(5)]
OWN = SETS[0]
_sets = st.sampled_from(SETS)
_lane_sets = st.dictionaries(st.sampled_from(["read", "inspect"]), _sets, max_size=2)
_some = st.frozensets(_sets)
_few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def views(draw: st.DrawFn) -> View:
    lanes = {
        lane: LaneActive(
            model_set=draw(st.sampled_from([INSTALLATION, *SETS[1:]])),
            previous=draw(st.sampled_from([INSTALLATION, *SETS[1:]])),
            change=draw(st.integers(1, 3)),
            rollout=draw(st.sampled_from(["", "r1", "r2"])),
        )
        for lane in draw(st.sets(st.sampled_from(["read", "inspect"])))
    }
    assignment = Assignment(
        device="d", cell="c", epoch=1, sequence=1, least_snapshot=1, not_after_us=1000,
        stage=draw(_lane_sets), run=draw(_lane_sets), keep=tuple(draw(_some)),
        shadow=tuple(Shadow("r1", "read", each) for each in draw(_some)),
        rollout=draw(st.sampled_from(["", "r1", "r2"])), stop=draw(st.booleans()),
        attempts=draw(st.integers(0, 1)),
    )  # fmt: skip
    steps = st.sampled_from([BoxStep.FAILED, BoxStep.RETURNED])
    refused = {
        each: Refusal(draw(steps), Reason("why"), draw(st.sampled_from(["r1", "r2"])))
        for each in draw(_some)
    }
    stale = {"read": Reason("ota_metadata_expired")} if draw(st.booleans()) else {}
    # What runs or ran is always held: the disk never lets it go.
    needed = {each.model_set for each in lanes.values()} | {e.previous for e in lanes.values()}
    return View(
        assignment=draw(st.sampled_from([None, assignment, assignment, assignment])),
        active=Active(change=3, lanes=lanes),
        installed={"read": OWN, "inspect": OWN},
        held=(draw(_some) | needed) - {INSTALLATION},
        proven=draw(_some),
        refused=refused,
        named=frozenset((lane, each) for lane in ("read", "inspect") for each in draw(_some)),
        stale=stale,
        clock=draw(st.sampled_from([None, Reason("ota_clock_behind")])),
        at_us=draw(st.sampled_from([500, 1500])),
        may_refresh=draw(st.booleans()),
    )


@_few
@given(views())
def test_only_what_both_planes_name_and_this_box_proved_begins_to_run(view: View):
    step = decide(view)
    if not isinstance(step, Switch):
        return
    for lane, digest in step.to.items():
        before = view.active.lanes.get(lane)
        goes_back = digest == INSTALLATION or (before is not None and digest == before.previous)
        assert digest == INSTALLATION or digest in view.held
        if goes_back:
            continue
        assert view.assignment is not None
        assert view.assignment.run[lane] == digest
        assert digest in view.proven
        assert (lane, digest) in view.named
        assert lane not in view.stale
        assert view.clock is None
        assert view.at_us <= view.assignment.not_after_us


@_few
@given(views())
def test_a_switch_changes_something_and_leads_to_nothing_that_went_wrong(view: View):
    step = decide(view)
    if isinstance(step, Switch):
        assert step.to
        for lane, digest in step.to.items():
            assert digest != view.active.digest(lane) or view.refused
            refusal = view.refused.get(digest)
            again = view.assignment is not None and (
                view.assignment.attempts > 0 or view.assignment.rollout not in ("", "r1")
            )
            assert refusal is None or again or view.assignment.rollout != refusal.rollout


@_few
@given(views())
def test_a_set_that_failed_while_it_ran_is_left_before_anything_else(view: View):
    bad = {
        lane
        for lane, each in view.active.lanes.items()
        if each.model_set in view.refused and view.refused[each.model_set].step is BoxStep.RETURNED
    }
    step = decide(view)
    if bad:
        assert isinstance(step, Switch)
        assert set(step.to) == bad


@_few
@given(views())
def test_nothing_new_is_begun_under_an_emergency_stop(view: View):
    step = decide(view)
    if view.assignment is not None and view.assignment.stop:
        assert isinstance(step, Switch | Follow | Rest)


@_few
@given(views())
def test_only_named_sets_are_fetched_and_only_held_ones_proven(view: View):
    match decide(view):
        case Fetch(lane, digest):
            assert (lane, digest) in view.named
            assert digest not in view.held
        case Prove(_, digest):
            assert digest in view.held
            assert digest not in view.proven
        case Refresh():
            assert view.may_refresh
        case Follow(shadow, keep):
            assert (shadow, keep) != (view.active.shadow, view.active.keep)
            assert all(each.model_set in {*view.held, OWN} for each in shadow)
        case _:
            pass


@_few
@given(views())
def test_the_same_view_always_gives_the_same_step(view: View):
    assert decide(view) == decide(view)
