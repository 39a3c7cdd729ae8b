"""Recorded MQTT sessions -> stock moves. Pure but for reading the file.

Orders seen in the recording say what each action means, also those of other master controls; the
same rules as in the live bridge (missions.observe) say when a move happened. Every line ends in
exactly one of: a move, something told about the fleet, or unplaced with its reason.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from agv_bridge.missions.mission import LOAD_MISMATCH, Mission, observe
from agv_bridge.missions.orders import DROP, PICK, legs_of
from agv_bridge.vda5050.codec import decode
from agv_bridge.vda5050.messages import FINISHED, Connection, InstantActions, Order, State
from agv_bridge.vda5050.topics import FACTSHEET, VISUALIZATION, parse_topic
from contracts.errors import BadInputError
from contracts.stock import TransportState

_MEND = 'Each line is a JSON object {"topic": ..., "payload": ..., "timestamp": ...}'
_TOLD_ELSEWHERE = frozenset({FACTSHEET, VISUALIZATION})


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    line: int
    topic: str
    payload: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class StockMove:
    """One load that really went from one place to another."""

    line: int
    at: datetime
    vehicle: str
    order_id: str
    action_id: str
    load_id: str
    load_seen: str | None
    """What the vehicle read; differs from load_id: a mismatch."""
    source: str
    target: str

    @property
    def mismatch(self) -> bool:
        return self.load_seen is not None and self.load_seen != self.load_id


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A line that could not be placed, and why."""

    line: int
    topic: str
    why: str


@dataclass(slots=True)
class Replay:
    """The outcome: `lines` = `used` + the number of lines unplaced."""

    lines: int = 0
    used: int = 0
    moves: list[StockMove] = field(default_factory=list)
    failures: list[tuple[int, str, str, str]] = field(default_factory=list)
    """(line, vehicle, order, reason code): actions that failed."""
    mismatches: list[tuple[int, str, str, str]] = field(default_factory=list)
    """(line, vehicle, order, load as read)."""
    unplaced: list[Unplaced] = field(default_factory=list)
    unfinished: list[tuple[str, str, str]] = field(default_factory=list)
    """(vehicle, order, how far): still under way when the recording ends."""


def read_recording(path: Path) -> Iterator[RecordedMessage]:
    """JSON lines, plain or gzip. Raises BadInputError naming file and line."""
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _read_line(line, number, path)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInputError(
            f"{path}, after line {number}: cannot be read ({error})",
            mend="Record it again, or cut it after the last whole line",
            file=str(path),
            line=number,
        ) from error


def replay(messages: Iterable[RecordedMessage]) -> Replay:
    """All moves of a recording, each once, in the order in which they were proved.

    States may come before the order that explains them, so orders are gathered first.
    """
    recorded = list(messages)
    outcome = Replay(lines=len(recorded))
    missions = _gather_orders(recorded)
    for message in recorded:
        why = _place(message, missions, outcome)
        if why:
            outcome.unplaced.append(Unplaced(message.line, message.topic, why))
        else:
            outcome.used += 1
    for (vehicle, order_id), legs in missions.items():
        for mission in legs:
            if mission.reached is not TransportState.DROPPED and not mission.failed:
                outcome.unfinished.append((vehicle, order_id, mission.reached.value))
    return outcome


_Missions = dict[tuple[str, str], list[Mission]]


def _gather_orders(recorded: Iterable[RecordedMessage]) -> _Missions:
    missions: _Missions = {}
    for message in recorded:
        try:
            received = decode(message.topic, message.payload)
        except BadInputError:
            continue
        if received is None or not isinstance(received.message, Order):
            continue
        name, order = received.address.vehicle, received.message
        known = missions.setdefault((name, order.order_id), [])
        drops = {mission.leg.drop_id for mission in known}
        known.extend(
            Mission(leg, name, assigned=True, watched_since=message.at)
            for leg in legs_of(order)
            if leg.drop_id not in drops
        )
    return missions


def _place(message: RecordedMessage, missions: _Missions, outcome: Replay) -> str:
    """Why a message could not be placed; empty when it could."""
    try:
        received = decode(message.topic, message.payload)
    except BadInputError as error:
        return error.message
    if received is None:
        parsed = parse_topic(message.topic)
        told = parsed is not None and parsed[1] in _TOLD_ELSEWHERE
        return "" if told else "not a VDA 5050 topic of version 2 or 3"
    match received.message:
        case Order() as order:
            has_legs = bool(missions.get((received.address.vehicle, order.order_id)))
            return "" if has_legs else f"order {order.order_id} has no pick with a drop"
        case Connection() | InstantActions():
            return ""
        case State() as state:
            return _place_state(message, received.address.vehicle, state, missions, outcome)


def _place_state(
    message: RecordedMessage, vehicle: str, state: State, missions: _Missions, outcome: Replay
) -> str:
    legs = missions.get((vehicle, state.order_id), [])
    for index, mission in enumerate(legs):
        legs[index], steps = observe(mission, state, at=message.at)
        after = legs[index]
        for step in steps:
            if step.reason == LOAD_MISMATCH:
                outcome.mismatches.append(
                    (message.line, vehicle, state.order_id, after.load_seen or "")
                )
            elif step.state is TransportState.FAILED:
                outcome.failures.append((message.line, vehicle, state.order_id, step.reason))
            if step.state is TransportState.DROPPED:
                outcome.moves.append(_move(message, after))
    return _unexplained(state, legs)


def _unexplained(state: State, legs: list[Mission]) -> str:
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
        return ""
    return (
        f"{', '.join(strange)} FINISHED, but the recording has no order {state.order_id!r} "
        "that explains it"
    )


def _move(message: RecordedMessage, mission: Mission) -> StockMove:
    order = mission.order
    return StockMove(
        message.line,
        message.at,
        mission.vehicle,
        order.order_id,
        mission.leg.drop_id,
        order.load_id,
        mission.load_seen,
        order.source,
        order.target,
    )


def _read_line(line: bytes, number: int, path: Path) -> RecordedMessage:
    try:
        value = json.loads(line)
        topic = _text(value["topic"])
        return RecordedMessage(number, topic, _payload(value), _time(value["timestamp"]))
    except KeyError as error:
        why = f"{error} is missing"
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        why = str(error)
    raise BadInputError(f"{path}, line {number}: {why}", mend=_MEND, file=str(path), line=number)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"topic {value!r} is no text")
    return value


def _payload(value: Mapping[str, object]) -> bytes:
    payload = value["payload"]
    return payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()


def _time(value: object) -> datetime:
    """ISO 8601, or seconds since 1970."""
    if isinstance(value, str):
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    raise TypeError(f"timestamp {value!r} is no time")
