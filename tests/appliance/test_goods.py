"""What freezes a batch, which profile judges it, and what else has a say about the goods."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from appliance.edge.book_file import BookFile
from appliance.goods import needed_to_freeze
from contracts.errors import ArtefactRefusedError, JournalError
from contracts.inspection import InspectDecision
from contracts.reason import Reason
from contracts.verdict import Decision
from tests.support.docks import (
    DELIVERY,
    DOUBTFUL,
    LINE,
    READ,
    PaperInspector,
    PaperProfiles,
    PaperReader,
    carton,
    paper_profile,
)

DEFECT, PASS, REVIEW = InspectDecision.DEFECT, InspectDecision.PASS, InspectDecision.REVIEW
OTHER = replace(LINE, number=2, batch="LOT-8")
TWO_LINES = replace(DELIVERY, lines=(*DELIVERY.lines, replace(DELIVERY.lines[0], line=OTHER)))
OTHER_READ = replace(
    READ, asn_line=2, fields=replace(READ.fields, batch=replace(READ.fields.batch, value="LOT-8"))
)


def codes(card) -> list[str]:
    return [reason.code for reason in card.verdict.reasons]


async def judged(d, *decisions: InspectDecision, first: int = 1) -> list:
    """One carton after the other, as the inspector is told to see them."""
    cards = []
    for number, decision in enumerate(decisions, first):
        d.station.here.sets.inspector.decision = decision
        cards.append(await d.station.judge_carton(carton(f"C{number}")))
    return cards


async def test_a_batch_is_frozen_by_its_third_defective_carton_and_not_by_the_first(dock) -> None:
    d = dock(needed=3)
    cards = await judged(d, DEFECT, PASS, DEFECT, PASS, DEFECT, PASS)
    assert [str(card.verdict.decision) for card in cards] == [
        "hold", "accept", "hold", "accept", "hold", "hold"
    ]  # fmt: skip
    assert [card.verdict.freezes for card in cards] == [None] * 4 + [LINE.key, None]
    assert codes(cards[0]) == ["defect_seen", "batch_counted"]
    frozen = cards[4].verdict.reasons[0]
    assert frozen.code == "batch_frozen"
    assert (frozen.params["defective"], frozen.params["judged"]) == (3, 5)
    assert codes(cards[5]) == ["batch_held"]


async def test_another_batch_of_the_product_is_counted_by_itself(dock) -> None:
    reader = PaperReader()
    d = dock(needed=2, reader=reader)
    d.delivery = TWO_LINES
    await judged(d, DEFECT)
    reader.reading = OTHER_READ
    (card,) = await judged(d, DEFECT, first=2)
    assert card.verdict.batch == OTHER.key
    assert card.verdict.freezes is None


async def test_a_carton_in_doubt_counts_neither_way(dock) -> None:
    reader = PaperReader()
    d = dock(needed=2, reader=reader)
    await judged(d, DEFECT, REVIEW)
    reader.reading = DOUBTFUL
    await judged(d, DEFECT, PASS, first=3)
    counted = d.book.of(LINE.key)
    assert (counted.judged, counted.defective) == (1, 1)


async def test_after_a_release_another_freeze_takes_new_evidence(dock) -> None:
    d = dock(needed=2)
    await judged(d, DEFECT, DEFECT)
    d.delivery = replace(DELIVERY, held=(LINE.key,))
    cards = await judged(d, DEFECT, DEFECT, first=3)
    assert all(card.verdict.freezes is None for card in cards), "it is on hold already"
    d.delivery = DELIVERY
    once, twice = await judged(d, DEFECT, DEFECT, first=5)
    assert once.verdict.freezes is None
    assert twice.verdict.freezes == LINE.key


async def test_where_no_bound_can_be_stated_defective_cartons_are_held_one_by_one(dock) -> None:
    cards = await judged(dock(needed=None), *[DEFECT] * 4)
    assert all(card.verdict.decision is Decision.HOLD for card in cards)
    assert all(card.verdict.freezes is None for card in cards)
    assert "batch_unbounded" in codes(cards[-1])


async def test_a_restart_goes_on_counting_where_it_was(dock, tmp_path, clock) -> None:
    d = dock(needed=3)
    await judged(d, DEFECT, PASS, DEFECT)
    d.journal.close()
    again = dock(needed=3)
    again.book = BookFile.open(again.journal, tmp_path / "batches.json").book
    assert again.book == d.book


async def test_a_batch_stays_with_the_profile_that_began_it(dock) -> None:
    reader = PaperReader()
    d = dock(reader=reader)
    d.delivery = TWO_LINES
    await judged(d, PASS)
    d.profiles.signed = paper_profile("second")
    await judged(d, PASS, first=2)
    reader.reading = OTHER_READ
    await judged(d, PASS, first=3)
    assert [body.inspection.profile for body in d.bodies()] == ["first", "first", "second"]


async def test_a_pinned_profile_that_is_gone_is_review_and_no_other_takes_its_place(dock) -> None:
    d = dock()
    await judged(d, PASS)
    d.profiles.signed = paper_profile("second")
    d.profiles.kept.clear()
    (card,) = await judged(d, PASS, first=2)
    assert card.verdict.decision is Decision.REVIEW
    assert "pinned_profile_gone" in codes(card)
    assert d.bodies()[-1].inspection is None


async def test_unread_cartons_of_a_session_stay_with_the_sessions_first_profile(dock) -> None:
    d = dock(reader=PaperReader(DOUBTFUL))
    await judged(d, PASS)
    d.profiles.signed = paper_profile("second")
    await judged(d, PASS, first=2)
    d.delivery = replace(DELIVERY, session="RS-2")
    await judged(d, PASS, first=3)
    assert [body.inspection.profile for body in d.bodies()] == ["first", "first", "second"]


async def test_a_candidate_may_add_a_review_and_nothing_else(dock) -> None:
    d = dock(inspector=PaperInspector(taught=DEFECT))
    d.profiles.taught = paper_profile("taught")
    (passed,) = await judged(d, PASS)
    assert passed.verdict.decision is Decision.REVIEW
    assert codes(passed) == ["candidate_doubts", "defect_seen"]
    assert [e.kind for e in passed.evidence] == ["label", "inspect", "heatmap"]
    body = d.bodies()[-1]
    assert (body.inspection.profile, body.candidate.profile) == ("first", "taught")
    assert body.verdict.freezes is None


async def test_a_candidate_lifts_nothing(dock) -> None:
    d = dock(inspector=PaperInspector(first=DEFECT, taught=PASS))
    d.profiles.taught = paper_profile("taught")
    (card,) = await judged(d, PASS)
    assert card.verdict.decision is Decision.HOLD
    assert d.bodies()[-1].candidate is None


async def test_what_was_signed_meanwhile_may_add_a_review_to_a_batch_begun_before(dock) -> None:
    d = dock(inspector=PaperInspector(second=REVIEW))
    await judged(d, PASS)
    d.profiles.signed = paper_profile("second")
    (card,) = await judged(d, PASS, first=2)
    assert codes(card) == ["candidate_doubts", "defect_seen"]


async def test_a_profile_of_another_camera_does_not_speak_up_in_an_open_batch(dock) -> None:
    d = dock(inspector=PaperInspector(second=REVIEW))
    await judged(d, PASS)
    d.profiles.signed = paper_profile("second", width_px=128)
    (card,) = await judged(d, PASS, first=2)
    assert card.verdict.decision is Decision.ACCEPT


async def test_a_candidate_that_breaks_does_not_stop_the_signed_one(dock) -> None:
    d = dock(inspector=PaperInspector(taught=RuntimeError("shape")))
    d.profiles.taught = paper_profile("taught")
    (card,) = await judged(d, PASS)
    assert card.verdict.decision is Decision.ACCEPT


async def test_a_refused_profile_is_review_and_says_so(dock) -> None:
    d = dock()
    d.profiles.signed, d.profiles.refused = None, "no signature"
    (card,) = await judged(d, PASS)
    assert set(codes(card)) == {"not_inspected", "profile_refused"}


async def test_a_profile_of_another_model_set_is_review_and_says_so(dock) -> None:
    d = dock(inspector=PaperInspector(first=ArtefactRefusedError("another set")))
    (card,) = await judged(d, PASS)
    assert set(codes(card)) == {"not_inspected", "profile_other_set"}


class Drifted:
    """Suspends from the second picture on."""

    steady = True

    def __init__(self) -> None:
        self.pictures = 0

    def settle(self, inspection, seen):
        self.pictures += 1
        if self.pictures == 1:
            return inspection
        told = (Reason("view_drifted"), Reason("view_darker"))
        return replace(inspection, decision=REVIEW, reasons=told)


async def test_while_the_light_has_drifted_nothing_is_passed_held_or_frozen(dock) -> None:
    watch = Drifted()
    d = dock(needed=2, watch_for=lambda camera, profile: watch)
    cards = await judged(d, DEFECT, DEFECT, PASS)
    assert [str(card.verdict.decision) for card in cards] == ["hold", "review", "review"]
    assert codes(cards[1]) == ["view_drifted", "view_darker"]


async def test_what_was_counted_before_a_drift_was_told_founds_no_freeze(dock) -> None:
    watch = Drifted()
    d = dock(needed=2, watch_for=lambda camera, profile: watch)
    await judged(d, DEFECT, PASS)
    assert d.book.of(LINE.key).judged == 0
    watch.settle = lambda inspection, seen: inspection
    once, twice = await judged(d, DEFECT, DEFECT, first=3)
    assert once.verdict.freezes is None
    assert twice.verdict.freezes == LINE.key


async def test_a_detector_has_no_bound_to_freeze_by_and_counts_for_no_profile(dock) -> None:
    inspector = PaperInspector()
    d = dock(needed=2, inspector=inspector)
    await judged(d, PASS)
    inspector.model_set = inspector.detector = "sha256:detector"
    cards = await judged(d, DEFECT, DEFECT, first=2)
    assert [card.verdict.freezes for card in cards] == [None, None]
    assert all(card.verdict.decision is Decision.HOLD for card in cards)
    assert d.book.of(LINE.key).judged == 1, "another set judged it (I3)"
    reader = PaperReader(OTHER_READ)
    d = dock(needed=2, inspector=inspector, reader=reader)
    d.delivery = TWO_LINES
    assert "batch_unbounded" in codes((await judged(d, DEFECT, first=4))[0])


async def test_until_enough_pictures_were_seen_in_steady_light_no_batch_is_frozen(dock) -> None:
    watch = Drifted()
    watch.settle = lambda inspection, seen: inspection
    watch.steady = False
    d = dock(needed=2, watch_for=lambda camera, profile: watch)
    cards = await judged(d, DEFECT, DEFECT)
    assert codes(cards[1]) == ["defect_seen", "batch_unsteady"]
    watch.steady = True
    (card,) = await judged(d, DEFECT, first=3)
    assert card.verdict.freezes == LINE.key


@pytest.mark.parametrize(
    ("items", "bound", "judged", "needed"),
    [(18, None, 5, None), (19, 5, 1, 4), (19, 5, 5, 5), (64, 2, 1, 2), (64, 2, 5, 4)],
)
def test_how_many_it_takes_follows_from_the_good_items(items, bound, judged, needed) -> None:
    facts = SimpleNamespace(scores=(0.0,) * items, bound_percent=bound)
    assert needed_to_freeze(SimpleNamespace(facts=facts), judged, 1.0) == needed


def test_a_site_that_may_err_less_takes_more_cartons() -> None:
    facts = SimpleNamespace(scores=(0.0,) * 64, bound_percent=2)
    profile = SimpleNamespace(facts=facts)
    assert needed_to_freeze(profile, 5, 0.01) > needed_to_freeze(profile, 5, 1.0)


class FullDisk:
    def __init__(self, profiles) -> None:
        self._profiles = profiles

    def __getattr__(self, name):
        return getattr(self._profiles, name)

    def keep(self, profile):
        raise OSError(28, "No space left on device")


async def test_a_profile_that_cannot_be_kept_begins_no_batch(dock) -> None:
    d = dock(profiles=FullDisk(PaperProfiles()))
    with pytest.raises(JournalError):
        await judged(d, PASS)
    assert d.station.stopped_because
    assert d.bodies() == []
