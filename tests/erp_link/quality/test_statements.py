"""The law of statements: one text says one thing, and says it back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.canonical import canonical
from contracts.errors import BadInputError
from contracts.stock import BatchKey, UsageDecision
from erp_link.domain.quality.statement import (
    StaleSignatureError,
    Statement,
    check_holds_seen,
    read_statement,
)

NAMES = st.text(min_size=1, max_size=12)
SETS = st.frozensets(NAMES, max_size=4).map(lambda names: tuple(sorted(names)))
STATEMENTS = st.builds(
    Statement,
    ticket=NAMES,
    batch=st.none() | st.builds(BatchKey, NAMES, NAMES, NAMES),
    decision=st.sampled_from(UsageDecision),
    reason=NAMES,
    holds=SETS,
    role=NAMES,
    signer=NAMES,
    key=NAMES,
    at=st.integers(0, 2**51).map(lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(0, 0, us)),
    quantity=st.integers(0, 2**53),
    cartons=SETS,
    seconds=st.just("") | NAMES,
)


@given(STATEMENTS)
def test_a_statement_is_read_back_as_it_was_said(said: Statement) -> None:
    assert read_statement(said.text()) == said


@given(STATEMENTS, STATEMENTS)
def test_two_statements_have_two_texts(one: Statement, other: Statement) -> None:
    assert (one.text() == other.text()) == (one == other)


@given(STATEMENTS, SETS)
def test_a_signature_is_stale_exactly_when_a_hold_was_not_seen(said: Statement, now) -> None:
    if set(now) <= set(said.holds):
        check_holds_seen(said, now)
    else:
        with pytest.raises(StaleSignatureError):
            check_holds_seen(said, now)


@given(STATEMENTS, st.data())
def test_a_field_of_another_kind_is_refused(said: Statement, data) -> None:
    value = json.loads(said.text())
    name = data.draw(st.sampled_from(sorted(value)))
    value[name] = data.draw(st.sampled_from([None, True, ["b", "a"], ["a", "a"], [1], -1, {}]))
    with pytest.raises(BadInputError):
        read_statement(canonical(value).decode())
