"""What moves mean to an ERP, and in which order messages go out: decisions, no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.stock import StockStatus
from erp_link.domain.erp.delivery import LONGEST_WAIT, Queued, State, due, next_up, wait
from erp_link.domain.erp.messages import MessageKind, Zone
from erp_link.domain.erp.zones import Flow, flows, zone_of
from erp_link.domain.moves import Line, Place, transfer

PLACES = st.builds(
    Place,
    st.sampled_from(
        ["A-01-1", "QUARANTINE", "STAGING", "@supplier", "@customer", "@adjustment", "@quota/p-1"]
    ),
    st.sampled_from(StockStatus),
)


def test_goods_lent_to_a_device_are_the_house_s_until_they_ship() -> None:
    shelf = Place("A-01-1", StockStatus.UNRESTRICTED)
    lent = Place("@quota/phone-1", StockStatus.UNRESTRICTED)
    sold = Place("@customer", StockStatus.UNRESTRICTED)
    assert flows(transfer(7, 3, shelf, lent)) == []
    assert flows(transfer(7, 3, lent, sold)) == [Flow(7, Zone.FREE, Zone.CUSTOMER, 3)]


def test_inspection_is_as_far_from_leaving_as_blocked() -> None:
    shelf, seen = Place("A", StockStatus.UNRESTRICTED), Place("A", StockStatus.INSPECTION)
    assert flows(transfer(7, 2, seen, shelf)) == [Flow(7, Zone.QUARANTINE, Zone.FREE, 2)]
    assert flows(transfer(7, 2, seen, Place("A", StockStatus.BLOCKED))) == []


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 50), PLACES, PLACES), min_size=1, max_size=6
    )
)
def test_flows_move_just_what_the_lines_move(moves: list[tuple[int, int, Place, Place]]) -> None:
    lines = [line for move in moves for line in transfer(*move)]
    found = flows(lines)
    sums: dict[tuple[int, Zone], int] = {}
    for line in lines:
        key = (line.batch_id, zone_of(line.place))
        sums[key] = sums.get(key, 0) + line.quantity
    for flow in found:
        assert flow.quantity > 0
        assert flow.source is not flow.target
        sums[flow.batch_id, flow.source] += flow.quantity
        sums[flow.batch_id, flow.target] -= flow.quantity
    assert not any(sums.values())


def queued(number: int, state: State, *subjects: str, stop: bool = False) -> Queued:
    kind = MessageKind.STOP if stop else MessageKind.SHIFT
    return Queued(number, kind, state, frozenset(subjects))


def test_messages_about_one_batch_keep_their_order_and_others_go_on() -> None:
    queue = [
        queued(1, State.DEAD, "batch:1"),
        queued(2, State.WAITING, "batch:1", "order:A"),
        queued(3, State.WAITING, "order:A"),
        queued(4, State.WAITING, "batch:2"),
        queued(5, State.WAITING, "batch:1", stop=True),
    ]
    order = []
    while found := next_up(queue):
        order.append(found.number)
        queue.remove(found)
    # The stop first; 3 waits behind 2, which waits behind the dead one.
    assert order == [5, 4]


@given(st.lists(st.tuples(st.sampled_from([State.WAITING, State.DEAD]), st.integers(1, 3))))
def test_nothing_overtakes_what_is_about_the_same(rows: list[tuple[State, int]]) -> None:
    queue = [queued(n, state, f"batch:{batch}") for n, (state, batch) in enumerate(rows)]
    found = next_up(queue)
    if found is None:
        first = {}
        for row in queue:
            first.setdefault(row.subjects, row)
        assert all(row.state is State.DEAD for row in first.values())
    else:
        assert not [x for x in queue if x.number < found.number and x.subjects & found.subjects]


def test_waits_double_and_end_at_five_minutes() -> None:
    waits = [wait(tries) for tries in range(1, 400)]
    assert waits == sorted(waits)
    assert waits[0] == timedelta(seconds=2)
    assert waits[-1] == LONGEST_WAIT == timedelta(minutes=5)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert not due(now, 1, now + timedelta(seconds=1))
    assert due(now, 1, now + timedelta(seconds=2))
    assert due(None, 9, now)


def test_a_line_of_nothing_tells_nothing() -> None:
    place = Place("A", StockStatus.UNRESTRICTED)
    assert flows([Line(1, place, 3), Line(1, place, -3)]) == []
