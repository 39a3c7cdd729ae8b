"""Recorded VDA 5050 messages -> stock moves. Pure.

Orders seen in the recording say what each action means, also those of other master controls; the
same rules as in the live bridge (missions.observe) say when a move happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from agv_bridge.dialects.reading import LONGEST
from agv_bridge.missions.mission import Mission, observe
from agv_bridge.missions.orders import DROP, PICK, legs_of
from agv_bridge.missions.reasons import LOAD_MISMATCH
from agv_bridge.recordings.findings import Failed, Finding, Mismatch, StockMove, Unfinished
from agv_bridge.vda5050.codec import decode
from agv_bridge.vda5050.messages import FINISHED, Order, State
from agv_bridge.vda5050.topics import parse_topic
from contracts.errors import BadInputError
from contracts.reason import Reason
from contracts.stock import TransportProgress, TransportState


class Missions:
    """The orders of a recording, and how far each came. More than `most` are refused, each with its
    line.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._missions: dict[tuple[str, str], list[Mission]] = {}

    def learn(self, topic: str, payload: bytes, at: datetime) -> None:
        """An order, in the first reading of the file: states may stand before it."""
        try:
            received = decode(topic, payload)
        except BadInputError:
            return
        if received is None or not isinstance(received.message, Order):
            return
        name, order = received.address.vehicle, received.message
        key = (name, order.order_id)
        if key not in self._missions and len(self._missions) >= self._most:
            return
        known = self._missions.setdefault(key, [])
        drops = {mission.leg.drop_id for mission in known}
        known.extend(
            Mission(leg, name, assigned=True, watched_since=at)
            for leg in legs_of(order)
            if leg.drop_id not in drops
        )

    def place(
        self, line: int, topic: str, payload: bytes, at: datetime
    ) -> tuple[list[Finding], Reason | None]:
        """What one message proves, and what of it could not be placed."""
        try:
            received = decode(topic, payload)
        except BadInputError as error:
            return [], Reason("agv_message_unreadable", {"why": error.message[:500]})
        if received is None:
            known = parse_topic(topic) is not None
            return [], None if known else Reason("agv_topic_unknown", {"topic": topic[:LONGEST]})
        vehicle = received.address.vehicle
        match received.message:
            case Order() as order:
                return [], self._unusable(vehicle, order)
            case State() as state:
                return self._place_state(line, vehicle, state, at)
            case _:
                return [], None

    def finish(self) -> Iterator[Unfinished]:
        """Orders still under way."""
        for (vehicle, order_id), legs in self._missions.items():
            for mission in legs:
                if mission.reached is not TransportState.DROPPED and not mission.failed:
                    load = mission.order.load_id
                    yield Unfinished(vehicle, order_id, load, mission.reached.value)

    def _unusable(self, vehicle: str, order: Order) -> Reason | None:
        legs = self._missions.get((vehicle, order.order_id))
        if legs is None:
            return Reason("agv_too_many_orders", {"most": self._most})
        if not legs:
            return Reason("agv_order_without_drop", {"order": order.order_id[:LONGEST]})
        return None

    def _place_state(
        self, line: int, vehicle: str, state: State, at: datetime
    ) -> tuple[list[Finding], Reason | None]:
        legs = self._missions.get((vehicle, state.order_id), [])
        found: list[Finding] = []
        for index, mission in enumerate(legs):
            legs[index], steps = observe(mission, state, at=at)
            for step in steps:
                found += _finding(line, legs[index], step)
        return found, _unexplained(state, legs)


def _finding(line: int, after: Mission, step: TransportProgress) -> Iterator[Finding]:
    order_id = after.order.order_id
    if step.reason == LOAD_MISMATCH:
        yield Mismatch(line, step.at, after.vehicle, order_id, after.load_seen or "")
    elif step.state is TransportState.FAILED:
        yield Failed(line, step.at, after.vehicle, order_id, step.reason)
    if step.state is TransportState.DROPPED:
        order = after.order
        yield StockMove(
            line,
            step.at,
            after.vehicle,
            order_id,
            after.leg.drop_id,
            order.load_id,
            after.load_seen,
            order.source,
            order.target,
        )


def _unexplained(state: State, legs: list[Mission]) -> Reason | None:
    """A pick or drop that ended, and no order of the recording explains it."""
    explained = {mission.leg.pick_id for mission in legs} | {m.leg.drop_id for m in legs}
    strange = [
        action.action_id
        for action in state.action_states
        if action.action_status == FINISHED
        and action.action_id not in explained
        and (
            action.action_type in {PICK, DROP}
            or (not action.action_type and action.action_id.endswith((f".{PICK}", f".{DROP}")))
        )
    ]
    if not strange:
        return None
    params: dict[str, str | int | float] = {
        "actions": ", ".join(strange)[:LONGEST],
        "order": state.order_id[:LONGEST] or "-",
    }
    return Reason("agv_no_order_explains", params)
