"""Whoever asks whether goods are on hold has taken the guard that a hold on them takes (I1)."""

from __future__ import annotations

import pytest

from contracts.stock import BatchKey
from erp_link.adapters.database import GuardMissingError
from erp_link.service.core import Core
from erp_link.service.work import Work, batch_guards, ensure_batch, find_batch, location_guard
from tests.erp_link.story import WATER


def test_a_guard_that_was_never_taken_gives_no_answer(core: Core) -> None:
    def act(work: Work) -> bool:
        work.take([location_guard("A-01-1")])
        return work.is_held(location_guard("A-01-2"))

    with pytest.raises(GuardMissingError):
        core.write(act, by="op")


def test_a_namesake_that_comes_meanwhile_is_guarded_at_the_next_try(core: Core) -> None:
    nobodys = BatchKey("", WATER.gtin, WATER.lot)
    core.receive(nobodys, 1, location="A-01-1", by="op")
    tries: list[int] = []

    def act(work: Work) -> bool:
        batch = find_batch(work.connection, nobodys)
        if tries:
            ensure_batch(work.connection, WATER)
        work.take(batch_guards(work.connection, batch))
        if not tries:
            tries.append(1)
            # Another delivery under the same number, of a supplier who has a name.
            ensure_batch(work.connection, WATER)
        return work.is_held(*batch_guards(work.connection, batch))

    assert core.write(act, by="op") is False
    assert tries == [1]
