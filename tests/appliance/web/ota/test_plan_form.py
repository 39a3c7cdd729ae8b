"""What people type into a new rollout, and the plan that it stands for."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.web.ota.plan_form import Places, plan_of, wave_text, window_text, windows_of
from contracts.errors import BadInputError
from ota.rollout.plan import Plan, Wave, Window, check_plan

PLACES = Places({"box-1", "box-2"}, {"dock-1", "line-2"}, {"Bremen"})
SET = "sha256:" + "a" * 64
SHANGHAI = ZoneInfo("Asia/Shanghai")


def plan(lane: str = "read", cells: tuple[str, ...] = (), **typed: str) -> Plan:
    fields = {"candidate": SET, "why": "better", "wave1": "5%", "shadow": "yes", **typed}
    return plan_of(fields, cells, PLACES, lane=lane, zone=SHANGHAI)


def test_waves_are_percentages_names_or_both() -> None:
    made = plan(wave1="box-1, dock-1", wave2="25 % line-2", wave3="100", strata="cell")
    assert made.waves == (
        Wave(0.0, cells=("dock-1",), boxes=("box-1",), strata="cell"),
        Wave(25.0, cells=("line-2",), strata="cell"),
        Wave(100.0, strata="cell"),
    )
    assert [wave_text(each) for each in made.waves] == ["dock-1 box-1", "25% line-2", "100%"]
    assert check_plan(made) is made


def test_a_name_that_nobody_has_is_named() -> None:
    with pytest.raises(BadInputError) as refused:
        plan(wave1="5% box-7")
    assert refused.value.data["named"] == {"names": "box-7"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("wave1", ""),
        ("wave1", "120%"),
        ("windows", "at night"),
        ("windows", "Foo 22:00-05:00"),
        ("windows", "25:00-26:00"),
        ("soak", "soon"),
        ("most_failed", "101"),
        ("start", "tomorrow"),
    ],
)
def test_what_cannot_be_says_so(field: str, value: str) -> None:
    with pytest.raises(BadInputError) as refused:
        plan(**{field: value})
    assert refused.value.mend


def test_the_start_is_the_sites_time() -> None:
    # 22:00 in Shanghai is 14:00 UTC.
    assert plan(start="2026-11-23T22:00").not_before_us == 1_795_442_400_000_000


def test_sets_that_judge_no_frames_have_no_gate_to_pass() -> None:
    made = plan("profiles", decide="yes", certify="yes")
    assert not made.shadow
    assert not made.decide
    assert not any(wave.certify for wave in made.waves)
    assert check_plan(made) is made


def test_without_shadow_a_wave_may_be_certified_while_it_runs() -> None:
    fields = {"candidate": SET, "why": "x", "wave1": "100%", "certify": "yes"}
    made = plan_of(fields, (), PLACES, lane="read", zone=SHANGHAI)
    assert not made.shadow
    assert made.waves[0].certify
    assert made.zone == "Asia/Shanghai"


def test_only_some_cells_and_a_person_who_decides() -> None:
    made = plan(cells=("line-2", "nowhere"), decide="yes")
    assert made.scope.cells == ("line-2",)
    assert made.decide


def test_a_window_over_midnight_on_working_days() -> None:
    (window,) = windows_of("Mon-Fri 22:00-05:00")
    assert window == Window(22 * 60, 5 * 60, (0, 1, 2, 3, 4))
    assert windows_of("Sat-Mon 6:00-8:30; 12:00-24:00")[0].days == (0, 5, 6)
    assert windows_of("") == ()


@given(
    st.builds(
        Window,
        st.integers(0, 1439),
        st.integers(0, 1440),
        st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    )
)
def test_a_window_reads_as_it_was_written(window: Window) -> None:
    assert windows_of(window_text(window)) == (window,)


def helped(field: str, text: str) -> str:
    try:
        return str(plan(**{field: text}).lane)
    except BadInputError as error:
        return error.mend


@given(st.text(max_size=40), st.sampled_from(["wave1", "windows", "soak", "start", "seed"]))
def test_whatever_is_typed_is_a_plan_or_a_sentence_that_helps(text: str, field: str) -> None:
    assert helped(field, text)
