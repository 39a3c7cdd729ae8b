"""Several statements in one trip give what they give one by one, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.exc import IntegrityError

from erp_link.adapters import tables as t
from erp_link.adapters.bulk import among, has_arrays, inserting
from erp_link.adapters.trips import ask_all
from erp_link.service.core import Core

ODD = ['"', "\\", '\\"', "{a,b}", "NULL", "", " ", "a'b", "%(x)s", "冷库\n", "\t"]


def test_each_statement_sees_what_the_one_before_it_left(core: Core) -> None:
    rows = [{"name": name, "value": at} for at, name in enumerate(ODD)]
    read = select(t.counter.c.name, t.counter.c.value).order_by(t.counter.c.value)
    raised = update(t.counter).values(
        value=t.counter.c.value + bindparam("by", type_=t.counter.c.value.type)
    )
    with core.engine.begin() as connection:
        kept, more, found, none = ask_all(
            connection,
            [
                inserting(connection, t.counter, rows),
                (raised, {"by": 5}),
                (read, {}),
                (read.where(t.counter.c.name == "-"), {}),
            ],
        )
    assert (kept.count, more.count) == (len(ODD), len(ODD))
    assert [(row.name, row.value) for row in found.rows] == [
        (n, at + 5) for at, n in enumerate(ODD)
    ]
    assert none.rows == []


def test_rows_are_found_by_lists_of_odd_texts_and_by_none(core: Core) -> None:
    with core.engine.begin() as connection:
        ask = select(t.counter.c.name).where(
            among(t.counter.c.name, "names", arrays=has_arrays(connection))
        )
        rows = [{"name": name, "value": at} for at, name in enumerate([*ODD, "other"])]
        _, some, none = ask_all(
            connection,
            [inserting(connection, t.counter, rows), (ask, {"names": ODD}), (ask, {"names": []})],
        )
    assert {row.name for row in some.rows} == set(ODD)
    assert none.rows == []


def test_what_the_database_refuses_is_raised_as_elsewhere_and_nothing_stays(core: Core) -> None:
    twice = text("INSERT INTO counter (name, value) VALUES ('x', 1)")
    with core.engine.connect() as connection:
        with pytest.raises(IntegrityError), connection.begin():
            ask_all(connection, [(twice, {}), (twice, {}), (select(t.counter.c.name), {})])
        assert connection.execute(select(t.counter.c.name)).all() == []
