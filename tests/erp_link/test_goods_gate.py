"""Goods issues that wait together leave together, and each is answered by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, select

from contracts.errors import ConflictError, HeldError, NotFoundError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind
from erp_link.adapters import tables as t
from erp_link.service.core import Core
from erp_link.service.shipping import GoodsIssue
from tests.erp_link.story import JUICE, WATER


def picked(core: Core, key: BatchKey, how_many: int = 1) -> list[int]:
    core.receive(key, how_many, location="A-01-1", by="op")
    made = [core.reserve("SO-1", key, 1, by="op")[0].reservation_id for _ in range(how_many)]
    for reservation in made:
        core.pick(reservation, by="op")
    return made


def hold(core: Core, key: BatchKey) -> None:
    core.add_hold(HoldKind.BATCH, batch=key, reason=Reason("defect_seen"), by="q")


def shipped(core: Core) -> int:
    with core.engine.connect() as connection:
        lines = select(t.move_line.c.quantity).where(t.move_line.c.location == "@customer")
        return sum(connection.execute(lines).scalars())


@pytest.fixture
def transactions(core: Core) -> Iterator[list[str]]:
    begun: list[str] = []

    def note(*_: object) -> None:
        begun.append("commit")

    event.listen(core.engine, "commit", note)
    yield begun
    event.remove(core.engine, "commit", note)


def test_a_held_one_costs_the_others_nothing(core: Core) -> None:
    water, juice = picked(core, WATER, 2), picked(core, JUICE)
    hold(core, JUICE)
    outcomes = core.gate.ship_all(
        [GoodsIssue(i, "op") for i in (water[0], juice[0], water[1], 4711)]
    )
    assert [type(outcome) for outcome in outcomes] == [
        type(None),
        HeldError,
        type(None),
        NotFoundError,
    ]
    assert shipped(core) == 2


def test_many_at_once_share_a_transaction(core: Core, transactions: list[str]) -> None:
    ids = picked(core, WATER, 12)
    transactions.clear()
    start = threading.Barrier(len(ids))

    def leave(reservation: int) -> None:
        start.wait()
        core.ship(reservation, by="op", key=f"issue-{reservation:05d}")

    with ThreadPoolExecutor(len(ids)) as pool:
        list(pool.map(leave, ids))
    assert shipped(core) == len(ids)
    assert len(transactions) < len(ids)


def test_the_same_key_ships_once_and_another_request_with_it_conflicts(core: Core) -> None:
    first, second = picked(core, WATER, 2)
    core.ship(first, by="op", key="issue-0001")
    core.ship(first, by="op", key="issue-0001")
    with pytest.raises(ConflictError, match="another request"):
        core.ship(second, by="op", key="issue-0001")
    assert shipped(core) == 1


def test_the_same_reservation_asked_twice_at_once_leaves_once(core: Core) -> None:
    (one,) = picked(core, WATER)
    start = threading.Barrier(4)

    def leave(_: int) -> bool:
        start.wait()
        try:
            core.ship(one, by="op")
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(leave, range(4))) == [False, False, False, True]
    assert shipped(core) == 1


def test_each_goods_issue_says_who_asked_for_it(core: Core) -> None:
    first, second = picked(core, WATER, 2)
    core.gate.ship_all([GoodsIssue(first, "ann"), GoodsIssue(second, "bob")])
    story = [event.by for event in core.batch_story(WATER) if event.what == "shipped"]
    assert sorted(story) == ["ann", "bob"]


def test_a_carton_held_by_name_is_not_shipped_by_the_last_of_its_batch(core: Core) -> None:
    ids = picked(core, WATER, 2)
    with core.engine.begin() as connection:
        connection.execute(
            t.carton.insert().values(
                carton_id="C-1",
                batch_id=select(t.batch.c.id).where(t.batch.c.lot == WATER.lot).scalar_subquery(),
                state="picked",
                location="STAGING",
                status="in_transit",
                station="dock-1",
                device="edge-1",
                judged_at=core.clock.now(),
                printed={},
            )
        )
    core.add_hold(HoldKind.CARTONS, cartons=["C-1"], reason=Reason("defect_seen"), by="q")
    outcomes = core.gate.ship_all([GoodsIssue(i, "op") for i in ids])
    assert sum(outcome is None for outcome in outcomes) <= 1
    assert shipped(core) <= 1
