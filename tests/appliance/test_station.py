"""One carton from frames to durable verdict: what is told, what is kept, what stops the dock."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from appliance.desk import Settlement
from appliance.edge.card import card_of
from appliance.edge.desk import StationDesk
from contracts.errors import BadInputError, ConflictError, JournalFullError, NotFoundError
from contracts.events import CartonJudged, CartonSettled
from contracts.inspection import InspectDecision
from contracts.verdict import Decision
from tests.support.docks import (
    DELIVERY,
    DOUBTFUL,
    LINE,
    Dock,
    PaperInspector,
    PaperReader,
    carton,
)


async def test_a_sound_carton_is_journalled_before_the_lane_is_told(dock) -> None:
    d = dock()
    card = await d.station.judge_carton(carton())
    assert card.verdict.decision is Decision.ACCEPT
    assert d.lane.told == [("C1", Decision.ACCEPT)]
    (body,) = d.bodies()
    assert body.model_sets == {"read": "sha256:read", "inspect": "sha256:inspect"}
    assert body.variant == "openvino-cpu+onnxruntime-cpu"
    assert [e.kind for e in body.evidence] == ["label", "inspect"]
    assert all(d.evidence.has(e.sha256) for e in body.evidence)


async def test_a_defect_keeps_its_heatmap_as_evidence(dock) -> None:
    d = dock(inspector=PaperInspector(InspectDecision.DEFECT))
    card = await d.station.judge_carton(carton())
    assert card.verdict.freezes == LINE.key
    assert [e.kind for e in card.evidence] == ["label", "inspect", "heatmap"]


async def test_a_batch_frozen_here_is_held_here_before_the_hub_says_so(dock) -> None:
    inspector = PaperInspector(InspectDecision.DEFECT)
    d = dock(inspector=inspector)
    await d.station.judge_carton(carton("C1"))
    inspector.decision = InspectDecision.PASS
    card = await d.station.judge_carton(carton("C2"))
    assert card.verdict.decision is Decision.HOLD
    assert [r.code for r in card.verdict.reasons] == ["batch_held"]


async def test_once_the_hub_tells_of_the_hold_it_is_the_hubs_to_lift(dock) -> None:
    inspector = PaperInspector(InspectDecision.DEFECT)
    d = dock(inspector=inspector)
    await d.station.judge_carton(carton("C1"))
    inspector.decision = InspectDecision.PASS
    d.delivery = replace(DELIVERY, held=(LINE.key,))
    assert (await d.station.judge_carton(carton("C2"))).verdict.decision is Decision.HOLD
    d.delivery = DELIVERY
    assert (await d.station.judge_carton(carton("C3"))).verdict.decision is Decision.ACCEPT


async def test_no_picture_of_the_goods_is_review(dock) -> None:
    card = await dock().station.judge_carton(carton("C1", "label"))
    assert [r.code for r in card.verdict.reasons] == ["not_inspected"]


async def test_a_product_without_a_profile_is_review_with_its_picture_kept(dock) -> None:
    d = dock()
    d.profiles.signed = None
    card = await d.station.judge_carton(carton())
    assert [r.code for r in card.verdict.reasons] == ["not_inspected"]
    assert [e.kind for e in card.evidence] == ["label", "inspect"]


async def test_a_picture_that_breaks_an_engine_does_not_stop_the_dock(dock) -> None:
    d = dock(reader=PaperReader(RuntimeError("shape")))
    card = await d.station.judge_carton(carton())
    assert card.verdict.decision is Decision.REVIEW
    assert "engine_failed" in [r.code for r in card.verdict.reasons]
    assert (await d.station.judge_carton(carton("C2"))).carton_id == "C2"


async def test_a_full_disk_stops_accepting_and_says_so(dock) -> None:
    d = dock(max_bytes=64 * 1024)

    async def a_long_day() -> None:
        for number in range(200):
            await d.station.judge_carton(carton(f"C{number}"))

    with pytest.raises(JournalFullError):
        await a_long_day()
    assert d.station.stopped_because
    kept = {body.carton_id for body in d.bodies()}
    told = dict(d.lane.told)
    refused = set(told) - kept
    assert refused
    assert all(told[carton_id] is Decision.REVIEW for carton_id in refused)
    assert all(told[carton_id] is Decision.ACCEPT for carton_id in kept)


def desk_of(d: Dock) -> StationDesk:
    return StationDesk("dock-1", d.journal, expectations=lambda: DELIVERY)


async def review(d: Dock, desk: StationDesk, carton_id: str = "C1") -> None:
    desk.remember(await d.station.judge_carton(carton(carton_id)), "RS-1")


async def test_the_operators_answer_is_in_the_journal_before_the_page_hears_of_it(dock) -> None:
    d = dock(reader=PaperReader(DOUBTFUL))
    desk = desk_of(d)
    await review(d, desk)
    assert [card.carton_id for card in desk.state().reviews] == ["C1"]
    answer = Settlement("C1", "candidate", LINE.gtin, LINE.batch, LINE.expiry.isoformat(), 1)
    card = await desk.settle(answer, operator="Li Wei")
    assert card.settled_by == "Li Wei"
    assert desk.state().reviews == ()
    said = d.bodies()[-1]
    assert isinstance(said, CartonSettled)
    assert (said.asn_line, said.how, said.operator) == (1, "candidate", "Li Wei")


async def test_two_clicks_are_one_answer_and_another_answer_is_a_conflict(dock) -> None:
    d = dock(reader=PaperReader(DOUBTFUL))
    desk = desk_of(d)
    await review(d, desk)
    answer = Settlement("C1", "keyed", "6291041500213", LINE.batch, LINE.expiry.isoformat())
    await asyncio.gather(
        desk.settle(answer, operator="Li"),
        desk.settle(answer, operator="Li"),
        return_exceptions=True,
    )
    with pytest.raises(ConflictError):
        await desk.settle(Settlement("C1", "refused"), operator="Li")
    assert sum(isinstance(body, CartonSettled) for body in d.bodies()) == 1


async def test_a_keyed_code_that_is_on_the_list_finds_its_line(dock) -> None:
    d = dock(reader=PaperReader(DOUBTFUL))
    desk = desk_of(d)
    await review(d, desk)
    await desk.settle(
        Settlement("C1", "keyed", "6291041500213", LINE.batch, LINE.expiry.isoformat()),
        operator="Li",
    )
    assert d.bodies()[-1].asn_line == 1
    assert d.bodies()[-1].gtin == LINE.gtin


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (Settlement("C1", "keyed", "6291041500214", "L", "2027-01-01"), "check digit"),
        (Settlement("C1", "keyed", "6291041500213", "批号", "2027-01-01"), "lot number"),
        (Settlement("C1", "keyed", "6291041500213", "L", "2027-02-30"), "not a date"),
        (Settlement("C1", "guess"), "no way to settle"),
    ],
)
async def test_a_mistyped_answer_is_refused_with_how_to_mend_it(dock, answer, wrong) -> None:
    d = dock(reader=PaperReader(DOUBTFUL))
    desk = desk_of(d)
    await review(d, desk)
    with pytest.raises(BadInputError, match=wrong) as caught:
        await desk.settle(answer, operator="Li")
    assert caught.value.mend
    assert len(d.bodies()) == 1


async def test_after_a_restart_the_desk_knows_its_reviews(dock) -> None:
    d = dock(reader=PaperReader(DOUBTFUL))
    desk = desk_of(d)
    await review(d, desk, "C1")
    await review(d, desk, "C2")
    await desk.settle(Settlement("C1", "refused", note="wet"), operator="Li")
    again = desk_of(d)
    again.restore(d.journal.entries(0, 100))
    assert [card.carton_id for card in again.state().reviews] == ["C2"]
    assert again.carton("C1").settled_by == "Li"
    with pytest.raises(ConflictError):
        await again.settle(Settlement("C1", "refused"), operator="Wang")
    with pytest.raises(NotFoundError):
        again.carton("C9")


async def test_a_card_from_the_journal_shows_what_the_live_one_showed(dock) -> None:
    d = dock(inspector=PaperInspector(InspectDecision.REVIEW))
    live = await d.station.judge_carton(carton())
    body = d.bodies()[0]
    assert isinstance(body, CartonJudged)
    assert card_of(body, at=live.at, expectations=DELIVERY, elapsed_ms=live.elapsed_ms) == live
