"""Films through the page's own code in Node: no wrong product, and a campaign that goes on."""

from __future__ import annotations

import json

import pytest

from appliance.bench.shelf.campaign import Chunk, carry_out, plan_of, run_one
from appliance.bench.shelf.film.codes import goods
from appliance.bench.shelf.film.film import Film, Plan
from appliance.bench.shelf.film.motion import MOTIONS
from appliance.bench.shelf.judge import Account
from appliance.bench.shelf.node import follow
from contracts.errors import BadInputError

GOODS = tuple(goods(12, seed=3))


def test_the_pages_code_shows_what_stands_there_and_nothing_else() -> None:
    film = Film(Plan((GOODS,), motion=MOTIONS["hand"], frames=300))
    account = Account(frozenset(each.gtin for each in GOODS))
    follow(film, range(24), [each.gtin for each in GOODS[:9]], account)
    assert account.frames == 24
    assert account.wrong == []
    assert account.first_ms.keys() == {each.gtin for each in GOODS[:9]}
    assert account.p50_px < 1


def test_a_campaign_that_was_stopped_does_only_what_is_missing(tmp_path) -> None:
    done = run_one(Chunk(0, 12, 1)) | {"right": -5}
    (tmp_path / "film-00000.json").write_text(json.dumps(done))
    (tmp_path / "campaign.json").write_text(json.dumps({"seed": 1, "each": 12}))
    found = carry_out(tmp_path, frames=12, seed=1, workers=1)
    assert (found["films"], found["frames"], found["wrong"], found["right"]) == (1, 12, 0, -5)
    with pytest.raises(BadInputError, match="another campaign"):
        carry_out(tmp_path, frames=12, seed=2, workers=1)


def test_films_of_a_campaign_hold_what_could_be_mistaken() -> None:
    plans = [plan_of(Chunk(number, 60, 1)) for number in range(12)]
    assert plan_of(Chunk(3, 60, 1)) == plans[3]
    for plan, listed, _ in plans:
        there = {each.gtin for each in plan.acts[0]}
        assert there - set(listed), "some that are there are on no list"
        assert len(set(listed) - there) > 5 * len(there), "some on the list are not there"
        assert all({each.gtin for each in act} == there for act in plan.acts)
    assert {len(plan.acts) for plan, _, _ in plans} == {1, 2, 3}
