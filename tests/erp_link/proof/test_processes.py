"""I1 where it is hardest: eight real processes over one real database, and some of them killed."""

from __future__ import annotations

import os

import pytest

from appliance.bench.core.campaign import ABLATIONS, caught_after
from appliance.bench.core.racing.plan import race, races
from appliance.bench.core.racing.ring import ring
from erp_link.adapters.guards import Guarding

RACES = int(os.environ.get("TALLYMAN_RACES", "20"))
"""`make campaign-core` runs a hundred thousand."""
SEED = 7


def kind_of(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgresql"


@pytest.mark.timeout(120 + RACES)
def test_nothing_leaves_under_a_hold_whoever_is_killed(database_url: str) -> None:
    wanted = races(SEED, range(RACES))
    with ring(database_url) as running:
        ended = running.run(wanted, until_lost=False)
        verified = running.verify()
    assert ended.lost == {}
    assert ended.races == RACES
    assert ended.killed
    assert {"done", "held"} <= set(ended.outcomes)
    assert verified.findings == ()
    assert verified.state_sha256 == verified.record_sha256


@pytest.mark.parametrize("guarding", [g for g in Guarding if g is not Guarding.LOCKED])
def test_the_same_races_catch_every_guard_that_is_missing(
    database_url: str, guarding: Guarding
) -> None:
    if guarding not in ABLATIONS[kind_of(database_url)]:
        return  # one writer at a time: nothing comes between asking and writing
    assert caught_after(database_url, guarding, SEED)


def test_a_race_is_told_by_its_seed_and_number() -> None:
    assert race(1, 5) == race(1, 5) != race(1, 6)
    assert [r.number for r in races(1, [4, 9])] == [4, 9]
