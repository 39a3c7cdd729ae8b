"""Any permutation, repetition and partition of device logs comes to the same state (I6)."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.device_log import (
    GENESIS,
    Adjusted,
    Counted,
    Held,
)
from contracts.stock import BatchKey, HoldKind
from erp_link.domain.merge.chains import admit
from erp_link.domain.merge.conflicts import ConflictKind
from erp_link.domain.merge.counts import settle
from erp_link.domain.merge.entries import Cell
from erp_link.domain.merge.fold import Merged
from erp_link.domain.merge.union import unite
from erp_link.domain.quality.policy import DecisionPolicy
from tests.erp_link.merge.logs import written_of
from tests.erp_link.merge.worlds import (
    GRANTS,
    SHELF,
    TWO_PEOPLE,
    World,
    merged,
    phones,
    worlds,
)
from tests.erp_link.story import WATER


def kinds(state: Merged) -> list[ConflictKind]:
    return [conflict.kind for conflict in state.conflicts]


@settings(deadline=None, max_examples=100)
@given(worlds(), st.randoms(use_true_random=False))
def test_any_order_repetition_and_parts_give_the_same_state(
    world: World, chance: random.Random
) -> None:
    logs = world.written()
    again = [*logs, *chance.choices(logs, k=len(logs))] if logs else []
    chance.shuffle(again)
    assert merged(again, policy=world.policy).digest == world.merged().digest


@settings(deadline=None, max_examples=40)
@given(worlds(), st.randoms(use_true_random=False))
def test_what_is_taken_by_counts_never_falls_when_more_is_known(
    world: World, chance: random.Random
) -> None:
    logs = world.written()
    # The books take goods away step by step: an entry that comes late must not want them back.
    chance.shuffle(logs)
    before: dict[Cell, int] = {}
    for size in range(1, len(logs) + 1):
        cells = merged(logs[:size]).cells
        assert all(cells[cell].taken >= taken for cell, taken in before.items())
        before = {cell: state.taken for cell, state in cells.items()}


def test_a_count_becomes_a_difference_that_stands_beside_what_others_did() -> None:
    mei, li, _ = phones()
    mei.is_told()
    mei.adjusts(WATER, -1)
    li.is_told({"phone-1": 2})
    li.counts(WATER, 8, of=9)
    state = merged(mei.written(), li.written())
    assert state.cells[Cell(WATER, SHELF)].quantity == 8
    assert not state.conflicts


def test_two_counts_that_did_not_know_of_each_other_want_a_recount() -> None:
    mei, li, lead = phones()
    mei.counts(WATER, 8, of=10)
    li.counts(WATER, 7, of=10)
    state = merged(mei.written(), li.written())
    assert kinds(state) == [ConflictKind.COUNTS_DIFFER]
    assert set(state.conflicts[0].sides) == {mei.log[0][0].hash, li.log[0][0].hash}
    # Three are missing by one of them, not five by both.
    assert state.cells[Cell(WATER, SHELF)].quantity == 7
    lead.is_told({"phone-1": 1, "phone-2": 1})
    lead.counts(WATER, 8, of=7)
    again = merged(mei.written(), li.written(), lead.written())
    assert not again.conflicts
    assert again.cells[Cell(WATER, SHELF)].quantity == 8


def test_two_counts_that_agree_are_one_finding() -> None:
    mei, li, _ = phones()
    mei.counts(WATER, 8, of=10)
    li.counts(WATER, 8, of=10)
    state = merged(mei.written(), li.written())
    assert state.cells[Cell(WATER, SHELF)].quantity == 8
    assert not state.conflicts


def test_goods_taken_beside_a_count_want_a_recount() -> None:
    mei, li, _ = phones()
    mei.counts(WATER, 8, of=10)
    li.adjusts(WATER, -2)
    assert kinds(merged(mei.written(), li.written())) == [ConflictKind.COUNT_CROSSED]


def test_a_hold_that_the_release_did_not_see_survives() -> None:
    mei, li, lead = phones()
    first = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    lead.is_told({"phone-1": 1})
    lead.releases(mei.hold_id(first))
    second = li.writes(Held(HoldKind.BATCH, "dented", WATER))
    state = merged(lead.written(), li.written(), mei.written())
    assert state.open_holds == (li.hold_id(second),)
    assert state.lifted == (mei.hold_id(first),)
    assert kinds(state) == [ConflictKind.RELEASE_OVERTAKEN]


def test_who_may_not_release_lifts_nothing() -> None:
    mei, _, _ = phones()
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    mei.releases(mei.hold_id(held))
    state = merged(mei.written())
    assert state.open_holds == (mei.hold_id(held),)
    assert kinds(state) == [ConflictKind.RELEASE_REFUSED]


def test_where_two_people_release_one_alone_lifts_nothing_offline_either() -> None:
    mei, li, lead = phones()
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    lead.releases(mei.hold_id(held))
    lead.releases(mei.hold_id(held))
    one = merged(mei.written(), lead.written(), policy=TWO_PEOPLE)
    assert one.open_holds == (mei.hold_id(held),)
    assert kinds(one) == [ConflictKind.RELEASE_SECOND] * 2
    li.releases(mei.hold_id(held))
    both = merged(li.written(), mei.written(), lead.written(), policy=TWO_PEOPLE)
    assert both.lifted == (mei.hold_id(held),)
    assert not both.conflicts


def test_where_decisions_are_signed_a_device_releases_for_its_own_person_only() -> None:
    mei, _, lead = phones()
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    lead.by = "Mei"
    lead.releases(mei.hold_id(held))
    state = merged(mei.written(), lead.written())
    assert state.open_holds == (mei.hold_id(held),)
    assert kinds(state) == [ConflictKind.RELEASE_REFUSED]
    unsigned = merged(mei.written(), lead.written(), policy=DecisionPolicy(signed=False))
    assert unsigned.lifted == (mei.hold_id(held),)


def test_more_than_the_quota_was_shipped_all_the_same_and_is_recalled() -> None:
    mei, _, _ = phones()
    mei.ships(WATER, 4, quota="Q-1")
    late = mei.ships(WATER, 5, quota="Q-1", location=SHELF)
    state = merged(mei.written())
    assert state.beyond == {late.hash: 3}
    assert kinds(state) == [ConflictKind.QUOTA_OVERUSED]
    assert state.cells[Cell(WATER, SHELF)].quantity == 7


def test_anothers_quota_covers_nothing() -> None:
    _, li, _ = phones()
    entry = li.ships(WATER, 1, quota="Q-1")
    assert merged(li.written()).beyond == {entry.hash: 1}


def test_a_quota_covers_nothing_after_its_time() -> None:
    mei, _, _ = phones()
    mei.clock_us = GRANTS["Q-1"].expires_us
    entry = mei.ships(WATER, 1, quota="Q-1")
    assert merged(mei.written()).beyond == {entry.hash: 1}


def test_a_gap_waits_and_the_lowest_missing_number_is_told() -> None:
    mei, _, _ = phones()
    for change in (-1, -2, -3, -4):
        mei.adjusts(WATER, change)
    log = mei.written()
    union = unite([log[0], log[3], log[2]])
    assert [entry.seq for entry in union.entries] == [1]
    assert union.chains["phone-1"].expected == 2
    assert union.chains["phone-1"].suspect_from is None
    assert merged(log).cells[Cell(WATER, SHELF)].quantity == 0


def test_two_histories_under_one_key_are_both_kept_and_release_nothing_more() -> None:
    mei, _, lead = phones()
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    lead.adjusts(WATER, -1)
    fact = Adjusted(WATER, SHELF, -2, "broken")
    copied = written_of(lead.makes(fact, 1, GENESIS), fact)
    lead.is_told({"phone-1": 1})
    lead.releases(mei.hold_id(held))
    union = unite([copied, *lead.written(), *mei.written()])
    assert union.suspect_from == {"lead": 1}
    state = merged([copied], lead.written(), mei.written())
    assert state.cells[Cell(WATER, SHELF)].quantity == 7
    assert state.open_holds == (mei.hold_id(held),)


def test_an_entry_that_hangs_on_an_unknown_history_makes_its_device_suspect() -> None:
    mei, _, _ = phones()
    first, second = mei.adjusts(WATER, -1), mei.adjusts(WATER, -1)
    fact = Adjusted(WATER, SHELF, -1, "broken")
    stray = written_of(mei.makes(fact, 3, "ab" * 32), fact)
    union = unite([*mei.written(), stray])
    assert {entry.entry_id for entry in union.entries} == {first.hash, second.hash}
    assert union.suspect_from == {"phone-1": 3}


def test_known_links_need_not_be_given_again() -> None:
    mei, _, _ = phones()
    for _ in range(4):
        mei.adjusts(WATER, -1)
    links = [each.link for each in mei.written()]
    assert admit(links[2:], rooted=[links[1]]).hanging == tuple(links[1:])


def test_forged_counts_that_claim_to_know_each_other_still_settle() -> None:
    mei, li, _ = phones()
    mei.is_told({"phone-2": 2})
    li.is_told({"phone-1": 2})
    mei.counts(WATER, 8, of=10)
    li.counts(WATER, 7, of=10)
    entries = unite([*mei.written(), *li.written()]).entries
    assert settle([e for e in entries if isinstance(e.fact, Counted)]).taken


def test_expected_is_what_the_device_showed_with_its_own_earlier_count_in_it() -> None:
    mei, _, _ = phones()
    mei.counts(WATER, 5, of=10)
    mei.counts(WATER, 9, of=5)
    state = merged(mei.written()).cells[Cell(WATER, SHELF)]
    assert (state.taken, state.added, state.quantity) == (5, 4, 9)


def test_the_digest_tells_states_apart() -> None:
    mei, _, _ = phones()
    mei.adjusts(WATER, -1)
    one = merged(mei.written())
    assert one.digest != merged([]).digest
    other = BatchKey("OTHER", WATER.gtin, WATER.lot)
    assert replace(one, expiry={other: "2027-01-01"}).digest != one.digest
