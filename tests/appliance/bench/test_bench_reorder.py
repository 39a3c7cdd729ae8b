"""The bench of replenishment: its house is a true one, and the bound holds as often as it says."""

from __future__ import annotations

from pathlib import Path

from appliance.bench.core import reorder
from appliance.bench.core.demand import KINDS, made_up
from contracts.clock import SystemClock
from erp_link.service.care.reorder import Reorder
from erp_link.service.core import Core


def test_the_house_of_the_bench_is_suggested_for_from_its_books(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'core.db'}"
    figures = reorder.suggestions(url, seed=3, products=20, events=40)
    assert figures.products == 20
    core = Core(url, clock=SystemClock())
    plan = Reorder(core).plan()
    core.close()
    demand, _ = made_up(20, reorder.DAYS, seed=3)
    assert len(plan.lines) == 20
    line = next(each for each in plan.lines if each.card.gtin == reorder.gtin_of(0))
    assert sum(line.weeks) == demand[0, -175:].sum()


def test_the_bound_holds_on_days_that_nobody_had_seen() -> None:
    for found in reorder.held(seed=11, products=200):
        assert 0.91 <= found.coverage <= 0.99
        assert set(found.by_kind) == set(KINDS)
        assert found.coverage > found.normal_coverage
