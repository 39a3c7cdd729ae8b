"""Goods issues race with the opening of a generation: none that comes after it succeeds (I1, I3)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from contracts.errors import HeldError
from erp_link.adapters import tables as t
from erp_link.service.core import Core
from erp_link.service.judging.desk import Judging
from erp_link.service.proof.verify import verify
from tests.erp_link.judging.conftest import NEW, Box
from tests.erp_link.story import WATER

_GOODS = 8


def test_nothing_ships_once_the_batch_has_another_judge(
    core: Core, judging: Judging, box: Box
) -> None:
    picked = []
    for number in range(_GOODS):
        box.looks(f"C{number}")
    for number in range(_GOODS):
        (taken,) = core.reserve(f"SO-{number}", WATER, 1, by="op")
        core.pick(taken.reservation_id, by="op")
        picked.append(taken.reservation_id)
    begun = threading.Barrier(4)

    def ships(mine: list[int]) -> list[str]:
        begun.wait(timeout=30)
        outcomes = []
        for number in mine:
            try:
                core.ship(number, by="op")
            except HeldError as refused:
                outcomes.append(str(refused.data["reasons"]))
            else:
                outcomes.append("left")
        return outcomes

    def opens() -> list[str]:
        begun.wait(timeout=30)
        judging.next_generation(WATER, NEW, after=1, by="ops", why="race")
        return []

    with ThreadPoolExecutor(4) as at_once:
        shifts = [at_once.submit(ships, picked[i::3]) for i in range(3)]
        at_once.submit(opens).result()
        outcomes = [outcome for shift in shifts for outcome in shift.result()]
    events = core.read(
        lambda c: c.execute(
            select(t.event.c.id, t.event.c.what)
            .where(t.event.c.what.in_(["shipped", "generation"]))
            .order_by(t.event.c.id)
        ).all()
    )
    after = [what for _, what in events][[what for _, what in events].index("generation") :]
    assert after == ["generation"], "what came later was refused"
    assert set(outcomes) <= {"left", "['stock_unjudged']"}
    assert len(events) - 1 == outcomes.count("left")
    assert core.batch(WATER).on_hand == _GOODS - outcomes.count("left")
    assert verify(core.engine).findings == ()
