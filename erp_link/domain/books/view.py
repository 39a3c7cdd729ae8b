"""A state as everybody may read it."""

from __future__ import annotations

from contracts.stock import BatchKey, StockStatus
from erp_link.domain.books.facts import State
from erp_link.domain.books.port import Named, Question, SetAside, Snapshot, Standing


def snapshot(state: State) -> Snapshot:
    """Everything the books say, in one order."""
    return Snapshot(
        stock=tuple(sorted(_stock(state), key=_stood)),
        reservations=tuple(
            SetAside(r.number, state.batches[r.batch_id].key, r.location, r.quantity, r.state)
            for _, r in sorted(state.reservations.items())
        ),
        cartons=tuple(
            sorted(
                (
                    Named(c.name, state.batches[batch_id].key, c.place, c.cause.value)
                    for batch_id, cartons in state.cartons.items()
                    for c in cartons.values()
                ),
                key=lambda named: named.carton,
            )
        ),
        open_holds=tuple(
            sorted(
                (
                    (
                        held.wanted.kind,
                        _key(state, held.batch_id),
                        held.wanted.location,
                        held.wanted.supplier,
                        tuple(sorted(held.wanted.cartons)),
                        held.wanted.quantity,
                    )
                    for held in state.holds.values()
                ),
                key=str,
            )
        ),
        questions=tuple(
            Question(number, q.about, _key(state, q.batch_id), q.cartons, q.quantity)
            for number, q in sorted(state.questions.items())
            if number not in state.decided
        ),
    )


def _stock(state: State) -> list[Standing]:
    return [
        Standing(
            state.batches[batch_id].key,
            place,
            quantity,
            state.reserved.get((batch_id, place.location), 0)
            if place.status is StockStatus.UNRESTRICTED
            else 0,
        )
        for batch_id in state.batches
        for place, quantity in state.standing(batch_id)
    ]


def _stood(standing: Standing) -> tuple[BatchKey, str, str]:
    return standing.batch, standing.place.location, standing.place.status.value


def _key(state: State, batch_id: int | None) -> BatchKey | None:
    return None if batch_id is None else state.batches[batch_id].key
