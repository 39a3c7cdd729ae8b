"""The sternest finding wins, and nothing is accepted that was not seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appliance.judge import BatchTally, JudgePolicy, drawn_for_audit, judge
from contracts.asn import AsnLine, Expectations, ExpectedLine
from contracts.inspection import InspectDecision, Inspection
from contracts.reading import FieldValue, LabelFields, LabelReading, ReadDecision
from contracts.reason import Reason
from contracts.stock import BatchKey
from contracts.verdict import Decision, Verdict

TODAY = date(2026, 11, 21)
LINE = AsnLine(1, "06291041500213", "LOT-7", TODAY + timedelta(days=200), 10, supplier="Acme")
DELIVERY = Expectations(3, "RS-1", "ASN-1", (ExpectedLine(LINE),))
READ = LabelReading(
    frame="carton-01",
    fields=LabelFields(
        FieldValue(LINE.gtin, 0.99, "symbol"),
        FieldValue(LINE.batch, 0.98, "text"),
        FieldValue(LINE.expiry.isoformat(), 0.97, "text"),
    ),
    symbols=(),
    asn_line=1,
    confidence=0.98,
    decision=ReadDecision.ACCEPT,
    reasons=(),
    model_set="sha256:1",
    elapsed_ms=90,
)
SOUND = Inspection("carton-01", 0.1, 0.5, InspectDecision.PASS, (), (), "sha256:2", 40)
CRACKED = replace(
    SOUND, score=0.9, decision=InspectDecision.DEFECT, reasons=(Reason("defect_seen"),)
)


def verdict(
    reading=READ,
    inspection=SOUND,
    delivery=DELIVERY,
    *,
    clock=True,
    faults=(),
    tally=None,
    **policy,
) -> Verdict:
    return judge(
        reading,
        inspection,
        expectations=delivery,
        today=TODAY,
        clock_is_sure=clock,
        policy=JudgePolicy(**policy),
        tally=tally,
        faults=faults,
    )


ENOUGH = BatchTally(judged=5, defective=3, needed=3, percent=1)


def codes(judged: Verdict) -> list[str]:
    return [reason.code for reason in judged.reasons]


def expiring(days: int) -> LabelReading:
    day = (TODAY + timedelta(days=days)).isoformat()
    return replace(READ, fields=replace(READ.fields, expiry=FieldValue(day, 0.9, "text")))


def test_a_sound_announced_carton_is_accepted() -> None:
    judged = verdict()
    assert judged.decision is Decision.ACCEPT
    assert judged.batch == BatchKey("Acme", LINE.gtin, "LOT-7")
    assert judged.reasons == ()
    assert judged.freezes is None


def test_one_cracked_carton_is_held_and_its_batch_goes_on() -> None:
    judged = verdict(inspection=CRACKED, tally=BatchTally(4, 1, needed=3, percent=1))
    assert judged.decision is Decision.HOLD
    assert judged.freezes is None
    assert codes(judged) == ["defect_seen", "batch_counted"]
    assert judged.reasons[1].params == {"defective": 1, "judged": 4, "needed": 3, "percent": 1}


def test_so_many_cracked_cartons_freeze_their_batch_and_the_hold_is_called_by_their_number() -> (
    None
):
    judged = verdict(inspection=CRACKED, tally=ENOUGH)
    assert judged.decision is Decision.HOLD
    assert judged.freezes == LINE.key
    assert codes(judged) == ["batch_frozen", "defect_seen"]


def test_without_a_bound_no_number_of_cracked_cartons_freezes_a_batch() -> None:
    judged = verdict(inspection=CRACKED, tally=BatchTally(9, 9, needed=None, percent=1))
    assert judged.decision is Decision.HOLD
    assert judged.freezes is None
    assert "batch_unbounded" in codes(judged)


def test_a_batch_is_not_frozen_on_pictures_whose_light_may_have_changed() -> None:
    judged = verdict(inspection=CRACKED, tally=replace(ENOUGH, steady=False))
    assert judged.freezes is None
    assert codes(judged) == ["defect_seen", "batch_unsteady"]


def test_a_sound_carton_freezes_nothing_whatever_its_batch_has_shown() -> None:
    assert verdict(tally=ENOUGH).decision is Decision.ACCEPT
    unsure = replace(SOUND, decision=InspectDecision.REVIEW)
    assert verdict(inspection=unsure, tally=ENOUGH).freezes is None


def test_a_cracked_carton_with_a_doubtful_label_freezes_nobody_elses_batch() -> None:
    doubtful = replace(
        READ, decision=ReadDecision.REVIEW, reasons=(Reason("low_confidence", {"percent": 60}),)
    )
    judged = verdict(doubtful, CRACKED, tally=ENOUGH)
    assert judged.decision is Decision.HOLD
    assert judged.freezes is None
    assert codes(judged) == ["defect_seen", "low_confidence"]


def test_a_held_batch_stays_held_however_good_the_carton_looks() -> None:
    judged = verdict(delivery=replace(DELIVERY, held=(LINE.key,)))
    assert judged.decision is Decision.HOLD
    assert codes(judged) == ["batch_held"]
    assert judged.freezes is None


def test_the_same_lot_number_of_another_supplier_is_not_held() -> None:
    other = BatchKey("Other", LINE.gtin, LINE.batch)
    assert verdict(delivery=replace(DELIVERY, held=(other,))).decision is Decision.ACCEPT


def test_a_batch_of_an_unknown_supplier_does_not_evade_a_hold() -> None:
    nameless = replace(LINE, supplier="")
    delivery = replace(DELIVERY, lines=(ExpectedLine(nameless),), held=(LINE.key,))
    assert codes(verdict(delivery=delivery)) == ["batch_held"]


def test_what_follows_from_a_doubtful_reading_is_review_not_hold() -> None:
    held = replace(DELIVERY, held=(LINE.key,))
    for guess in (replace(READ, decision=ReadDecision.REVIEW), expiring(-5)):
        doubtful = replace(guess, decision=ReadDecision.REVIEW)
        judged = verdict(doubtful, delivery=held)
        assert judged.decision is Decision.REVIEW
        assert "batch_held" in codes(judged)


def test_off_list_is_review_and_marked() -> None:
    off = replace(READ, asn_line=None, decision=ReadDecision.REVIEW, reasons=(Reason("off_list"),))
    judged = verdict(off)
    assert judged.decision is Decision.REVIEW
    assert judged.off_list


def test_no_session_no_picture_no_inspection_are_reviews() -> None:
    assert "no_session" in codes(verdict(delivery=Expectations()))
    assert codes(verdict(reading=None)) == ["no_label_picture"]
    assert codes(verdict(inspection=None)) == ["not_inspected"]
    assert verdict(inspection=None, inspection_required=False).decision is Decision.ACCEPT


def test_one_carton_too_many_is_review() -> None:
    full = replace(DELIVERY, lines=(ExpectedLine(LINE, counted=10),))
    assert codes(verdict(delivery=full)) == ["over_delivery"]


def test_expiry_tiers() -> None:
    assert verdict(expiring(-1)).decision is Decision.HOLD
    assert codes(verdict(expiring(0))) == ["short_dated"]
    assert codes(verdict(expiring(15))) == ["short_dated"]
    warned = verdict(expiring(30))
    assert warned.decision is Decision.ACCEPT
    assert codes(warned) == ["expires_soon"]
    assert verdict(expiring(31)).reasons == ()


def test_with_an_unsure_clock_nothing_is_accepted_on_expiry() -> None:
    judged = verdict(clock=False)
    assert judged.decision is Decision.REVIEW
    assert codes(judged) == ["clock_unsure"]


def test_a_fault_of_the_pictures_is_review() -> None:
    judged = verdict(faults=(Reason("camera_dark", {"camera": "label"}),))
    assert judged.decision is Decision.REVIEW
    assert codes(judged) == ["camera_dark"]


readings = st.sampled_from(
    [
        None,
        READ,
        expiring(-3),
        expiring(10),
        replace(READ, decision=ReadDecision.REVIEW, asn_line=None, reasons=(Reason("off_list"),)),
        replace(READ, decision=ReadDecision.REVIEW),
    ]
)
inspections = st.sampled_from(
    [None, SOUND, CRACKED, replace(SOUND, decision=InspectDecision.REVIEW, threshold=None)]
)
deliveries = st.sampled_from([Expectations(), DELIVERY, replace(DELIVERY, held=(LINE.key,))])


tallies = st.sampled_from([None, ENOUGH, replace(ENOUGH, needed=4), replace(ENOUGH, needed=None)])


@given(readings, inspections, deliveries, st.booleans(), tallies)
def test_accept_means_nothing_speaks_against_it(
    reading, inspection, delivery, clock, tally
) -> None:
    judged = verdict(reading, inspection, delivery, clock=clock, tally=tally)
    if judged.decision is Decision.ACCEPT:
        assert reading is not None
        assert reading.decision is ReadDecision.ACCEPT
        assert inspection is not None
        assert inspection.decision is InspectDecision.PASS
        assert judged.batch not in delivery.held
        assert clock
    else:
        assert judged.reasons, "a refusal without a reason helps nobody"
    if judged.freezes is not None:
        assert judged.decision is Decision.HOLD
        assert tally is not None
        assert tally.freezes


def test_a_carton_drawn_for_audit_is_confirmed_by_a_person() -> None:
    judged = judge(
        READ,
        SOUND,
        expectations=DELIVERY,
        today=TODAY,
        clock_is_sure=True,
        policy=JudgePolicy(),
        audit=True,
    )
    assert judged.decision is Decision.REVIEW
    assert codes(judged) == ["audit"]
    assert judged.batch == LINE.key


def test_an_audit_adds_nothing_to_what_a_person_settles_anyway() -> None:
    judged = judge(
        READ,
        CRACKED,
        expectations=DELIVERY,
        today=TODAY,
        clock_is_sure=True,
        policy=JudgePolicy(),
        audit=True,
    )
    assert judged.decision is Decision.HOLD
    assert codes(judged) == ["defect_seen"]


def test_one_in_so_many_cartons_is_drawn_and_always_the_same() -> None:
    cartons = [f"edge-01-{number}" for number in range(20_000)]
    drawn = [carton for carton in cartons if drawn_for_audit(carton, 200)]
    assert 60 <= len(drawn) <= 150
    assert drawn == [carton for carton in cartons if drawn_for_audit(carton, 200)]
    assert all(drawn_for_audit(carton, 1) for carton in cartons[:9])
    assert not any(drawn_for_audit(carton, 0) for carton in cartons)
