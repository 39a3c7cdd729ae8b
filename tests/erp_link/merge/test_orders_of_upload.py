"""The books are the same after any order, repetition and parts of upload, on both databases, and
they are what the pure merge says (I6).
"""

from __future__ import annotations

import random
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.clock import FixedClock
from contracts.device_log import LogEntry
from erp_link.adapters.merge_tables import offline_conflict
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.service.core import Core
from erp_link.service.merge.desk import OfflineLogs
from erp_link.service.merge.reading import EPOCH
from tests.erp_link.conftest import postgres_url
from tests.erp_link.merge.conftest import House
from tests.erp_link.merge.logs import AT_US
from tests.erp_link.merge.worlds import GRANTS, STOCK, World, worlds

Houses = Callable[[DecisionPolicy], AbstractContextManager[House]]
CLOCK = FixedClock(EPOCH + timedelta(microseconds=AT_US))


def prepared(url: str) -> None:
    """Stock on the shelf, and the quotas granted: what was there before anybody went offline."""
    core = Core(url, clock=CLOCK)
    for cell, quantity in STOCK.items():
        granted = sum(g.quantity for g in GRANTS.values() if g.batch == cell.batch)
        core.receive(cell.batch, quantity + granted, location=cell.location, by="op")
    house = House(core, OfflineLogs(core), CLOCK)
    for grant in GRANTS.values():
        house.grant(grant.device, grant.batch, grant.quantity, name=name_of(grant.device))
    core.close()


def name_of(device: str) -> str:
    return next(name for name, grant in GRANTS.items() if grant.device == device)


@contextmanager
def opened(url: str, policy: DecisionPolicy) -> Iterator[House]:
    core = Core(url, clock=CLOCK)
    try:
        yield House(core, OfflineLogs(core, policy), CLOCK)
    finally:
        core.close()


@pytest.fixture(scope="module")
def on_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Houses:
    folder = tmp_path_factory.mktemp("merge")
    shutil.copy(sqlite_template, folder / "prepared.db")
    prepared(f"sqlite:///{folder / 'prepared.db'}")

    def house(policy: DecisionPolicy) -> AbstractContextManager[House]:
        shutil.copy(folder / "prepared.db", folder / "one.db")
        return opened(f"sqlite:///{folder / 'one.db'}", policy)

    return house


@pytest.fixture(scope="module")
def on_postgresql(postgres: str, postgres_template: str) -> Houses:
    def created(template: str) -> str:
        name = f"merge_{uuid.uuid4().hex}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    template = created(postgres_template)
    prepared(postgres_url(postgres, template))
    return lambda policy: opened(postgres_url(postgres, created(template)), policy)


def uploaded(houses: Houses, world: World, log: list[LogEntry], sizes: list[int]) -> str:
    """The hash of the house after a log came in these parts; it is what the pure merge says."""
    with houses(world.policy) as house:
        for phone in world.phones:
            roles = world.roles(phone.device)
            house.desk.enrol(phone.device, phone.public_key, roles=roles, by=phone.by)
        at = 0
        for size in [*sizes, len(log)]:
            if at < len(log):
                house.desk.upload(log[at : at + size], by="op")
            at += size
        _is_what_the_merge_says(house, world)
        return house.desk.digest()


def _is_what_the_merge_says(house: House, world: World) -> None:
    wanted = world.merged()
    for cell, state in wanted.cells.items():
        assert sum(house.stands(cell.batch, cell.location).values()) == state.quantity, cell
    assert house.open_holds_by_first_name() == set(wanted.open_holds)
    rows = house.core.read(
        lambda c: c.execute(
            offline_conflict.select().where(
                offline_conflict.c.withdrawn_at.is_(None),
                offline_conflict.c.kind != "device_suspect",
            )
        ).all()
    )
    assert {row.conflict_id for row in rows} == {c.conflict_id for c in wanted.conflicts}


def check(houses: Houses, world: World, chance: random.Random, sizes: list[int]) -> None:
    entries = [entry for entry, _ in world.log]
    shuffled = [*entries, *chance.choices(entries, k=len(entries) // 2)]
    chance.shuffle(shuffled)
    straight = uploaded(houses, world, entries, [])
    assert uploaded(houses, world, shuffled, sizes) == straight


SIZES = st.lists(st.integers(1, 4), max_size=6)
QUIETLY = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])


@QUIETLY
@given(worlds(most=12), st.randoms(use_true_random=False), SIZES)
def test_any_order_of_upload_gives_the_same_books_on_sqlite(
    on_sqlite: Houses, world: World, chance: random.Random, sizes: list[int]
) -> None:
    check(on_sqlite, world, chance, sizes)


@settings(QUIETLY, max_examples=2)
@given(worlds(most=12), st.randoms(use_true_random=False), SIZES)
def test_any_order_of_upload_gives_the_same_books_on_postgresql(
    on_postgresql: Houses, world: World, chance: random.Random, sizes: list[int]
) -> None:
    check(on_postgresql, world, chance, sizes)
