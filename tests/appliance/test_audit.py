"""A spot check: drawn by chance, it goes to the bench, and must not say what the machine thinks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import httpx

from appliance.edge.card import card_of
from contracts.events import CartonJudged
from contracts.reading import Candidate
from contracts.reason import Reason
from contracts.verdict import Decision, Verdict
from tests.support import pages
from tests.support.pages import OATS
from tests.support.reads import a_reading

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
SURE = Candidate(OATS.gtin, "L2611A07", "2027-03-31", 0.98, 2)
LESS = Candidate(OATS.gtin, "L2611A01", "2027-03-15", 0.02, 1)


def judged(*codes: str) -> CartonJudged:
    """A carton that was read with certainty and waits for a person, for `codes`."""
    return CartonJudged(
        carton_id="C-9",
        station="dock-1",
        session="RS-1",
        opened_at=AT,
        opened_by="trigger",
        verdict=Verdict(Decision.REVIEW, tuple(Reason(code) for code in codes), batch=OATS),
        reading=replace(a_reading(OATS, 0.98), candidates=(SURE, LESS)),
        inspection=None,
        evidence=(),
        model_sets={},
        variant="cpu",
    )


def test_a_spot_check_does_not_offer_the_machines_choice_first() -> None:
    assert card_of(judged("audit"), at=AT).candidates == (LESS, SURE)
    assert card_of(judged("not_inspected"), at=AT).candidates == (SURE, LESS)


async def test_the_bench_says_spot_check_and_no_probability() -> None:
    house = pages.build(furnished=False)
    house.desk.change(reviews=(card_of(judged("audit"), at=AT),))
    transport = httpx.ASGITransport(app=house.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        board = (await client.get("/station/board")).text
        house.desk.change(reviews=(card_of(judged("not_inspected"), at=AT),))
        usual = (await client.get("/station/board")).text
    assert "Spot check" in board
    assert "98 %" not in board
    assert "Spot check" not in usual
    assert "98 %" in usual
