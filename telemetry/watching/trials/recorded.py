"""Trials over a gateway's own history."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from contracts.errors import NotFoundError
from telemetry.describing.series import SeriesBook
from telemetry.history.reader import MOST_POINTS, Envelope, History
from telemetry.watching.conditions.making import prepare
from telemetry.watching.fences import Fence
from telemetry.watching.places import Whereabouts, covers
from telemetry.watching.trials.trying import Curve, Reading, Tried, try_out

_CHART_POINTS = 1200
_MOST_SERIES = 40


def try_recorded(
    fence: Fence, history: History, whereabouts: Whereabouts, *, from_us: int, to_us: int
) -> Tried:
    """What `fence` would have told between two times, with what was measured for a chart.

    The sensors stand where they stand now. Raises BadInputError, NotFoundError where no sensor that
    was ever heard is within the fence, UnavailableError where there is no history yet.
    """
    prepared = prepare(fence)
    asked = {fence.quantity}
    for formula in (prepared.expression, prepared.clear_when):
        asked.update(formula.uses if formula else ())
    book, covered = SeriesBook(), []
    for known in history.known():
        place = known.standing.place if known.standing else ""
        if known.line.key.quantity in asked and len(book) < _MOST_SERIES:
            number = book.put(known.line.key, known.line.unit, place=place)
            if known.line.key.quantity == fence.quantity and covers(
                fence.scope, book[number], whereabouts
            ):
                covered.append(number)
    if not covered:
        raise NotFoundError(
            f"No sensor of {fence.quantity} that was ever heard is within this fence",
            mend="Choose another place, or wait for the first readings",
        )
    envelopes = [history.history(series.key, from_us, to_us, MOST_POINTS) for series in book]
    readings = heapq.merge(*(_readings(number, each) for number, each in enumerate(envelopes)))
    alarms, _, troubles = try_out(
        fence, book, readings, from_us=from_us, to_us=to_us, whereabouts=whereabouts
    )
    curves = tuple(_curve(envelopes[number]) for number in covered)
    # Those of the fence alone: an expression, or the next room, may have been read besides.
    count = sum(sum(envelopes[number].count) for number in covered)
    step_us = max((each.step_us for each in envelopes), default=1)
    return Tried(from_us, to_us, tuple(alarms), curves, count, step_us, tuple(troubles))


def _readings(number: int, envelope: Envelope) -> Iterator[Reading]:
    """A bucket of several readings counts as its least and its most, in this order."""
    columns = zip(envelope.at_us, envelope.least, envelope.most, strict=True)
    for at_us, least, most in columns:
        yield at_us, number, least
        if most != least:
            yield at_us, number, most


def _curve(envelope: Envelope) -> Curve:
    every = max(1, -(-len(envelope.at_us) // _CHART_POINTS))
    spans = range(0, len(envelope.at_us), every)
    return Curve(
        envelope.key,
        envelope.unit,
        tuple(envelope.at_us[at] for at in spans),
        tuple(min(envelope.least[at : at + every]) for at in spans),
        tuple(max(envelope.most[at : at + every]) for at in spans),
    )
