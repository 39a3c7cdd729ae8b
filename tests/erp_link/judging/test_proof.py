"""`core verify` finds a batch judged by two, and goods that nobody who counts has passed (I3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from contracts.judging import judge_digest
from erp_link.adapters import judging_tables as j
from erp_link.adapters import tables as t
from erp_link.adapters.record.triggers import without_triggers
from erp_link.service.core import Core
from erp_link.service.judging.desk import Judging
from erp_link.service.proof.audit import audit
from tests.erp_link.judging.conftest import NEW, Box

# The same questions are asked of PostgreSQL by the contracts and the generations beside this file.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def found(core: Core) -> list[str]:
    return core.read(lambda c: [name for name, _ in audit(c)])


def tampered(core: Core, change: Callable[[Connection], object]) -> None:
    """Somebody writes past the core."""
    with (
        core.engine.connect().execution_options(tallyman_write=True) as connection,
        connection.begin(),
        without_triggers(connection),
    ):
        change(connection)


def copied(connection: Connection, **other: object) -> None:
    row = dict(connection.execute(select(j.judgement).limit(1)).mappings().one())
    del row["id"]
    connection.execute(insert(j.judgement).values({**row, **other}))


@pytest.fixture
def judged(box: Box, other: Box) -> None:
    box.looks("C1")
    other.looks("C2")


@pytest.mark.usefixtures("judged")
def test_books_that_the_core_made_hold(core: Core, judging: Judging) -> None:
    assert found(core) == []
    assert judging.mixed() == []


@pytest.mark.usefixtures("judged")
def test_a_batch_judged_by_two_is_found(core: Core, judging: Judging) -> None:
    tampered(core, lambda c: copied(c, judge=judge_digest(NEW), seq=99))
    assert found(core) == ["one_judge_a_generation"]
    ((_, generation, judges),) = judging.mixed()
    assert (generation, len(judges)) == (1, 2)


@pytest.mark.usefixtures("judged")
def test_a_pin_of_other_sets_is_found(core: Core) -> None:
    tampered(core, lambda c: c.execute(update(j.judge_pin).values(parts=NEW)))
    assert found(core) == ["one_judge_a_generation"]


@pytest.mark.usefixtures("judged")
def test_goods_that_got_free_without_their_judge_are_found(core: Core) -> None:
    def free(connection: Connection) -> None:
        waits = t.carton.c.carton_id == "C2"
        connection.execute(update(t.carton).where(waits).values(status="unrestricted", cause=""))

    tampered(core, free)
    assert found(core) == ["nothing_free_without_its_judge"]


@pytest.mark.usefixtures("judged")
def test_a_pass_that_was_taken_away_is_found(core: Core) -> None:
    passed = j.judgement.c.carton_id == "C1"
    tampered(core, lambda c: c.execute(update(j.judgement).where(passed).values(decision="review")))
    assert found(core) == ["nothing_free_without_its_judge"]


@pytest.mark.usefixtures("judged")
def test_a_word_that_counts_without_a_pin_is_found(core: Core) -> None:
    tampered(core, lambda c: c.execute(delete(j.judge_pin)))
    assert found(core) == ["one_judge_a_generation"]
